#include "layers/pooling2d_options.h"

#include "base/error.h"
#include "layers/window2d.h"

const cn__field cn__pooling2d_fields[CN__POOLING2D_FIELDS] = {
    {"pool_size", CN__FIELD_SHAPE, offsetof(cn_pooling2d_options, pool_size)},
    {"strides", CN__FIELD_SHAPE, offsetof(cn_pooling2d_options, strides)},
    {"padding", CN__FIELD_TEXT, offsetof(cn_pooling2d_options, padding)},
    {"data_format", CN__FIELD_TEXT, offsetof(cn_pooling2d_options, data_format)},
    CN__LAYER_FIELDS(cn_pooling2d_options),
};

const cn__field cn__global_pooling2d_fields[CN__GLOBAL_POOLING2D_FIELDS] = {
    {"data_format", CN__FIELD_TEXT, offsetof(cn_global_pooling2d_options, data_format)},
    {"keepdims", CN__FIELD_INT, offsetof(cn_global_pooling2d_options, keepdims)},
    CN__LAYER_FIELDS(cn_global_pooling2d_options),
};

static const int64_t no_dilation[2] = {1, 1};

int cn__pooling2d_check(cn_layer *layer)
{
    cn_pooling2d_options *o = layer->options;
    /* Keras 3 has a default for the largest number only */
    CN_TRY(cn__window2d_pair(layer, "pool_size", o->pool_size, layer->class_ == &cn__layer_max_pooling2d ? 2 : 0));
    if (!o->strides[0]) {
        o->strides[0] = o->pool_size[0];
        o->strides[1] = o->pool_size[1];
    }
    CN_TRY(cn__window2d_pair(layer, "strides", o->strides, 0));
    return cn__window2d_check_padding(layer, o->padding);
}

int cn__pooling2d_build(cn_layer *layer)
{
    const cn_pooling2d_options *o = layer->options;
    CN_TRY(cn__window2d_check_input(layer));
    return cn__window2d_set_output(layer, o->pool_size, o->strides, no_dilation, o->padding);
}

cn__pooling2d cn__pooling2d_describe(const cn_layer *layer)
{
    const cn_pooling2d_options *o = layer->options;
    cn__pooling2d c = {.height = layer->input_shape[0], .width = layer->input_shape[1],
                       .channels = layer->input_shape[2], .out_height = layer->output_shape[0],
                       .out_width = layer->output_shape[1]};
    for (int axis = 0; axis < 2; axis++) {
        c.size[axis] = o->pool_size[axis];
        c.stride[axis] = o->strides[axis];
        c.before[axis] = cn__window2d_before(layer->input_shape[axis], c.size[axis], c.stride[axis], 1, o->padding);
    }
    return c;
}

int cn__global_pooling2d_build(cn_layer *layer)
{
    const cn_global_pooling2d_options *o = layer->options;
    CN_TRY(cn__window2d_check_input(layer));
    layer->output_ndim = o->keepdims ? 3 : 1;
    layer->output_shape[0] = layer->output_shape[1] = 1;
    layer->output_shape[o->keepdims ? 2 : 0] = layer->input_shape[2];
    return CN_OK;
}

int cn__conv2d_pools(const cn_layer *layer, const cn_layer *behind)
{
    if (layer->class_ != &cn__layer_conv2d || behind->class_ != &cn__layer_max_pooling2d) return 0;
    const cn_pooling2d_options *o = behind->options;
    return o->strides[0] >= o->pool_size[0] && o->strides[1] >= o->pool_size[1] &&
           !layer->channels_first && !behind->channels_first && !cn__activation_classes[layer->activation]->by_row &&
           !cn__activation_needs_input(layer->activation, &layer->activation_options) &&
           !cn__layer_has_penalty(layer) && !cn__layer_has_penalty(behind);
}
