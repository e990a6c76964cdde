/* Letters as strokes of a pen. A glyph is a list of strokes with spaces between them; a stroke is a list of points,
 * each a digit for x and a letter for y: d is the line that letters stand on, j the height of an x, m that of a
 * capital, a the depth of a g. A stroke that begins with ~ is a smooth curve through its points, with @ a closed
 * one. */
#include "drawing.h"

static const struct {
    char character;
    const char *strokes;
} font[] = {
    {'0', "@2m4k4f2d0f0k"}, {'1', "0k2m2d 0d4d"}, {'2', "~0k1m3m4k3h0d 0d4d"},
    {'3', "~0l2m4k3i1i ~1i3i4g3d0e"}, {'4', "3d3m0f4f"}, {'5', "4m0m0i ~0i2j4h4f2d0e"},
    {'6', "~4m1k0g0f @2i4g4f2d0f0g"}, {'7', "0m4m1d"}, {'8', "@2m4k2i0k @2i4g4f2d0f0g"},
    {'9', "@2m4k4j2h0j0k ~4j4i3f0d"},
    {'a', "@2j0h0f2d4f4h 4j4d"}, {'b', "0m0d @2j4h4f2d0f0h"}, {'c', "~4i2j0h0f2d4e"}, {'d', "4m4d @2j0h0f2d4f4h"},
    {'e', "0g4g ~4g4h2j0h0f2d4e"}, {'f', "~3m2m1k 1k1d 0j3j"}, {'g', "@2j0h0f2d4f4h 4j4c ~4c2a0b"},
    {'h', "0m0d ~0h2j4h 4h4d"}, {'i', "0j0d 0l0l"}, {'j', "1j1b ~1b1a0a 1l1l"}, {'k', "0m0d 3j0f 1g4d"},
    {'l', "0m0d"}, {'m', "0j0d ~0h2j3h 3h3d ~3h5j6h 6h6d"}, {'n', "0j0d ~0h2j4h 4h4d"}, {'o', "@2j4h4f2d0f0h"},
    {'p', "0j0a @2j4h4f2d0f0h"}, {'q', "4j4a @2j0h0f2d4f4h"}, {'r', "0j0d ~0h1j3j"}, {'s', "~4i2j0h4f2d0e"},
    {'t', "1m1e ~1e2d3d 0j3j"}, {'u', "0j0f ~0f2d4f 4j4d"}, {'v', "0j2d4j"}, {'w', "0j2d3i4d6j"}, {'x', "0j4d 4j0d"},
    {'y', "0j2d 4j1a"}, {'z', "0j4j0d4d"},
    {'A', "0d3m6d 1g5g"}, {'B', "0d0m3m ~3m5k3i 0i3i ~3i5g5f3d 3d0d"}, {'C', "~5l3m0j0g3d5e"},
    {'D', "0d0m2m ~2m5j5g2d 2d0d"}, {'E', "4m0m0d4d 0i3i"}, {'F', "4m0m0d 0i3i"}, {'G', "~5l3m0j0g3d5f 5f5h3h"},
    {'H', "0m0d 5m5d 0i5i"}, {'I', "0m0d"}, {'J', "3m3g ~3g2d0e"}, {'K', "0m0d 5m0g 2i5d"}, {'L', "0m0d4d"},
    {'M', "0d0m3f6m6d"}, {'N', "0d0m5d5m"}, {'O', "@3m6j6g3d0g0j"}, {'P', "0d0m3m ~3m5k3h 3h0h"},
    {'Q', "@3m6j6g3d0g0j 4f6c"}, {'R', "0d0m3m ~3m5k3h 3h0h 3h5d"}, {'S', "~5l3m0k5g2d0e"}, {'T', "0m6m 3m3d"},
    {'U', "0m0g ~0g3d6g 6g6m"}, {'V', "0m3d6m"}, {'W', "0m2d4k6d8m"}, {'X', "0m5d 5m0d"}, {'Y', "0m3h6m 3h3d"},
    {'Z', "0m5m0d5d"},
    {'.', "0d0d"}, {',', "1d0b"}, {':', "0i0i 0e0e"}, {';', "0i0i 1e0b"}, {'-', "0g3g"}, {'+', "0g4g 2i2e"},
    {'=', "0h4h 0f4f"}, {'(', "~2n0j0f2b"}, {')', "~0n2j2f0b"}, {'[', "2n0n0b2b"}, {']', "0n2n2b0b"}, {'/', "0c4n"},
    {'*', "0h4h 1j3f 3j1f"}, {'<', "4j0g4d"}, {'>', "0j4g0d"}, {'_', "0b5b"}, {'|', "0n0b"}, {'^', "0k2m4k"},
    {'\'', "0m0k"}, {'?', "~0k2m4k2h 2h2g 2d2d"}, {'!', "0m0g 0d0d"}, {'%', "5m0d @1m2l1k0l @4f5e4d3e"},
};

const char *stroke_font_glyph(char character)
{
    for (size_t i = 0; i < sizeof font / sizeof *font; i++)
        if (font[i].character == character) return font[i].strokes;
    return "";
}
