#include "layers/data_format.h"

#include <string.h>

/* Rows and columns of zeros around an image: x (H, W, C)  y (top + H + bottom, left + W + right, C). */
enum { TOP, BOTTOM, LEFT, RIGHT };

/* "1", "1x2" (rows, columns) or four numbers "((1, 0), (2, 3))" (top, bottom; left, right), with whatever stands
 * between the numbers. Returns how many there were, -1 when there is something else or a number out of range. */
static int read_padding(const char *text, int64_t padding[4])
{
    int n = 0;
    for (; text && *text; n += n < 5) {
        text += strspn(text, "()[], x");
        if (!*text) break;
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 6) return -1;
        int64_t value = 0;
        for (size_t i = 0; i < digits; i++) value = 10 * value + (text[i] - '0');
        if (n < 4) padding[n] = value;
        text += digits;
    }
    if (n == 1) padding[BOTTOM] = padding[LEFT] = padding[RIGHT] = padding[TOP];
    if (n == 2) {
        padding[LEFT] = padding[RIGHT] = padding[1];
        padding[BOTTOM] = padding[TOP];
    }
    return n == 1 || n == 2 || n == 4 ? n : -1;
}

typedef struct share {
    const cn__pass *pass;
    int64_t padding[4], rows, run, wide_run; /* rows of x; numbers in a row of x and of y */
} share;

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    int64_t channels = layer->input_shape[2];
    share s = {.pass = pass, .rows = layer->input_shape[0], .run = layer->input_shape[1] * channels,
               .wide_run = layer->output_shape[1] * channels};
    read_padding(((const cn_zero_padding2d_options *)layer->options)->padding, s.padding);
    return s;
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer *layer = s->pass->layer;
    int64_t left = s->padding[LEFT] * layer->input_shape[2];
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = (const real *)s->pass->x + b * layer->input_size;
        real *y = (real *)s->pass->y + b * layer->output_size;
        memset(y, 0, (size_t)layer->output_size * sizeof *y);
        for (int64_t r = 0; r < s->rows; r++)
            memcpy(y + (s->padding[TOP] + r) * s->wide_run + left, x + r * s->run, (size_t)s->run * sizeof *y);
    }
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer *layer = s->pass->layer;
    int64_t left = s->padding[LEFT] * layer->input_shape[2];
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *dy = (const real *)s->pass->dy + b * layer->output_size;
        real *dx = (real *)s->pass->dx + b * layer->input_size;
        for (int64_t r = 0; r < s->rows; r++)
            memcpy(dx + r * s->run, dy + (s->padding[TOP] + r) * s->wide_run + left, (size_t)s->run * sizeof *dx);
    }
}

static void forward(const cn__pass *pass)
{
    share s = prepare(pass);
    cn__each_sample(pass, forward_samples, &s);
}

static void backward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (pass->dx) cn__each_sample(pass, backward_samples, &s);
}

CN__MATH_IN_EITHER_FORMAT(zero_padding2d)

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"padding", CN__FIELD_TEXT, offsetof(cn_zero_padding2d_options, padding)},
    {"data_format", CN__FIELD_TEXT, offsetof(cn_zero_padding2d_options, data_format)},
    CN__LAYER_FIELDS(cn_zero_padding2d_options),
};

static int check(cn_layer *layer)
{
    const cn_zero_padding2d_options *options = layer->options;
    int64_t padding[4];
    if (read_padding(options->padding, padding) > 0) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: padding must be one number, two (rows, columns) or four (top, bottom, left, "
                    "right), each from 0 to 999999, e.g. \"1x2\"; got \"%.64s\"", cn__layer_label(layer),
                    options->padding ? options->padding : "");
}

static int build(cn_layer *layer)
{
    const cn_zero_padding2d_options *options = layer->options;
    int64_t padding[4];
    if (layer->input_ndim != 3)
        return cn__fail(CN_ESHAPE, "%s: needs images %s, got samples of %d axes", cn__layer_label(layer),
                        cn__layer_picture_axes(layer), layer->input_ndim);
    read_padding(options->padding, padding);
    cn__layer_keep_shape(layer);
    layer->output_shape[0] += padding[TOP] + padding[BOTTOM];
    layer->output_shape[1] += padding[LEFT] + padding[RIGHT];
    return CN_OK;
}

const cn__layer_class cn__layer_zero_padding2d = {
    .name = "ZeroPadding2D",
    .snake = "zero_padding2d",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_zero_padding2d_options),
    .defaults = &(const cn_zero_padding2d_options){CN_ZERO_PADDING2D_DEFAULTS, .padding = "(1, 1)"},
    .check = check,
    .build = build,
};

cn_layer *cn_zero_padding2d_create(const cn_zero_padding2d_options *options)
{
    return cn__layer_create(&cn__layer_zero_padding2d, options);
}
#endif
