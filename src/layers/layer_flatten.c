#include "kernels/real.h"
#include "layers/layer.h"

#include <string.h>

/* (a, b, ...) -> (a*b*...): the same numbers in the same order. */
static void forward(const cn__pass *pass)
{
    memcpy(pass->y, pass->x, (size_t)(pass->batch * pass->layer->output_size) * sizeof(real));
}

static void backward(const cn__pass *pass)
{
    if (pass->dx) memcpy(pass->dx, pass->dy, (size_t)(pass->batch * pass->layer->output_size) * sizeof(real));
}

const cn__layer_math CN_T(cn__layer_flatten_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"input_shape", CN__FIELD_SHAPE, offsetof(cn_flatten_options, input_shape)},
    {"name", CN__FIELD_TEXT, offsetof(cn_flatten_options, name)},
};

static int build(cn_layer *layer)
{
    layer->output_ndim = 1;
    layer->output_shape[0] = layer->input_size;
    return CN_OK;
}

const cn__layer_class cn__layer_flatten = {
    .name = "Flatten",
    .snake = "flatten",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_flatten_options),
    .defaults = &(const cn_flatten_options){.name = NULL},
    .build = build,
    .hands_on = CN__HANDS_ON,
};

cn_layer *cn_flatten_create(const cn_flatten_options *options)
{
    return cn__layer_create(&cn__layer_flatten, options);
}
#endif
