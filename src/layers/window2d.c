#include "layers/window2d.h"

#include "base/error.h"

#include <string.h>

#define LARGEST ((int64_t)1 << 24) /* of a size in the options; keeps products from overflowing */

int cn__window2d_pair(const cn_layer *layer, const char *option, int64_t pair[CN_MAX_NDIM], int64_t none)
{
    if (!pair[0] && none) pair[0] = pair[1] = none;
    if (pair[0] && !pair[1]) pair[1] = pair[0];
    if (!pair[0])
        return cn__fail(CN_EINVAL, "%s: %s is missing; give one or two sizes, height and width, such as 3x3",
                        cn__layer_label(layer), option);
    if (pair[0] < 1 || pair[1] < 1 || pair[0] > LARGEST || pair[1] > LARGEST || pair[2])
        return cn__fail(CN_EINVAL,
                        "%s: %s is one or two positive sizes, height and width, such as 3x3, got {%lld, %lld%s",
                        cn__layer_label(layer), option, (long long)pair[0], (long long)pair[1],
                        pair[2] ? ", ...}" : "}");
    return CN_OK;
}

int cn__window2d_check_padding(const cn_layer *layer, const char *padding)
{
    if (padding && strcmp(padding, "valid") && strcmp(padding, "same"))
        return cn__fail(CN_EINVAL, "%s: padding is valid or same, got \"%.64s\"", cn__layer_label(layer), padding);
    return CN_OK;
}

int cn__window2d_check_input(const cn_layer *layer)
{
    if (layer->input_ndim != 3)
        return cn__fail(CN_ESHAPE,
                        "%s: takes pictures of three axes %s, got %d %s; an input_shape such as %s gives pictures in "
                        "shades of grey their one channel", cn__layer_label(layer), cn__layer_picture_axes(layer),
                        layer->input_ndim, layer->input_ndim == 1 ? "axis" : "axes",
                        layer->channels_first ? "1x28x28" : "28x28x1");
    return CN_OK;
}

static int is_same(const char *padding)
{
    return padding && !strcmp(padding, "same");
}

int64_t cn__window2d_count(int64_t n, int64_t size, int64_t stride, int64_t dilation, const char *padding)
{
    int64_t reach = dilation * (size - 1) + 1;
    if (is_same(padding)) return (n - 1) / stride + 1;
    return n < reach ? 0 : (n - reach) / stride + 1;
}

int64_t cn__window2d_before(int64_t n, int64_t size, int64_t stride, int64_t dilation, const char *padding)
{
    if (!is_same(padding)) return 0;
    int64_t all = (n - 1) / stride * stride + dilation * (size - 1) + 1 - n;
    return all > 0 ? all / 2 : 0;
}

int cn__window2d_set_output(cn_layer *layer, const int64_t *size, const int64_t *strides, const int64_t *dilation,
                            const char *padding)
{
    for (int axis = 0; axis < 2; axis++) {
        int64_t n = layer->input_shape[axis];
        int64_t count = cn__window2d_count(n, size[axis], strides[axis], dilation[axis], padding);
        if (count < 1)
            return cn__fail(CN_ESHAPE, "%s: a window of %lld does not fit into the %s of %lld; use padding=same, a "
                            "smaller window, or fewer layers that shrink the picture", cn__layer_label(layer),
                            (long long)(dilation[axis] * (size[axis] - 1) + 1), axis ? "width" : "height",
                            (long long)n);
        layer->output_shape[axis] = count;
    }
    layer->output_ndim = 3;
    layer->output_shape[2] = layer->input_shape[2];
    return CN_OK;
}
