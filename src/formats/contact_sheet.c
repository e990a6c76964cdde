/* Many pictures on one page, each with its label. Everything is measured in `zoom`, so all margins grow together:
 *
 *     margin
 *     +---------+ gap +---------+
 *     | picture |     | picture |
 *     +---------+     +---------+
 *        label           label
 */
#include <cornu/image.h>

#include "base/error.h"
#include "formats/pixel_font.h"

#include <string.h>

#define MAX_PIXELS ((double)(1 << 28)) /* what cn_image_read reads back */
#define MAX_ZOOM 1000
#define PAPER 255
#define LABEL_INK 40

typedef struct sheet {
    int64_t n, h, w; /* of the pictures */
    int64_t columns, rows, zoom;
    int64_t margin, gap, letter; /* letter: pixels on the page for one pixel of the font */
    int64_t label_gap, label_height; /* between picture and label; of the label. 0 when nobody has one */
    int64_t height, width;
    unsigned char *pixels;
} sheet;

static int64_t longest_label(const char *const *labels, int64_t n)
{
    int64_t longest = 0;
    for (int64_t i = 0; labels && i < n; i++) {
        const int64_t length = labels[i] ? (int64_t)strlen(labels[i]) : 0;
        if (length > longest) longest = length;
    }
    return longest;
}

/* How many letters fit under a picture; they may reach half-way into the gaps beside it. */
static int64_t room(const sheet *s)
{
    return (s->w * s->zoom + s->gap) / (CN__FONT_ADVANCE * s->letter);
}

static int64_t cell_height(const sheet *s)
{
    return s->h * s->zoom + s->label_gap + s->label_height;
}

static void lay_out(sheet *s, int64_t longest)
{
    s->gap = s->zoom * 3;
    s->margin = s->zoom * 4;
    s->letter = (s->zoom + 1) / 2;
    if (room(s) < longest) s->letter = (s->zoom + 2) / 3;
    if (longest > 0) {
        s->label_gap = 3 * s->letter;
        s->label_height = CN__FONT_HEIGHT * s->letter;
    }
    s->rows = (s->n + s->columns - 1) / s->columns;
    s->width = 2 * s->margin + s->columns * s->w * s->zoom + (s->columns - 1) * s->gap;
    s->height = 2 * s->margin + s->rows * cell_height(s) + (s->rows - 1) * s->gap;
}

static void put_square(const sheet *s, int64_t y, int64_t x, int64_t side, int grey)
{
    for (int64_t i = 0; i < side; i++) memset(s->pixels + (y + i) * s->width + x, grey, (size_t)side);
}

static void put_picture(const sheet *s, int64_t top, int64_t left, const unsigned char *picture)
{
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t x = 0; x < s->w; x++)
            put_square(s, top + y * s->zoom, left + x * s->zoom, s->zoom, picture[y * s->w + x]);
}

/* Centred under its picture. What does not fit into picture and gap ends in two dots. */
static void put_label(const sheet *s, int64_t top, int64_t left, const char *label)
{
    const int64_t length = (int64_t)strlen(label), shown = length < room(s) ? length : room(s);
    left += (s->w * s->zoom - (shown * CN__FONT_ADVANCE - 1) * s->letter) / 2;
    for (int64_t i = 0; i < shown; i++)
        for (int y = 0; y < CN__FONT_HEIGHT; y++)
            for (int x = 0; x < CN__FONT_WIDTH; x++) {
                const char letter = shown < length && i >= shown - 2 ? '.' : label[i];
                const int64_t column = i * CN__FONT_ADVANCE + x;
                if (!cn__font_pixel(letter, y, x)) continue;
                put_square(s, top + y * s->letter, left + column * s->letter, s->letter, LABEL_INK);
            }
}

static void draw(const sheet *s, const unsigned char *pictures, const char *const *labels)
{
    memset(s->pixels, PAPER, (size_t)(s->height * s->width));
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t top = s->margin + i / s->columns * (cell_height(s) + s->gap);
        const int64_t left = s->margin + i % s->columns * (s->w * s->zoom + s->gap);
        put_picture(s, top, left, pictures + i * s->h * s->w);
        if (labels && labels[i]) put_label(s, top + s->h * s->zoom + s->label_gap, left, labels[i]);
    }
}

static int check(const cn_tensor *images, int columns, int zoom)
{
    if (cn_dtype_of(images) != CN_UINT8 || cn_scale_of(images) != 1)
        return cn__fail(CN_EDTYPE, "cn_image_sheet takes plain uint8, not %s%s; use cn_astype",
                        cn_dtype_name(cn_dtype_of(images)), cn_scale_of(images) != 1 ? " with a scale" : "");
    if (cn_ndim(images) != 3 || cn_size(images) < 1)
        return cn__fail(CN_ESHAPE, "cn_image_sheet takes pictures of shape (n, height, width), not %d axes%s",
                        cn_ndim(images), cn_size(images) == 0 ? " without pixels" : "");
    if (columns < 1 || zoom < 1 || zoom > MAX_ZOOM)
        return cn__fail(CN_EINVAL, "cn_image_sheet: %d columns at zoom %d; columns begin at 1, zoom goes from 1 to %d",
                        columns, zoom, MAX_ZOOM);
    return 0;
}

cn_tensor *cn_image_sheet(const cn_tensor *images, const char *const *labels, int columns, int zoom)
{
    if (!images || check(images, columns, zoom) < 0) return NULL;
    const int64_t *shape = cn_shape(images);
    sheet s = {.n = shape[0], .h = shape[1], .w = shape[2], .zoom = zoom};
    s.columns = columns < s.n ? columns : s.n;
    lay_out(&s, longest_label(labels, s.n));
    if ((double)s.height * (double)s.width > MAX_PIXELS)
        return cn__fail_null(CN_EINVAL, "cn_image_sheet: the page would have %lld x %lld pixels, more than 2^28; take "
                             "fewer pictures or a smaller zoom", (long long)s.height, (long long)s.width);
    cn_tensor *copy = cn_is_contiguous(images) ? NULL : cn_copy(images);
    cn_tensor *page = cn_zeros(CN_UINT8, s.height, s.width);
    const unsigned char *pictures = copy || cn_is_contiguous(images) ? cn_data(copy ? copy : images) : NULL;
    if (page && pictures) {
        s.pixels = cn_data(page);
        draw(&s, pictures, labels);
    } else {
        cn_tensor_destroy(&page);
    }
    cn_tensor_destroy(&copy);
    return page;
}
