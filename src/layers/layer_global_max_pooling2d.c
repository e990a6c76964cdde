#include "layers/data_format.h"
#include "layers/pooling2d_options.h"

#include <string.h>

/* y[c] = the largest x[.,.,c], NaN if there is one; places that share the largest number share its gradient evenly. */
static int64_t places(const cn_layer *layer)
{
    return layer->input_shape[0] * layer->input_shape[1];
}

static void forward_pictures(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__pass *pass = *(const cn__pass *const *)context;
    int64_t channels = pass->layer->output_size, n = places(pass->layer);
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = (const real *)pass->x + b * n * channels;
        real *y = (real *)pass->y + b * channels;
        memcpy(y, x, (size_t)channels * sizeof *y);
        for (int64_t i = 1; i < n; i++)
            for (int64_t c = 0; c < channels; c++) {
                real at = x[i * channels + c];
                y[c] = ((y[c] == y[c]) & !(at <= y[c])) ? at : y[c];
            }
    }
}

static void backward_pictures(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__pass *pass = *(const cn__pass *const *)context;
    int64_t channels = pass->layer->output_size, n = places(pass->layer);
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = (const real *)pass->x + b * n * channels, *y = (const real *)pass->y + b * channels;
        const real *dy = (const real *)pass->dy + b * channels;
        real *dx = (real *)pass->dx + b * n * channels;
        for (int64_t c = 0; c < channels; c++) {
            int64_t equal = 0;
            for (int64_t i = 0; i < n; i++) equal += x[i * channels + c] == y[c];
            real part = equal ? dy[c] / (real)equal : y[c]; /* NaN equals nothing */
            for (int64_t i = 0; i < n; i++) dx[i * channels + c] = x[i * channels + c] == y[c] || !equal ? part : 0;
        }
    }
}

static void forward(const cn__pass *pass)
{
    cn__each_sample(pass, forward_pictures, &pass);
}

static void backward(const cn__pass *pass)
{
    if (pass->dx) cn__each_sample(pass, backward_pictures, &pass);
}

CN__MATH_IN_EITHER_FORMAT(global_max_pooling2d)

#if CN_ONCE
const cn__layer_class cn__layer_global_max_pooling2d = {
    .name = "GlobalMaxPooling2D",
    .snake = "global_max_pooling2d",
    .fields = cn__global_pooling2d_fields,
    .n_fields = CN__GLOBAL_POOLING2D_FIELDS,
    .options_size = sizeof(cn_global_pooling2d_options),
    .defaults = &(const cn_global_pooling2d_options){CN_GLOBAL_POOLING2D_DEFAULTS},
    .build = cn__global_pooling2d_build,
};

cn_layer *cn_global_max_pooling2d_create(const cn_global_pooling2d_options *options)
{
    return cn__layer_create(&cn__layer_global_max_pooling2d, options);
}
#endif
