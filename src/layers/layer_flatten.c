#include "layers/data_format.h"

#include <string.h>

/* (a, b, ...) -> (a*b*...): the same numbers in the same order, which with channels_first is the one of
 * channels_last. */
static void forward(const cn__pass *pass)
{
    memcpy(pass->y, pass->x, (size_t)(pass->batch * pass->layer->output_size) * sizeof(real));
}

static void backward(const cn__pass *pass)
{
    if (pass->dx) memcpy(pass->dx, pass->dy, (size_t)(pass->batch * pass->layer->output_size) * sizeof(real));
}

CN__MATH_IN_EITHER_FORMAT(flatten)

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"data_format", CN__FIELD_TEXT, offsetof(cn_flatten_options, data_format)},
    CN__LAYER_FIELDS(cn_flatten_options),
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
    .defaults = &(const cn_flatten_options){CN_FLATTEN_DEFAULTS},
    .build = build,
    .hands_on = CN__HANDS_ON,
};

cn_layer *cn_flatten_create(const cn_flatten_options *options)
{
    return cn__layer_create(&cn__layer_flatten, options);
}
#endif
