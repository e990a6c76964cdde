#include "layers/data_format.h"
#include "layers/pooling2d_options.h"

/* y = the largest number of each window. The forward pass keeps where it was. */
typedef struct share {
    const cn__pass *pass;
    cn__pooling2d pooling;
    int64_t place_bytes;
} share;

static void forward_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t height = s->pooling.out_height, row_size = s->pooling.out_width * s->pooling.channels;
    (void)thread;
    for (int64_t row = begin; row < end; row++)
        cn__max_pooling2d_forward(&s->pooling, (const real *)s->pass->x + row / height * s->pass->layer->input_size,
                                  row % height, (real *)s->pass->y + row * row_size,
                                  (char *)s->pass->workspace + row * row_size * s->place_bytes);
}

static void backward_pictures(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer *layer = s->pass->layer;
    (void)thread;
    for (int64_t b = begin; b < end; b++)
        cn__max_pooling2d_backward(&s->pooling, (const real *)s->pass->dy + b * layer->output_size,
                                   (const char *)s->pass->workspace + b * layer->output_size * s->place_bytes,
                                   (real *)s->pass->dx + b * layer->input_size);
}

static share open_share(const cn__pass *pass)
{
    cn__pooling2d pooling = cn__pooling2d_describe(pass->layer);
    return (share){pass, pooling, cn__pooling2d_place_bytes(&pooling)};
}

static void forward(const cn__pass *pass)
{
    share s = open_share(pass);
    cn__parallel(pass->pool, pass->batch * s.pooling.out_height, forward_rows, &s);
}

static void backward(const cn__pass *pass)
{
    share s = open_share(pass);
    if (pass->dx) cn__each_sample(pass, backward_pictures, &s);
}

CN__MATH_IN_EITHER_FORMAT(max_pooling2d)

#if CN_ONCE
#include "base/error.h"

static int build(cn_layer *layer)
{
    CN_TRY(cn__pooling2d_build(layer));
    cn__pooling2d pooling = cn__pooling2d_describe(layer);
    int64_t places = layer->output_shape[0] * layer->output_shape[1] * layer->output_shape[2];
    layer->workspace_size = (places * cn__pooling2d_place_bytes(&pooling) + 3) / 4; /* numbers of at least four bytes */
    return CN_OK;
}

const cn__layer_class cn__layer_max_pooling2d = {
    .name = "MaxPooling2D",
    .snake = "max_pooling2d",
    .fields = cn__pooling2d_fields,
    .n_fields = CN__POOLING2D_FIELDS,
    .options_size = sizeof(cn_pooling2d_options),
    .defaults = &(const cn_pooling2d_options){CN_POOLING2D_DEFAULTS, .pool_size = {2, 2}},
    .check = cn__pooling2d_check,
    .build = build,
};

cn_layer *cn_max_pooling2d_create(const cn_pooling2d_options *options)
{
    return cn__layer_create(&cn__layer_max_pooling2d, options);
}
#endif
