#include "kernels/functions.h"
#include "kernels/row.h"
#include "layers/engine_activation.h"
#include "layers/layer_parts.h"

/* y = e^x / sum e^x along one axis. Along the last it is the activation softmax; along others the numbers of a row are
 * `step` apart, and sums go over sixteen lanes as in kernels/row.h. */
typedef struct share {
    const cn__pass *pass;
    int64_t n, step;
} share;

static int64_t axis_of(const cn_layer *layer)
{
    int64_t axis = ((const cn_softmax_options *)layer->options)->axis;
    return axis < 0 ? axis + layer->input_ndim : axis - 1;
}

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    int64_t axis = axis_of(layer);
    share s = {.pass = pass, .n = layer->input_shape[axis], .step = 1};
    for (int64_t a = axis + 1; a < layer->input_ndim; a++) s.step *= layer->input_shape[a];
    return s;
}

/* Where row r of a sample begins. */
static int64_t row_begin(const share *s, int64_t r)
{
    return r / s->step * s->n * s->step + r % s->step;
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->input_size, step = s->step;
    (void)thread;
    for (int64_t r = begin * size / s->n; r < end * size / s->n; r++) {
        const real *x = (const real *)s->pass->x + row_begin(s, r);
        real *y = (real *)s->pass->y + row_begin(s, r), top = x[0], lanes[CN__LANES] = {0};
        for (int64_t i = 1; i < s->n; i++) top = x[i * step] <= top ? top : x[i * step];
        for (int64_t i = 0; i < s->n; i++) {
            y[i * step] = cn__exp(x[i * step] - top);
            lanes[i % CN__LANES] += y[i * step];
        }
        real sum = cn__add_lanes(lanes);
        for (int64_t i = 0; i < s->n; i++) y[i * step] /= sum;
    }
    cn__round_output(s->pass, begin, end);
}

/* dx_i = y_i (dy_i - sum_j dy_j y_j) */
static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->input_size, step = s->step;
    (void)thread;
    for (int64_t r = begin * size / s->n; r < end * size / s->n; r++) {
        int64_t at = row_begin(s, r);
        const real *y = (const real *)s->pass->y + at, *dy = (const real *)s->pass->dy + at;
        real *dx = (real *)s->pass->dx + at, lanes[CN__LANES] = {0};
        for (int64_t i = 0; i < s->n; i++)
            lanes[i % CN__LANES] = FMA(y[i * step], dy[i * step], lanes[i % CN__LANES]);
        real dot = cn__add_lanes(lanes);
        for (int64_t i = 0; i < s->n; i++) dx[i * step] = y[i * step] * (dy[i * step] - dot);
    }
}

static void forward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (pass->layer->activation >= 0) cn__activation_forward(pass);
    else cn__each_sample(pass, forward_samples, &s);
}

static void backward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (pass->layer->activation >= 0) cn__activation_backward(pass);
    else if (pass->dx) cn__each_sample(pass, backward_samples, &s);
}

const cn__layer_math CN_T(cn__layer_softmax_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_softmax_options, name)}
static const cn__field fields[] = {
    OPTION(axis, INT64),
    OPTION(input_shape, SHAPE),
    OPTION(activity_regularizer, TEXT),
    OPTION(name, TEXT),
};

/* Along the last axis this is the activation, whose input a cross-entropy may use; known before the shape only for -1. */
static int check(cn_layer *layer)
{
    const cn_softmax_options *options = layer->options;
    if (options->axis == 0)
        return cn__fail(CN_EINVAL, "%s: axis 0 is the batch; axes count from 1, and -1 is the last", cn__layer_label(layer));
    if (options->axis == -1) layer->activation = CN__ACTIVATION_softmax;
    return CN_OK;
}

static int build(cn_layer *layer)
{
    const cn_softmax_options *options = layer->options;
    int64_t axis = axis_of(layer);
    if (axis < 0 || axis >= layer->input_ndim)
        return cn__fail(CN_ESHAPE, "%s: axis must lie in 1 ... %d or -%d ... -1 for samples of %d axes, got %lld",
                        cn__layer_label(layer), layer->input_ndim, layer->input_ndim, layer->input_ndim,
                        (long long)options->axis);
    if (layer->input_shape[axis] == 1)
        return cn__fail(CN_EINVAL, "%s: softmax over one unit is always the same; use sigmoid, or one unit per class",
                        cn__layer_label(layer));
    cn__layer_keep_shape(layer);
    return CN_OK;
}

const cn__layer_class cn__layer_softmax = {
    .name = "Softmax",
    .snake = "softmax",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_softmax_options),
    .defaults = &(const cn_softmax_options){CN_SOFTMAX_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_softmax_create(const cn_softmax_options *options)
{
    return cn__layer_create(&cn__layer_softmax, options);
}
#endif
