#include "model/engine.h"

extern const cn__engine cn__engine_f64_c, cn__engine_f32_c;
#if defined(__x86_64__)
extern const cn__engine cn__engine_f32_avx2, cn__engine_f32_avx512;
#elif defined(__aarch64__)
extern const cn__engine cn__engine_f32_neon;
#endif

static const cn__engine *const engines[] = {
    &cn__engine_f64_c,
    &cn__engine_f32_c,
#if defined(__x86_64__)
    &cn__engine_f32_avx2,
    &cn__engine_f32_avx512,
#elif defined(__aarch64__)
    &cn__engine_f32_neon,
#endif
};

const cn__engine *cn__engine_find(int bits, cn__isa isa)
{
    const cn__engine *best = NULL;
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (engines[i]->bits == bits && engines[i]->isa <= isa) best = engines[i];
    return best;
}
