#include "layers/data_format.h"
#include "layers/pooling2d_options.h"

/* y = the mean of each window; what lies outside the picture does not count. */
typedef struct share {
    const cn__pass *pass;
    cn__pooling2d pooling;
} share;

static void forward_pictures(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer *layer = s->pass->layer;
    int64_t height = s->pooling.out_height, row_size = s->pooling.out_width * s->pooling.channels;
    (void)thread;
    for (int64_t row = begin * height; row < end * height; row++)
        cn__average_pooling2d_forward(&s->pooling, (const real *)s->pass->x + row / height * layer->input_size,
                                      row % height, (real *)s->pass->y + row * row_size);
    cn__round_output(s->pass, begin, end);
}

static void backward_pictures(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer *layer = s->pass->layer;
    (void)thread;
    for (int64_t b = begin; b < end; b++)
        cn__average_pooling2d_backward(&s->pooling, (const real *)s->pass->dy + b * layer->output_size,
                                       (real *)s->pass->dx + b * layer->input_size);
}

static void forward(const cn__pass *pass)
{
    share s = {pass, cn__pooling2d_describe(pass->layer)};
    cn__each_sample(pass, forward_pictures, &s);
}

static void backward(const cn__pass *pass)
{
    share s = {pass, cn__pooling2d_describe(pass->layer)};
    if (pass->dx) cn__each_sample(pass, backward_pictures, &s);
}

CN__MATH_IN_EITHER_FORMAT(average_pooling2d)

#if CN_ONCE
const cn__layer_class cn__layer_average_pooling2d = {
    .name = "AveragePooling2D",
    .snake = "average_pooling2d",
    .fields = cn__pooling2d_fields,
    .n_fields = CN__POOLING2D_FIELDS,
    .n_required = 1,
    .options_size = sizeof(cn_pooling2d_options),
    .defaults = &(const cn_pooling2d_options){CN_POOLING2D_DEFAULTS},
    .check = cn__pooling2d_check,
    .build = cn__pooling2d_build,
};

cn_layer *cn_average_pooling2d_create(const cn_pooling2d_options *options)
{
    return cn__layer_create(&cn__layer_average_pooling2d, options);
}
#endif
