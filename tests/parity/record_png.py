"""Writes one tiny PNG of every colour type, bit depth and interlacing into a folder, with its own encoder, and the
grey values that cn_image_read must give for them (worked out here in exact fractions) into expected.txt.

    python record_png.py tests/format/golden/png

Needs nothing but Python. The pictures are 7 rows of 5 pixels: small enough for empty Adam7 passes.
"""
import random
import struct
import sys
import zlib
from fractions import Fraction
from pathlib import Path

HEIGHT, WIDTH = 7, 5
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
NAMES = {GREY: "grey", RGB: "rgb", PALETTE: "palette", GREY_ALPHA: "grey-alpha", RGBA: "rgba"}
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(pixels, depth):
    samples = [s for pixel in pixels for s in pixel]
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def encode(pixels, colour, depth, interlaced, extra):
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = b""
    for top, left, down, right in passes:
        for y in range(top, HEIGHT, down):
            row = pixels[y][left::right]
            if row:
                raw += b"\0" + pack_row(row, depth)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, int(interlaced))
    data = chunk(b"IDAT", zlib.compress(raw, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + data + chunk(b"IEND", b"")


def nearest(fraction):
    return int(fraction + Fraction(1, 2))


def to_byte(sample, depth):
    return nearest(Fraction(sample * 255, 2**depth - 1))


def grey_on_white(red, green, blue, alpha):
    luma = Fraction(299 * red + 587 * green + 114 * blue, 1000)
    return nearest((luma * alpha + 255 * (255 - alpha)) / 255)


def expected(pixel, colour, depth, palette, transparent):
    if colour == PALETTE:
        return grey_on_white(*palette[pixel[0]])
    alpha = 255
    if colour in (GREY_ALPHA, RGBA):
        pixel, alpha = pixel[:-1], to_byte(pixel[-1], depth)
    elif transparent and tuple(pixel) == transparent:
        alpha = 0
    channels = [to_byte(s, depth) for s in pixel] * (3 if len(pixel) == 1 else 1)
    return grey_on_white(*channels, alpha)


def main(folder):
    random.seed(20)
    lines = []
    for colour, depths in DEPTHS.items():
        for depth in depths:
            for with_trns in (False, True) if colour in (GREY, RGB, PALETTE) else (False,):
                pixels = [
                    [[random.randrange(2**depth) for _ in range(CHANNELS[colour])] for _ in range(WIDTH)]
                    for _ in range(HEIGHT)
                ]
                pixels[0][0] = [2**depth - 1] * CHANNELS[colour]
                palette, transparent, extra = None, None, b""
                if colour == PALETTE:
                    palette = [[random.randrange(256) for _ in range(3)] + [255] for _ in range(2**depth)]
                    extra = chunk(b"PLTE", b"".join(bytes(entry[:3]) for entry in palette))
                    if with_trns:
                        for entry in palette[: max(1, 2**depth // 2)]:
                            entry[3] = random.randrange(256)
                        extra += chunk(b"tRNS", bytes(entry[3] for entry in palette[: max(1, 2**depth // 2)]))
                elif with_trns:
                    transparent = tuple(pixels[3][3])
                    extra = chunk(b"tRNS", b"".join(struct.pack(">H", s) for s in transparent))
                for interlaced in (False, True):
                    name = f"{NAMES[colour]}{depth}{'-trns' if with_trns else ''}{'-adam7' if interlaced else ''}.png"
                    Path(folder, name).write_bytes(encode(pixels, colour, depth, interlaced, extra))
                    values = [expected(p, colour, depth, palette, transparent) for row in pixels for p in row]
                    lines.append(f"{name} {' '.join(map(str, values))}\n")
    heading = f"# name, then {HEIGHT} x {WIDTH} grey values; by record_png.py\n"
    Path(folder, "expected.txt").write_text(heading + "".join(lines))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
