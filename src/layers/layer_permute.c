#include "layers/layer_parts.h"

/* Axis a of y is axis dims[a] of x, counted from 1: the batch is 0 and stays. */
typedef struct share {
    const cn__pass *pass;
    int ndim;
    int64_t shape[CN_MAX_NDIM], step[CN_MAX_NDIM]; /* of y, and how its axes walk through x */
} share;

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn_permute_options *options = layer->options;
    share s = {.pass = pass, .ndim = layer->output_ndim};
    int64_t steps[CN_MAX_NDIM], step = 1;
    for (int a = s.ndim - 1; a >= 0; a--) {
        steps[a] = step;
        step *= layer->input_shape[a];
    }
    for (int a = 0; a < s.ndim; a++) {
        s.shape[a] = layer->output_shape[a];
        s.step[a] = steps[options->dims[a] - 1];
    }
    return s;
}

/* Moves `at`, an index into x, to where the next run along the last axis of y begins. */
static int64_t next_run(const share *s, int64_t index[CN_MAX_NDIM], int64_t at)
{
    for (int a = s->ndim - 2; a >= 0; a--) {
        at += s->step[a];
        if (++index[a] < s->shape[a]) break;
        at -= s->step[a] * s->shape[a];
        index[a] = 0;
    }
    return at;
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->output_size, run = s->shape[s->ndim - 1], step = s->step[s->ndim - 1];
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = (const real *)s->pass->x + b * size;
        real *y = (real *)s->pass->y + b * size;
        int64_t index[CN_MAX_NDIM] = {0}, at = 0;
        for (int64_t i = 0; i < size; i += run, at = next_run(s, index, at))
            for (int64_t j = 0; j < run; j++) y[i + j] = x[at + j * step];
    }
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->output_size, run = s->shape[s->ndim - 1], step = s->step[s->ndim - 1];
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *dy = (const real *)s->pass->dy + b * size;
        real *dx = (real *)s->pass->dx + b * size;
        int64_t index[CN_MAX_NDIM] = {0}, at = 0;
        for (int64_t i = 0; i < size; i += run, at = next_run(s, index, at))
            for (int64_t j = 0; j < run; j++) dx[at + j * step] = dy[i + j];
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

const cn__layer_math CN_T(cn__layer_permute_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"
#include "tensor/tensor.h"

static const cn__field fields[] = {
    {"dims", CN__FIELD_SHAPE, offsetof(cn_permute_options, dims)},
    CN__LAYER_FIELDS(cn_permute_options),
};

static int check(cn_layer *layer)
{
    const cn_permute_options *options = layer->options;
    int ndim = 0, seen[CN_MAX_NDIM + 1] = {0};
    while (ndim < CN_MAX_NDIM && options->dims[ndim]) ndim++;
    int good = ndim > 0;
    for (int a = 0; good && a < ndim; a++)
        good = options->dims[a] >= 1 && options->dims[a] <= ndim && !seen[options->dims[a]]++;
    if (good) return CN_OK;
    char text[CN_SHAPE_TEXT_BYTES];
    return cn__fail(CN_EINVAL, "%s: dims must be the numbers from 1 to the number of axes in some order, e.g. "
                    "cn_permute(2, 1); the batch is not counted; got %s", cn__layer_label(layer),
                    cn__shape_text(text, ndim, options->dims));
}

static int build(cn_layer *layer)
{
    const cn_permute_options *options = layer->options;
    int ndim = 0;
    while (ndim < CN_MAX_NDIM && options->dims[ndim]) ndim++;
    if (ndim != layer->input_ndim)
        return cn__fail(CN_ESHAPE, "%s: dims names %d axes, a sample has %d", cn__layer_label(layer), ndim,
                        layer->input_ndim);
    layer->output_ndim = ndim;
    for (int a = 0; a < ndim; a++) layer->output_shape[a] = layer->input_shape[options->dims[a] - 1];
    return CN_OK;
}

const cn__layer_class cn__layer_permute = {
    .name = "Permute",
    .snake = "permute",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_permute_options),
    .defaults = &(const cn_permute_options){.name = NULL},
    .check = check,
    .build = build,
};

cn_layer *cn_permute_create(const cn_permute_options *options)
{
    return cn__layer_create(&cn__layer_permute, options);
}
#endif
