/* The engines that this machine can run, and numbers to feed them with. */
#ifndef CN_TEST_ENGINES_H
#define CN_TEST_ENGINES_H

#include "base/error.h"
#include "base/random.h"
#include "model/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Float32 engines, weakest first; the float64 engine is cn__engine_find(64, CN__ISA_C). CORNU_ONLY_ISA leaves one of
 * them, for machines that are emulated (tests/avx512/run.sh). */
static inline int engines_usable(const cn__engine *engines[CN__ISA_COUNT])
{
    const char *only = getenv("CORNU_ONLY_ISA");
    int n = 0;
    for (int isa = 0; isa < CN__ISA_COUNT; isa++) {
        const cn__engine *engine = cn__engine_find(32, (cn__isa)isa);
        if (only && *only && strcmp(only, cn__isa_name((cn__isa)isa)) != 0) continue;
        if (cn__isa_usable((cn__isa)isa) && engine && engine->isa == (cn__isa)isa) engines[n++] = engine;
    }
    return n;
}

/* 1 when a sanitizer makes everything slow and long tests should be short (.ci/run sets CORNU_QUICK). */
static inline int engines_quick(void)
{
    const char *quick = getenv("CORNU_QUICK");
    return quick && *quick && strcmp(quick, "0") != 0;
}

/* n numbers in -1 ... 1 from a stream of its own. */
static inline void engines_fill(float *out, int64_t n, uint32_t stream)
{
    cn__random random;
    cn__random_begin(&random, 20260101, CN__FOR_USER, stream);
    for (int64_t i = 0; i < n; i++) out[i] = (float)(2 * cn__random_uniform(&random) - 1);
}

/* Equal bits, NaNs included. */
static inline int engines_same(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

#endif
