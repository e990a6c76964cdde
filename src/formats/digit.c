/* From a picture to MNIST's form. The steps, as functions below: shrink to a working size, take the paper away, find
 * the ink, fit its box into 20x20, and put its centre of mass into the middle of 28x28. */
#include <cornu/image.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/paper.h"

#include <math.h>

enum { SIDE = 28, BOX = 20, WORKING_SIDE = 1024 };
#define CENTRE 14.0          /* MNIST's 60,000 centres of mass have mean 14.0 and stay within half a pixel of it */
#define INK_SHARE 0.3        /* of the ink's full strength: above it a pixel is in the stroke and not on its edge */
#define SPECK_SHARE 0.04     /* of the largest connected piece: what is smaller is dirt, not a part of the digit */
#define WEAKEST_INK 12.0     /* grey levels above the paper */
#define NOISE_DEVIATIONS 5.0 /* paper alone exceeds this once in 3 million pixels */

typedef struct picture {
    int64_t h, w;
    float *light;      /* (h, w): ink is positive, paper about 0, grey levels */
    int32_t *piece;    /* (h, w): number of the connected piece of ink, 0 for paper */
    double noise;      /* standard deviation of the paper */
    double strength;   /* of full ink, grey levels above the paper */
    int64_t top, left, height, width, ink; /* the box round the ink, pixels in it */
} picture;

/* --- pictures that need no work ----------------------------------------------------------------------------------- */

static int64_t border_median(const unsigned char *p)
{
    int64_t count[256] = {0}, seen = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (y % (SIDE - 1) == 0 || x % (SIDE - 1) == 0) count[p[y * SIDE + x]]++;
    int level = 0;
    while ((seen += count[level]) < 2 * (SIDE - 1)) level++;
    return level;
}

/* Already in MNIST's form, or its negative: 28x28 with a black or white border. Anything more would only blur it. */
static int take_as_is(const unsigned char *p, unsigned char *out, cn_digit_report *report)
{
    const int64_t border = border_median(p);
    const int inverted = border > 127 ? 255 : 0; /* a mask: 255 - v is v ^ 255 */
    int brightest = 0, bottom = -1, right = -1;
    for (int i = 0; i < SIDE * SIDE; i++)
        if ((p[i] ^ inverted) > brightest) brightest = p[i] ^ inverted;
    if ((border ^ inverted) > 8 || brightest < 64) return 0;
    *report = (cn_digit_report){.inverted = inverted != 0, .top = SIDE, .left = SIDE};
    for (int i = 0; i < SIDE * SIDE; i++) {
        out[i] = (unsigned char)(p[i] ^ inverted);
        if (out[i] < INK_SHARE * brightest) continue;
        int y = i / SIDE, x = i % SIDE;
        if (y < report->top) report->top = y;
        if (x < report->left) report->left = x;
        if (y > bottom) bottom = y;
        if (x > right) right = x;
        report->ink += 1.0 / (SIDE * SIDE);
    }
    report->height = bottom - report->top + 1;
    report->width = right - report->left + 1;
    return 1;
}

/* --- finding the ink ---------------------------------------------------------------------------------------------- */

/* Mean of each factor x factor block, at the edge of what there is of it. The negative is made of the bytes, so that a
 * picture and its negative give the same numbers from here on. */
static void shrink(picture *p, const unsigned char *bytes, int64_t h, int64_t w, int64_t factor, int negative)
{
    for (int64_t y = 0; y < p->h; y++)
        for (int64_t x = 0; x < p->w; x++) {
            const int64_t bottom = (y + 1) * factor < h ? (y + 1) * factor : h;
            const int64_t right = (x + 1) * factor < w ? (x + 1) * factor : w;
            int64_t sum = 0;
            for (int64_t i = y * factor; i < bottom; i++)
                for (int64_t j = x * factor; j < right; j++)
                    sum += negative ? 255 - bytes[i * w + j] : bytes[i * w + j];
            p->light[y * p->w + x] = (float)((double)sum / (double)((bottom - y * factor) * (right - x * factor)));
        }
}

/* Ink is the minority that deviates most, so the third moment has its sign. */
static int ink_is_dark(const picture *p)
{
    double sum = 0;
    for (int64_t i = 0; i < p->h * p->w; i++) sum += pow((double)p->light[i], 3);
    return sum < 0;
}

/* Full ink: what nine tenths of the pixels that cannot be paper stay below. 0 when there is none. */
static double ink_strength(const picture *p, double floor)
{
    int64_t count[256] = {0}, total = 0, seen = 0;
    for (int64_t i = 0; i < p->h * p->w; i++) {
        double v = (double)p->light[i];
        if (!(v > floor)) continue;
        count[v < 255 ? (int)v : 255]++;
        total++;
    }
    int level = 0;
    while (level < 255 && 10 * (seen += count[level]) < 9 * total) level++;
    return total ? level + 1 : 0;
}

/* Marks the connected piece (over corners too) that holds pixel `start`; returns its size. `stack` has a place for
 * every pixel, because each is pushed once at most. */
static int64_t mark_piece(picture *p, double threshold, int64_t start, int32_t number, int32_t *stack)
{
    int64_t size = 0, waiting = 0;
    stack[waiting++] = (int32_t)start;
    p->piece[start] = number;
    while (waiting) {
        const int64_t at = stack[--waiting], y = at / p->w, x = at % p->w;
        size++;
        for (int64_t i = y ? y - 1 : 0; i <= y + 1 && i < p->h; i++)
            for (int64_t j = x ? x - 1 : 0; j <= x + 1 && j < p->w; j++) {
                const int64_t next = i * p->w + j;
                if (p->piece[next] || !((double)p->light[next] > threshold)) continue;
                p->piece[next] = number;
                stack[waiting++] = (int32_t)next;
            }
    }
    return size;
}

/* Piece by piece; sizes[k] is the size of piece k, sizes[0] that of the largest. Returns how many there are. */
static int32_t mark_pieces(picture *p, double threshold, int32_t *stack, int64_t *sizes)
{
    int32_t n = 0;
    sizes[0] = 0;
    for (int64_t i = 0; i < p->h * p->w; i++) {
        if (p->piece[i] || !((double)p->light[i] > threshold)) continue;
        n++;
        sizes[n] = mark_piece(p, threshold, i, n, stack);
        if (sizes[n] > sizes[0]) sizes[0] = sizes[n];
    }
    return n;
}

/* Wipes a speck's pixel and the blur round it. */
static void wipe(picture *p, int64_t y, int64_t x)
{
    for (int64_t i = y ? y - 1 : 0; i <= y + 1 && i < p->h; i++)
        for (int64_t j = x ? x - 1 : 0; j <= x + 1 && j < p->w; j++)
            if (p->piece[i * p->w + j] == 0) p->light[i * p->w + j] = 0;
    p->light[y * p->w + x] = 0;
}

/* The box round all pieces that are no specks. */
static void measure_box(picture *p, const int64_t *sizes)
{
    int64_t bottom = -1, right = -1;
    p->top = p->h;
    p->left = p->w;
    for (int64_t y = 0; y < p->h; y++)
        for (int64_t x = 0; x < p->w; x++) {
            const int32_t piece = p->piece[y * p->w + x];
            if (!piece) continue;
            if ((double)sizes[piece] < SPECK_SHARE * (double)sizes[0]) {
                wipe(p, y, x);
                continue;
            }
            if (y < p->top) p->top = y;
            if (x < p->left) p->left = x;
            if (y > bottom) bottom = y;
            if (x > right) right = x;
            p->ink++;
        }
    p->height = bottom - p->top + 1;
    p->width = right - p->left + 1;
}

static int no_ink(void)
{
    return cn__fail(CN_EINVAL, "no ink found in the picture: it has no stroke that stands out from its border; write "
                    "one digit on plain paper, with some paper left all round");
}

static int find_ink(picture *p)
{
    const double noise_floor = NOISE_DEVIATIONS * p->noise;
    const double floor = noise_floor > WEAKEST_INK ? noise_floor : WEAKEST_INK;
    p->strength = ink_strength(p, floor);
    if (!(p->strength > floor)) return no_ink();
    const double stroke = INK_SHARE * p->strength;
    const size_t pixels = (size_t)(p->h * p->w);
    int32_t *stack = cn__alloc_raw(pixels, sizeof *stack, "finding a digit's ink");
    int64_t *sizes = cn__alloc_raw(pixels + 1, sizeof *sizes, "finding a digit's ink");
    int status = stack && sizes ? 0 : CN_ENOMEM;
    if (status == 0 && mark_pieces(p, stroke > floor ? stroke : floor, stack, sizes)) measure_box(p, sizes);
    cn__free(stack);
    cn__free(sizes);
    if (status < 0) return status;
    /* Dust on an empty page: a digit is at least a 64th of it. */
    const int64_t longest = p->height > p->width ? p->height : p->width;
    return longest < 3 || longest * 64 < (p->h > p->w ? p->h : p->w) ? no_ink() : 0;
}

/* --- fitting ------------------------------------------------------------------------------------------------------ */

/* Ink of one pixel from 0 to 1: noise is below, saturated strokes are at the top. */
static double ink_at(const picture *p, int64_t y, int64_t x)
{
    const double paper = 2 * p->noise, v = ((double)p->light[y * p->w + x] - paper) / (p->strength - paper);
    return v > 0 ? (v < 1 ? v : 1) : 0;
}

/* Mean ink over the rectangle from (y0, x0) to (y1, x1) of the box; pixels cut by its edge count by their part. */
static double mean_ink(const picture *p, double y0, double x0, double y1, double x1)
{
    double sum = 0;
    for (int64_t y = (int64_t)y0; y < p->height && (double)y < y1; y++) {
        const double rows = fmin((double)y + 1, y1) - fmax((double)y, y0);
        for (int64_t x = (int64_t)x0; x < p->width && (double)x < x1; x++)
            sum += rows * (fmin((double)x + 1, x1) - fmax((double)x, x0)) * ink_at(p, p->top + y, p->left + x);
    }
    return sum / ((y1 - y0) * (x1 - x0));
}

/* Where a side of `size` pixels begins so that its centre of mass comes to MNIST's, staying inside. */
static int place(double centre_of_mass, int size)
{
    int start = (int)floor(CENTRE - centre_of_mass + 0.5);
    return start < 0 ? 0 : start > SIDE - size ? SIDE - size : start;
}

static void fit_and_centre(const picture *p, unsigned char *out)
{
    double small[BOX][BOX], brightest = 0, sum = 0, sum_y = 0, sum_x = 0;
    const double height = (double)p->height, width = (double)p->width, longest = fmax(height, width);
    const int h = (int)fmax(1, floor(height * BOX / longest + 0.5));
    const int w = (int)fmax(1, floor(width * BOX / longest + 0.5));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const double v = mean_ink(p, y * height / h, x * width / w, (y + 1) * height / h, (x + 1) * width / w);
            small[y][x] = v;
            brightest = fmax(brightest, v);
            sum += v;
            sum_y += v * y;
            sum_x += v * x;
        }
    const int top = place(sum_y / sum, h), left = place(sum_x / sum, w);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            out[(top + y) * SIDE + left + x] = (unsigned char)(255 * small[y][x] / brightest + 0.5);
}

/* --- all together ------------------------------------------------------------------------------------------------- */

static int convert(picture *p, const unsigned char *bytes, int64_t h, int64_t w, cn_tensor *out,
                   cn_digit_report *report)
{
    const int64_t longest = h > w ? h : w, factor = (longest + WORKING_SIDE - 1) / WORKING_SIDE;
    p->h = (h + factor - 1) / factor;
    p->w = (w + factor - 1) / factor;
    const size_t pixels = (size_t)(p->h * p->w);
    p->light = cn__alloc_raw(pixels, sizeof *p->light, "a picture of a digit");
    p->piece = cn__alloc(pixels, sizeof *p->piece, "a picture of a digit");
    if (!p->light || !p->piece) return CN_ENOMEM;
    shrink(p, bytes, h, w, factor, 0);
    p->noise = cn__paper_subtract(p->light, p->h, p->w);
    const int negative = ink_is_dark(p);
    if (negative) {
        shrink(p, bytes, h, w, factor, 1);
        p->noise = cn__paper_subtract(p->light, p->h, p->w);
    }
    CN_TRY(find_ink(p));
    fit_and_centre(p, cn_data(out));
    const int64_t top = p->top * factor, left = p->left * factor;
    *report = (cn_digit_report){
        .inverted = negative, .top = top, .left = left,
        .height = p->height * factor < h - top ? p->height * factor : h - top,
        .width = p->width * factor < w - left ? p->width * factor : w - left,
        .ink = (double)p->ink / (double)pixels,
    };
    return 0;
}

cn_tensor *cn_image_to_digit(const cn_tensor *image, cn_digit_report *report)
{
    if (!image) return NULL;
    const int64_t *shape = cn_shape(image);
    if (cn_dtype_of(image) != CN_UINT8 || cn_scale_of(image) != 1)
        return cn__fail_null(CN_EDTYPE, "cn_image_to_digit takes plain uint8, not %s%s; use cn_astype",
                             cn_dtype_name(cn_dtype_of(image)), cn_scale_of(image) != 1 ? " with a scale" : "");
    if (cn_ndim(image) != 2 || shape[0] < 1 || shape[1] < 1)
        return cn__fail_null(CN_ESHAPE, "cn_image_to_digit takes one picture of shape (height, width), not %d axes%s",
                             cn_ndim(image), cn_size(image) == 0 ? " without pixels" : "");
    cn_digit_report unused;
    if (!report) report = &unused;
    cn_tensor *copy = cn_is_contiguous(image) ? NULL : cn_copy(image);
    cn_tensor *out = cn_zeros(CN_UINT8, SIDE, SIDE);
    const unsigned char *bytes = copy || cn_is_contiguous(image) ? cn_data(copy ? copy : image) : NULL;
    int status = bytes && out ? 0 : CN_ENOMEM;
    picture p = {0};
    if (status == 0 && !(shape[0] == SIDE && shape[1] == SIDE && take_as_is(bytes, cn_data(out), report)))
        status = convert(&p, bytes, shape[0], shape[1], out, report);
    cn__free(p.light);
    cn__free(p.piece);
    cn_tensor_destroy(&copy);
    if (status < 0) cn_tensor_destroy(&out);
    return out;
}
