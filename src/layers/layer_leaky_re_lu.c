#include "layers/engine_activation.h"
#include "layers/layer.h"

/* The activation leaky_relu, whose slope is 0.3 here and 0.2 there; src/layers/activation_leaky_relu.c. */
const cn__layer_math CN_T(cn__layer_leaky_re_lu_math) = {cn__activation_forward, cn__activation_backward};

#if CN_ONCE
#include "base/error.h"

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_leaky_re_lu_options, name)}
static const cn__field fields[] = {
    OPTION(negative_slope, REAL),
    CN__LAYER_FIELDS(cn_leaky_re_lu_options),
};

static int check(cn_layer *layer)
{
    const cn_leaky_re_lu_options *options = layer->options;
    if (!(options->negative_slope >= 0 && options->negative_slope <= 1e30))
        return cn__fail(CN_EINVAL, "%s: negative_slope must be a number of at least 0, got %g", cn__layer_label(layer),
                        options->negative_slope);
    layer->activation = CN__ACTIVATION_leaky_relu;
    layer->activation_options = (cn__activation_options){.negative_slope = options->negative_slope};
    return CN_OK;
}

static int build(cn_layer *layer)
{
    cn__layer_keep_shape(layer);
    return CN_OK;
}

const cn__layer_class cn__layer_leaky_re_lu = {
    .name = "LeakyReLU",
    .snake = "leaky_re_lu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_leaky_re_lu_options),
    .defaults = &(const cn_leaky_re_lu_options){CN_LEAKY_RE_LU_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_leaky_re_lu_create(const cn_leaky_re_lu_options *options)
{
    return cn__layer_create(&cn__layer_leaky_re_lu, options);
}
#endif
