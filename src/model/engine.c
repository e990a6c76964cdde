#include "model/engine.h"

#define X(engine) extern const cn__engine cn__engine_##engine;
CN_ENGINES
#undef X

#define X(engine) &cn__engine_##engine,
static const cn__engine *const engines[] = {CN_ENGINES};
#undef X

const cn__engine *cn__engine_find(int bits, cn__isa isa)
{
    const cn__engine *best = NULL;
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (engines[i]->bits == bits && engines[i]->isa <= isa) best = engines[i];
    return best;
}
