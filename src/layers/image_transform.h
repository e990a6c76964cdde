/* An image looked at through an affine map, as TensorFlow's ImageProjectiveTransformV3 does it, on which Keras's
 * augmentation layers stand. Pixel (x, y) of the output is taken from (m0 x + m1 y + m2, m3 x + m4 y + m5) of the
 * input. Places outside are, by fill_mode:  reflect (d c b a | a b c d | d c b a),  wrap (a b c d | a b c d | a b c d),
 * nearest (a a a a | a b c d | d d d d),  constant (k k k k | a b c d | k k k k) with fill_value for k. */
#ifndef CN_LAYERS_IMAGE_TRANSFORM_H
#define CN_LAYERS_IMAGE_TRANSFORM_H

#include "base/exact.h"
#include "layers/data_format.h"

#include <string.h>

typedef enum cn__fill_mode { CN__REFLECT, CN__WRAP, CN__CONSTANT, CN__NEAREST, CN__FILL_MODES } cn__fill_mode;
static const char *const cn__fill_modes[CN__FILL_MODES] = {"reflect", "wrap", "constant", "nearest"};

typedef struct cn__image_transform {
    const cn__pass *pass;
    cn__layer_stream stream;
    cn__fill_mode fill_mode;
    int nearest; /* interpolation: 1 nearest, 0 bilinear */
    real fill_value;
    void (*make_matrix)(const cn_layer *layer, const double drawn[2], double matrix[6]); /* drawn: 0 ... 1 */
} cn__image_transform;

/* -1 when it is none */
static inline int cn__fill_mode_of(const char *name)
{
    for (int i = 0; name && i < CN__FILL_MODES; i++)
        if (!strcmp(name, cn__fill_modes[i])) return i;
    return -1;
}

/* Brings a coordinate into 0 ... n-1; nothing to do for constant. */
static inline real cn__inside(cn__fill_mode mode, real at, int64_t n)
{
    real size = (real)n, last = (real)(n - 1);
    if (mode == CN__CONSTANT) return at;
    if (n == 1) return 0;
    if (mode == CN__REFLECT && at < 0) {
        at += 2 * size * (real)floor(-at / (2 * size));
        at = at < -size ? at + 2 * size : -at - 1;
    } else if (mode == CN__REFLECT && at > last) {
        at -= 2 * size * (real)floor(at / (2 * size));
        if (at >= size) at = 2 * size - at - 1;
    } else if (mode == CN__WRAP && at < 0) {
        at += size * ((real)floor(-at / last) + 1);
    } else if (mode == CN__WRAP && at > last) {
        at -= size * (real)floor(at / last);
    }
    return at < 0 ? 0 : at > last ? last : at;
}

/* The four pixels that a place lies between and their weights; nearest has one. Index -1: outside. */
typedef struct cn__taps {
    int64_t pixel[4];
    real weight[4];
} cn__taps;

static inline cn__taps cn__taps_at(const cn__image_transform *t, int64_t height, int64_t width, real x, real y)
{
    cn__taps taps;
    real left = (real)(t->nearest ? round(x) : floor(x)), top = (real)(t->nearest ? round(y) : floor(y));
    for (int k = 0; k < 4; k++) {
        real px = left + (real)(k & 1), py = top + (real)(k >> 1);
        int is_inside = px >= 0 && py >= 0 && px < (real)width && py < (real)height;
        taps.pixel[k] = is_inside ? (int64_t)py * width + (int64_t)px : -1;
        taps.weight[k] = (k & 1 ? x - left : left + 1 - x) * (k >> 1 ? y - top : top + 1 - y);
        if (t->nearest) taps.weight[k] = k == 0;
    }
    return taps;
}

static inline void cn__image_matrix(const cn__image_transform *t, int64_t sample, real matrix[6])
{
    uint32_t words[4];
    double wide[6], drawn[2];
    cn__philox(t->stream.seed, t->stream.purpose, t->stream.step, (uint64_t)sample, words);
    for (int k = 0; k < 2; k++) drawn[k] = (double)(words[k] >> 8) * 0x1p-24;
    t->make_matrix(t->pass->layer, drawn, wide);
    for (int k = 0; k < 6; k++) matrix[k] = (real)wide[k];
}

/* Calls work(t, taps, pixel) for each pixel of one sample; written out by the two users below. */
#define CN__EACH_PIXEL(t, sample, taps)                                                                             \
    int64_t height = (t)->pass->layer->input_shape[0], width = (t)->pass->layer->input_shape[1];                    \
    real m[6];                                                                                                      \
    cn__image_matrix(t, sample, m);                                                                                 \
    for (int64_t row = 0; row < height; row++)                                                                      \
        for (int64_t column = 0; column < width; column++) {                                                        \
            real x = m[0] * (real)column + m[1] * (real)row + m[2], y = m[3] * (real)column + m[4] * (real)row + m[5];\
            cn__taps taps = cn__taps_at(t, height, width, cn__inside((t)->fill_mode, x, width),                     \
                                        cn__inside((t)->fill_mode, y, height));

static void cn__transform_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__image_transform *t = context;
    int64_t size = t->pass->layer->input_size, channels = t->pass->layer->input_shape[2];
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *in = (const real *)t->pass->x + b * size;
        real *out = (real *)t->pass->y + b * size;
        CN__EACH_PIXEL(t, b, taps)
            for (int64_t c = 0; c < channels; c++) {
                real sum = 0;
                for (int k = 0; k < 4; k++) {
                    if (taps.weight[k] == 0) continue;
                    sum += taps.weight[k] * (taps.pixel[k] < 0 ? t->fill_value : in[taps.pixel[k] * channels + c]);
                }
                out[(row * width + column) * channels + c] = sum;
            }
        }
    }
    cn__round_output(t->pass, begin, end);
}

/* The transpose of the map: each pixel's gradient goes to where the pixel came from, in the order of the output. */
static void cn__transform_back_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__image_transform *t = context;
    int64_t size = t->pass->layer->input_size, channels = t->pass->layer->input_shape[2];
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *dy = (const real *)t->pass->dy + b * size;
        real *dx = (real *)t->pass->dx + b * size;
        memset(dx, 0, (size_t)size * sizeof *dx);
        CN__EACH_PIXEL(t, b, taps)
            for (int k = 0; k < 4; k++) {
                if (taps.pixel[k] < 0) continue;
                for (int64_t c = 0; c < channels; c++)
                    dx[taps.pixel[k] * channels + c] += taps.weight[k] * dy[(row * width + column) * channels + c];
            }
        }
    }
}

/* Forward and backward of a layer whose options have these fields. In inference y = x. */
static inline void cn__transform_images(const cn__pass *pass, cn__image_transform *t)
{
    if (pass->training > 0) cn__each_sample(pass, cn__transform_samples, t);
    else memcpy(pass->y, pass->x, (size_t)(pass->batch * pass->layer->input_size) * sizeof(real));
}

static inline void cn__transform_images_back(const cn__pass *pass, cn__image_transform *t)
{
    if (pass->dx) cn__each_sample(pass, cn__transform_back_samples, t);
}

#define CN__IMAGE_TRANSFORM(pass_, options, matrix)                                                                 \
    {.pass = (pass_), .stream = cn__layer_stream_of(pass_, CN__FOR_AUGMENTATION, (options)->seed),                  \
     .fill_mode = (cn__fill_mode)cn__fill_mode_of((options)->fill_mode),                                            \
     .nearest = !strcmp((options)->interpolation, "nearest"), .fill_value = (real)(options)->fill_value,            \
     .make_matrix = (matrix)}

static inline double cn__draw_between(const double range[2], double drawn)
{
    double low, high;
    cn__range(range, &low, &high);
    return low + drawn * (high - low);
}

#if CN_ONCE
#include "base/error.h"

/* Errors that the three layers have in common. */
static int cn__check_image_options(const cn_layer *layer, const char *fill_mode, const char *interpolation,
                                   double fill_value)
{
    const char *label = cn__layer_label(layer);
    if (cn__fill_mode_of(fill_mode) < 0)
        return cn__fail(CN_EINVAL, "%s: fill_mode must be reflect, wrap, constant or nearest, got \"%.64s\"", label,
                        fill_mode ? fill_mode : "");
    if (!interpolation || (strcmp(interpolation, "bilinear") && strcmp(interpolation, "nearest")))
        return cn__fail(CN_EINVAL, "%s: interpolation must be bilinear or nearest, got \"%.64s\"", label,
                        interpolation ? interpolation : "");
    if (!(fill_value >= -1e30 && fill_value <= 1e30))
        return cn__fail(CN_EINVAL, "%s: fill_value must be a finite number, got %g", label, fill_value);
    return CN_OK;
}

static int cn__check_factor(const cn_layer *layer, const char *name, const double range[2])
{
    if (range[0] >= -1 && range[0] <= 1 && range[1] >= -1 && range[1] <= 1) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: %s must be a number or two numbers in -1 ... 1, got %g", cn__layer_label(layer),
                    name, range[0] >= -1 && range[0] <= 1 ? range[1] : range[0]);
}

static int cn__build_image_layer(cn_layer *layer)
{
    if (layer->input_ndim != 3)
        return cn__fail(CN_ESHAPE, "%s: needs images %s, got samples of %d axes; a Reshape adds one",
                        cn__layer_label(layer), cn__layer_picture_axes(layer), layer->input_ndim);
    cn__layer_keep_shape(layer);
    return CN_OK;
}
#endif
#endif
