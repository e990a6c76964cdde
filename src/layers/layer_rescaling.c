#include "kernels/real.h"
#include "layers/layer.h"

/* y = x * scale + offset, each rounded on its own as Keras does */
static void forward(const cn__pass *pass)
{
    const cn_rescaling_options *options = pass->layer->options;
    const real *x = pass->x, scale = (real)options->scale, offset = (real)options->offset;
    real *y = pass->y;
    for (int64_t i = 0; i < pass->batch * pass->layer->output_size; i++) y[i] = x[i] * scale + offset;
}

static void backward(const cn__pass *pass)
{
    const cn_rescaling_options *options = pass->layer->options;
    const real *dy = pass->dy, scale = (real)options->scale;
    real *dx = pass->dx;
    if (!dx) return;
    for (int64_t i = 0; i < pass->batch * pass->layer->output_size; i++) dx[i] = dy[i] * scale;
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
