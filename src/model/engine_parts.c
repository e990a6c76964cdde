/* Compiled once per engine: collects the parts of this engine. */
#include "kernels/dense.h"
#include "kernels/real.h"
#include "layers/engine_activation.h"
#include "model/engine.h"

#define DECLARE(name) extern const cn__layer_math CN_T(cn__layer_##name##_math);
CN__LAYER_LIST(DECLARE)
#undef DECLARE
#define DECLARE(name)                                                                                               \
    extern const cn__update CN_T(cn__optimizer_##name##_update);                                                    \
    extern const cn__idle CN_T(cn__optimizer_##name##_idle);
CN__OPTIMIZER_LIST(DECLARE)
#undef DECLARE
#define DECLARE(name) extern const cn__loss_math CN_T(cn__loss_##name##_math);
CN__LOSS_LIST(DECLARE)
#undef DECLARE
#define DECLARE(name) extern const cn__metric_math CN_T(cn__metric_##name##_math);
CN__METRIC_LIST(DECLARE)
#undef DECLARE
extern const cn__gather_math CN_T(cn__gather);
extern const cn__weight_rules CN_T(cn__weight_rules);
extern const cn__engine CN_T(cn__engine);

#define ENTRY(name) &CN_T(cn__activation_##name##_math),
const cn__activation_math *const cn__activation_maths[CN__ACTIVATION_COUNT] = {CN__ACTIVATION_LIST(ENTRY)};
#undef ENTRY

#if defined(CN_ISA_AVX512)
#define THIS_ISA CN__ISA_AVX512
#elif defined(CN_ISA_AVX2)
#define THIS_ISA CN__ISA_AVX2
#elif defined(CN_ISA_NEON)
#define THIS_ISA CN__ISA_NEON
#else
#define THIS_ISA CN__ISA_C
#endif

#define LAYER(name) &CN_T(cn__layer_##name##_math),
#define UPDATE(name) &CN_T(cn__optimizer_##name##_update),
#define IDLE(name) &CN_T(cn__optimizer_##name##_idle),
#define LOSS(name) &CN_T(cn__loss_##name##_math),
#define METRIC(name) &CN_T(cn__metric_##name##_math),
const cn__engine CN_T(cn__engine) = {
    .isa = THIS_ISA,
    .bits = CN_REAL_BITS,
    .layers = {CN__LAYER_LIST(LAYER)},
    .updates = {CN__OPTIMIZER_LIST(UPDATE)},
    .idles = {CN__OPTIMIZER_LIST(IDLE)},
    .losses = {CN__LOSS_LIST(LOSS)},
    .metrics = {CN__METRIC_LIST(METRIC)},
    .gather = &CN_T(cn__gather),
    .rules = &CN_T(cn__weight_rules),
    .dense_choose = cn__dense_choose_products,
};
