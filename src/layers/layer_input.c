#include "kernels/real.h"
#include "layers/layer.h"

/* Declares the shape of one sample; computes nothing. The model skips it. */
static void nothing(const cn__pass *pass)
{
    (void)pass;
}

const cn__layer_math CN_T(cn__layer_input_math) = {nothing, nothing};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"shape", CN__FIELD_SHAPE, offsetof(cn_input_options, shape)},
    {"name", CN__FIELD_TEXT, offsetof(cn_input_options, name)},
};

static int check(cn_layer *layer)
{
    int ndim;
    if (!cn__layer_shape_option(layer, &ndim))
        return cn__fail(CN_ESHAPE, "Input: the shape is empty; give the sizes of one sample, e.g. cn_input(784)");
    return CN_OK;
}

static int build(cn_layer *layer)
{
    cn__layer_keep_shape(layer);
    return CN_OK;
}

const cn__layer_class cn__layer_input = {
    .name = "InputLayer",
    .snake = "input_layer",
    .also = "input",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_input_options),
    .defaults = &(const cn_input_options){.name = NULL},
    .check = check,
    .build = build,
    .hands_on = CN__HANDS_ON,
};

cn_layer *cn_input_create(const cn_input_options *options)
{
    return cn__layer_create(&cn__layer_input, options);
}
#endif
