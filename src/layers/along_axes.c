#include "base/error.h"
#include "layers/layer.h"
#include "tensor/tensor.h"

#include <stdio.h>

static int bad_axes(const cn_layer *layer, const char *name, int n, const int64_t *axes, int ndim)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (n == 1)
        return cn__fail(CN_ESHAPE, "%s: %saxis must lie in 1 ... %d or -%d ... -1 for samples of %d axes, got %lld",
                        cn__layer_label(layer), name, ndim, ndim, ndim, (long long)axes[0]);
    return cn__fail(CN_ESHAPE, "%s: %seach axis must lie in 1 ... %d or -%d ... -1 for samples of %d axes, and be "
                    "given once; got %s", cn__layer_label(layer), name, ndim, ndim, ndim,
                    cn__shape_text(text, n, axes));
}

int cn__layer_set_along(cn_layer *layer, const char *name, int n, const int64_t *axes, int ndim, const int64_t *shape)
{
    int is_along[CN_MAX_NDIM] = {0};
    int64_t columns = 1;
    for (int i = 0; i < n; i++) {
        int64_t axis = axes[i] < 0 ? axes[i] + ndim : axes[i] - 1;
        if (axis < 0 || axis >= ndim || axes[i] == 0) return bad_axes(layer, name, n, axes, ndim);
        if (layer->channels_first) axis = (axis + ndim - 1) % ndim; /* the class sees channels_last */
        if (is_along[axis]++) return bad_axes(layer, name, n, axes, ndim);
        columns *= shape[axis];
    }
    const cn__activation_class *class_ = cn__activation_classes[layer->activation];
    if (class_->by_row && columns == 1)
        return cn__fail(CN_EINVAL, "%s: %s over one unit is always the same; use sigmoid, or one unit per class",
                        cn__layer_label(layer), class_->name);
    layer->n_along = 0;
    if (n == 1 && is_along[ndim - 1]) return CN_OK;
    int64_t size = 1;
    for (int a = 0; a < ndim; a++) {
        if (is_along[a]) layer->along[layer->n_along++] = a;
        size *= shape[a];
    }
    if (layer->thread_size < 4 * size) layer->thread_size = 4 * size;
    return CN_OK;
}

int cn__layer_set_activation_axis(cn_layer *layer, int ndim, const int64_t *shape)
{
    const cn__activation_class *class_ = cn__activation_classes[layer->activation];
    char name[64];
    int64_t axis = layer->activation_options.axis;
    layer->n_along = 0;
    if (!class_->by_row && !class_->halves) return CN_OK;
    snprintf(name, sizeof name, "%s: ", class_->name);
    return cn__layer_set_along(layer, name, 1, &axis, ndim, shape);
}
