/* Pictures as lines of text: half blocks in 24-bit grey, or ten plain characters. */
#include <cornu/image.h>

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static const char shades[10] = " .:-=+*#%@";

/* What one cell can need: two colours, each "\033[48;2;255;255;255m", and a half block of three bytes. */
#define CELL_BYTES (2 * 19 + 3)
#define LINE_END_BYTES 5 /* "\033[0m\n" */

/* Brightness from 0 to 1, already reduced to the width of the terminal. */
typedef struct grid {
    int64_t h, w;
    float *light;
} grid;

static float clamp(double v)
{
    return v > 0 ? (v < 1 ? (float)v : 1.0f) : 0.0f; /* NaN is black */
}

/* Mean over the pixels that a cell covers. Each pixel belongs to one cell: characters are coarse enough for that. */
static void reduce(grid *g, const float *pixels, int64_t h, int64_t w, double unit)
{
    for (int64_t y = 0; y < g->h; y++)
        for (int64_t x = 0; x < g->w; x++) {
            const int64_t top = y * h / g->h, bottom = (y + 1) * h / g->h;
            const int64_t left = x * w / g->w, right = (x + 1) * w / g->w;
            double sum = 0;
            for (int64_t i = top; i < bottom; i++)
                for (int64_t j = left; j < right; j++) sum += (double)clamp((double)pixels[i * w + j] * unit);
            g->light[y * g->w + x] = clamp(sum / (double)((bottom - top) * (right - left)));
        }
}

static int make_grid(grid *g, const cn_tensor *image, int columns)
{
    const int64_t *shape = cn_shape(image);
    g->w = shape[1] < columns ? shape[1] : columns;
    g->h = shape[0];
    if (g->w < shape[1]) {
        const double rows = (double)shape[0] * (double)g->w / (double)shape[1];
        g->h = rows > 1 ? (int64_t)(rows + 0.5) : 1;
    }
    cn_tensor *floats = cn_astype(image, CN_FLOAT32);
    g->light = cn__alloc_raw((size_t)g->h, (size_t)g->w * sizeof *g->light, "a picture as text");
    /* A scaled view of bytes is taken at its word: it holds 0...1. */
    const int bytes = cn_dtype_of(image) == CN_UINT8 && cn_scale_of(image) == 1;
    int status = floats && g->light ? 0 : CN_ENOMEM;
    if (status == 0) reduce(g, cn_data(floats), shape[0], shape[1], bytes ? 1.0 / 255 : 1.0);
    cn_tensor_destroy(&floats);
    return status;
}

static int level(const grid *g, int64_t y, int64_t x, int levels)
{
    const int l = (int)(g->light[y * g->w + x] * (float)levels);
    return l < levels ? l : levels - 1;
}

static char *put_grey(char *to, int layer, int grey)
{
    return to + sprintf(to, "\033[%d;2;%d;%d;%dm", layer, grey, grey, grey);
}

/* The upper half of each character is foreground, the lower background. A colour is named only where it changes. */
static char *put_colour_line(char *to, const grid *g, int64_t y)
{
    int upper = -1, lower = -1;
    for (int64_t x = 0; x < g->w; x++) {
        const int u = level(g, y, x, 256), l = y + 1 < g->h ? level(g, y + 1, x, 256) : -1;
        if (u != upper) to = put_grey(to, 38, upper = u);
        if (l != lower) to = put_grey(to, 48, lower = l);
        memcpy(to, "\xe2\x96\x80", 3); /* U+2580, upper half block */
        to += 3;
    }
    memcpy(to, "\033[0m\n", LINE_END_BYTES);
    return to + LINE_END_BYTES;
}

static char *put_plain_line(char *to, const grid *g, int64_t y)
{
    for (int64_t x = 0; x < g->w; x++) {
        const double upper = (double)g->light[y * g->w + x];
        const double lower = y + 1 < g->h ? (double)g->light[(y + 1) * g->w + x] : upper;
        const int shade = (int)((upper + lower) / 2 * 10);
        *to++ = shades[shade < 10 ? shade : 9];
    }
    *to++ = '\n';
    return to;
}

static char *draw(const grid *g, int colour)
{
    const size_t line = (colour ? (size_t)g->w * CELL_BYTES : (size_t)g->w) + LINE_END_BYTES;
    const size_t lines = (size_t)(g->h + 1) / 2;
    if (lines > (SIZE_MAX - 1) / line) return cn__fail_null(CN_ENOMEM, "out of memory for a picture as text");
    char *text = cn__alloc_raw(lines * line + 1, 1, "a picture as text");
    if (!text) return NULL;
    char *to = text;
    for (int64_t y = 0; y < g->h; y += 2) to = colour ? put_colour_line(to, g, y) : put_plain_line(to, g, y);
    *to = '\0';
    return text;
}

char *cn_image_to_text(const cn_tensor *image, int columns, int colour)
{
    if (!image) return NULL;
    const cn_dtype dtype = cn_dtype_of(image);
    if (dtype != CN_UINT8 && dtype != CN_FLOAT32 && dtype != CN_FLOAT64)
        return cn__fail_null(CN_EDTYPE, "cn_image_to_text takes uint8 or floats, not %s; use cn_astype",
                             cn_dtype_name(dtype));
    if (cn_ndim(image) != 2 || cn_size(image) < 1)
        return cn__fail_null(CN_ESHAPE, "cn_image_to_text takes one picture of shape (height, width), not %d axes%s",
                             cn_ndim(image), cn_size(image) == 0 ? " without pixels" : "");
    if (columns < 1)
        return cn__fail_null(CN_EINVAL, "cn_image_to_text: %d columns are too few; give 1 or more", columns);
    grid g = {0};
    char *text = make_grid(&g, image, columns) < 0 ? NULL : draw(&g, colour);
    cn__free(g.light);
    return text;
}
