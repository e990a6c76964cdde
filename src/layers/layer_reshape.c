#include "kernels/real.h"
#include "layers/layer.h"

#include <string.h>

/* Another shape for the same numbers in the same order. */
static void forward(const cn__pass *pass)
{
    memcpy(pass->y, pass->x, (size_t)(pass->batch * pass->layer->output_size) * sizeof(real));
}

static void backward(const cn__pass *pass)
{
    if (pass->dx) memcpy(pass->dx, pass->dy, (size_t)(pass->batch * pass->layer->output_size) * sizeof(real));
}

const cn__layer_math CN_T(cn__layer_reshape_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"
#include "tensor/tensor.h"

static const cn__field fields[] = {
    {"target_shape", CN__FIELD_SHAPE, offsetof(cn_reshape_options, target_shape)},
    CN__LAYER_FIELDS(cn_reshape_options),
};

static int check(cn_layer *layer)
{
    const cn_reshape_options *options = layer->options;
    int unknown = 0;
    if (!options->target_shape[0])
        return cn__fail(CN_EINVAL,
                        "%s: target_shape is empty; give the sizes of one sample, e.g. cn_reshape_layer(28, 28)",
                        cn__layer_label(layer));
    for (int a = 0; a < CN_MAX_NDIM && options->target_shape[a]; a++) {
        unknown += options->target_shape[a] == -1;
        if (options->target_shape[a] < -1 || unknown > 1)
            return cn__fail(CN_EINVAL, "%s: sizes in target_shape must be above 0, and one of them may be -1 for what "
                            "is left over; axis %d is %lld", cn__layer_label(layer), a,
                            (long long)options->target_shape[a]);
    }
    return CN_OK;
}

static int build(cn_layer *layer)
{
    const cn_reshape_options *options = layer->options;
    int64_t known = 1;
    int unknown = -1, ndim = 0;
    for (; ndim < CN_MAX_NDIM && options->target_shape[ndim]; ndim++) {
        layer->output_shape[ndim] = options->target_shape[ndim];
        if (options->target_shape[ndim] == -1) unknown = ndim;
        else if (__builtin_mul_overflow(known, options->target_shape[ndim], &known)) known = -1;
    }
    layer->output_ndim = ndim;
    if (unknown >= 0 && known > 0 && layer->input_size % known == 0) {
        layer->output_shape[unknown] = layer->input_size / known;
        return CN_OK;
    }
    if (unknown < 0 && known == layer->input_size) return CN_OK;
    char text[CN_SHAPE_TEXT_BYTES];
    return cn__fail(CN_ESHAPE, "%s: a sample has %lld numbers, which do not fill target_shape %s: it takes %s%lld",
                    cn__layer_label(layer), (long long)layer->input_size,
                    cn__shape_text(text, ndim, options->target_shape), unknown >= 0 ? "a multiple of " : "",
                    (long long)known);
}

const cn__layer_class cn__layer_reshape = {
    .name = "Reshape",
    .snake = "reshape",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_reshape_options),
    .defaults = &(const cn_reshape_options){.name = NULL},
    .check = check,
    .build = build,
    .hands_on = CN__HANDS_ON,
};

cn_layer *cn_reshape_create(const cn_reshape_options *options)
{
    return cn__layer_create(&cn__layer_reshape, options);
}
#endif
