/* What the numbers of several layers have in common: a loop over samples, sums over them, rounding for mixed_bfloat16,
 * and random numbers.
 *
 * In mixed_bfloat16 what reaches a layer is rounded already, and a layer rounds what it hands on unless it is the last
 * one. In between, and for all gradients, numbers stay float32.
 *
 * A layer's random numbers belong to a purpose (base/random.h), and within it to the layer's seed or else the model's,
 * the number of the layer in the model, the number of the training step and the number of the element in the batch. So
 * they do not depend on threads, and a training that goes on from a file goes on with the numbers it would have had. */
#ifndef CN_LAYERS_LAYER_PARTS_H
#define CN_LAYERS_LAYER_PARTS_H

#include "base/random.h"
#include "kernels/philox.h"
#include "kernels/real.h"
#include "kernels/sink_row.h"
#include "layers/layer.h"

/* Calls body(context, thread, begin, end) for all samples of the batch. A batch of one has nothing to share. */
static inline void cn__each_sample(const cn__pass *pass, cn__loop_body body, const void *context)
{
    if (pass->batch == 1) body((void *)context, 0, 0, 1);
    else cn__parallel(pass->pool, pass->batch, body, (void *)context);
}

/* Samples begin ... end-1 of y, when it is finished. */
static inline void cn__round_output(const cn__pass *pass, int64_t begin, int64_t end)
{
    int64_t size = pass->layer->output_size;
    real *y = pass->y;
    if (!pass->bf16 || pass->is_last) return;
    for (int64_t i = begin * size; i < end * size; i++) y[i] = (real)cn__bf16_round((float)y[i]);
}

/* Sums over the samples of a batch, in ascending order. Each sample has n numbers, `stride` after those of the one
 * before; the sums take the place of the first sample's. */
typedef struct cn__sample_sums {
    int64_t batch, stride;
    real *numbers;
} cn__sample_sums;

static inline void cn__add_sample_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__sample_sums *s = context;
    (void)thread;
    for (int64_t b = 1; b < s->batch; b++)
        for (int64_t i = begin; i < end; i++) s->numbers[i] += s->numbers[b * s->stride + i];
}

static inline void cn__add_samples(const cn__pass *pass, int64_t n, int64_t stride, real *numbers)
{
    cn__parallel(pass->pool, n, cn__add_sample_columns, &(cn__sample_sums){pass->batch, stride, numbers});
}

/* Hands a whole gradient, without gaps, to the sink of weight k. */
static inline void cn__sink_weight(const cn__pass *pass, int k, const real *gradient)
{
    const cn__weight *w = &pass->layer->weights[k];
    for (int64_t r = 0; r < w->rows; r++) cn__sink_row(&pass->sinks[k], r, 0, w->columns, gradient + r * w->columns);
}

/* Where a layer's random numbers are; `seed` is the layer's option, negative: the model's. */
typedef struct cn__layer_stream {
    uint64_t seed;
    uint32_t purpose, step;
} cn__layer_stream;

static inline cn__layer_stream cn__layer_stream_of(const cn__pass *pass, cn__purpose purpose, int64_t seed)
{
    return (cn__layer_stream){.seed = seed < 0 ? pass->seed : (uint64_t)seed,
                              .purpose = cn__purpose_of_layer(purpose, pass->number), .step = pass->step};
}

#endif
