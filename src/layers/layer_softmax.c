#include "layers/along_axes.h"

/* The activation softmax along one axis or several; src/layers/activation_softmax.c and layers/along_axes.h. */
const cn__layer_math CN_T(cn__layer_softmax_math) = {cn__activation_forward, cn__activation_backward};

#if CN_ONCE
#include "base/error.h"

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_softmax_options, name)}
static const cn__field fields[] = {
    OPTION(axis, SHAPE),
    CN__LAYER_FIELDS(cn_softmax_options),
};

/* Along the last axis a cross-entropy may use the input of the activation; known before the shape only for -1. */
static int check(cn_layer *layer)
{
    const cn_softmax_options *options = layer->options;
    if (options->axis[0] == 0)
        return cn__fail(CN_EINVAL, "%s: axis 0 is the batch; axes count from 1, and -1 is the last",
                        cn__layer_label(layer));
    layer->activation = CN__ACTIVATION_softmax;
    layer->activation_options.axis = options->axis[0] == -1 && !options->axis[1] ? -1 : 0;
    return CN_OK;
}

static int build(cn_layer *layer)
{
    const cn_softmax_options *options = layer->options;
    int n = 0;
    while (n < CN_MAX_NDIM && options->axis[n]) n++;
    cn__layer_keep_shape(layer);
    return cn__layer_set_along(layer, "", n, options->axis, layer->input_ndim, layer->input_shape);
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
