#include "layers/engine_activation.h"
#include "layers/layer.h"

/* The activation elu; src/layers/activation_elu.c. */
const cn__layer_math CN_T(cn__layer_elu_math) = {cn__activation_forward, cn__activation_backward};

#if CN_ONCE
#include "base/error.h"

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_elu_options, name)}
static const cn__field fields[] = {
    OPTION(alpha, REAL),
    CN__LAYER_FIELDS(cn_elu_options),
};

static int check(cn_layer *layer)
{
    const cn_elu_options *options = layer->options;
    if (!(options->alpha >= -1e30 && options->alpha <= 1e30))
        return cn__fail(CN_EINVAL, "%s: alpha must be a finite number, got %g", cn__layer_label(layer), options->alpha);
    layer->activation = CN__ACTIVATION_elu;
    layer->activation_options = (cn__activation_options){.alpha = options->alpha};
    return CN_OK;
}

static int build(cn_layer *layer)
{
    cn__layer_keep_shape(layer);
    return CN_OK;
}

const cn__layer_class cn__layer_elu = {
    .name = "ELU",
    .snake = "elu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_elu_options),
    .defaults = &(const cn_elu_options){CN_ELU_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_elu_create(const cn_elu_options *options)
{
    return cn__layer_create(&cn__layer_elu, options);
}
#endif
