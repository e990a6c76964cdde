/* The engines: everything that computes, for one type of number and one instruction set (cmake/engines.cmake). */
#ifndef CN_MODEL_ENGINE_H
#define CN_MODEL_ENGINE_H

#include "base/cpu.h"
#include "kernels/dense_choice.h"
#include "kernels/gather.h"
#include "kernels/weight_rules.h"
#include "layers/layer.h"
#include "train/metric.h"
#include "train/optimizer.h"

#include <stddef.h>

typedef struct cn__engine {
    cn__isa isa;
    int bits; /* of a `real`: 32 or 64 */
    const cn__layer_math *layers[CN__LAYER_COUNT];
    const cn__update *updates[CN__OPTIMIZER_COUNT];
    const cn__idle *idles[CN__OPTIMIZER_COUNT];
    const cn__loss_math *losses[CN__LOSS_COUNT];
    const cn__metric_math *metrics[CN__METRIC_COUNT];
    const cn__gather_math *gather;
    const cn__weight_rules *rules;
    cn__dense_choose dense_choose;
} cn__engine;

/* The engine for numbers of that size on that level; when there is none (float64 has only "c"), the best below it. */
const cn__engine *cn__engine_find(int bits, cn__isa isa);

/* Sets n numbers of the engine. */
static inline void cn__fill_reals(const cn__engine *engine, void *numbers, int64_t n, double value)
{
    for (int64_t i = 0; i < n; i++) {
        if (engine->bits == 64) ((double *)numbers)[i] = value;
        else ((float *)numbers)[i] = (float)value;
    }
}

/* Bytes of a `real`. */
static inline size_t cn__engine_bytes(const cn__engine *engine)
{
    return (size_t)engine->bits / 8;
}

#endif
