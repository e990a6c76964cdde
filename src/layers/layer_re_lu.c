#include "layers/engine_activation.h"
#include "layers/layer.h"

/* The activation relu with its arguments; src/layers/activation_relu.c. */
const cn__layer_math CN_T(cn__layer_re_lu_math) = {cn__activation_forward, cn__activation_backward};

#if CN_ONCE
#include "base/error.h"

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_re_lu_options, name)}
static const cn__field fields[] = {
    OPTION(max_value, REAL),
    OPTION(negative_slope, REAL),
    OPTION(threshold, REAL),
    CN__LAYER_FIELDS(cn_re_lu_options),
};

static int check(cn_layer *layer)
{
    const cn_re_lu_options *options = layer->options;
    layer->activation = CN__ACTIVATION_relu;
    layer->activation_options = (cn__activation_options){.negative_slope = options->negative_slope,
                                                         .max_value = options->max_value,
                                                         .threshold = options->threshold};
    return cn__activation_relu.check(cn__layer_label(layer), &layer->activation_options);
}

static int build(cn_layer *layer)
{
    cn__layer_keep_shape(layer);
    return CN_OK;
}

const cn__layer_class cn__layer_re_lu = {
    .name = "ReLU",
    .snake = "re_lu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_re_lu_options),
    .defaults = &(const cn_re_lu_options){CN_RE_LU_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_re_lu_create(const cn_re_lu_options *options)
{
    return cn__layer_create(&cn__layer_re_lu, options);
}
#endif
