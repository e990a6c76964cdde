#include "layers/layer_parts.h"

/* y = x * scale + offset, each rounded on its own as Keras does */
static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__pass *pass = context;
    const cn_rescaling_options *options = pass->layer->options;
    const real *x = pass->x, scale = (real)options->scale, offset = (real)options->offset;
    int64_t size = pass->layer->output_size;
    real *y = pass->y;
    (void)thread;
    for (int64_t i = begin * size; i < end * size; i++) y[i] = x[i] * scale + offset;
    cn__round_output(pass, begin, end);
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__pass *pass = context;
    const cn_rescaling_options *options = pass->layer->options;
    const real *dy = pass->dy, scale = (real)options->scale;
    int64_t size = pass->layer->output_size;
    real *dx = pass->dx;
    (void)thread;
    for (int64_t i = begin * size; i < end * size; i++) dx[i] = dy[i] * scale;
}

static void forward(const cn__pass *pass)
{
    cn__each_sample(pass, forward_samples, pass);
}

static void backward(const cn__pass *pass)
{
    if (pass->dx) cn__each_sample(pass, backward_samples, pass);
}

const cn__layer_math CN_T(cn__layer_rescaling_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"scale", CN__FIELD_REAL, offsetof(cn_rescaling_options, scale)},
    {"offset", CN__FIELD_REAL, offsetof(cn_rescaling_options, offset)},
    {"input_shape", CN__FIELD_SHAPE, offsetof(cn_rescaling_options, input_shape)},
    {"name", CN__FIELD_TEXT, offsetof(cn_rescaling_options, name)},
};

static int build(cn_layer *layer)
{
    cn__layer_keep_shape(layer);
    return CN_OK;
}

const cn__layer_class cn__layer_rescaling = {
    .name = "Rescaling",
    .snake = "rescaling",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_rescaling_options),
    .defaults = &(const cn_rescaling_options){.scale = 1},
    .build = build,
};

cn_layer *cn_rescaling_create(const cn_rescaling_options *options)
{
    return cn__layer_create(&cn__layer_rescaling, options);
}
#endif
