#include "base/clock.h"
#include "base/cpu.h"
#include "base/memory.h"
#include "kernels/block_sizes.h"
#include "model/engine.h"

#include <cornu/system.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define VERSION TEXT(CN_VERSION_MAJOR) "." TEXT(CN_VERSION_MINOR) "." TEXT(CN_VERSION_PATCH)

#if defined(__clang__)
#define COMPILER "clang " TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT(__clang_patchlevel__)
#elif defined(__GNUC__)
#define COMPILER "gcc " TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(__GNUC_PATCHLEVEL__)
#else
#define COMPILER "unknown compiler"
#endif

void cn_system_get(cn_system *system)
{
    int64_t caches[3];
    cn__isa chosen;
    cn__cpu_caches(caches);
    const int has_isa = cn__isa_choose(NULL, &chosen) >= 0;
    const cn__block_sizes block =
        has_isa && chosen == CN__ISA_AVX2 ? cn__block_sizes_down(caches) : cn__block_sizes_for(caches);
    *system = (cn_system){
        .version = VERSION,
        .compiler = COMPILER,
        .isa_detected = cn__isa_name(cn__isa_detected()),
        .isa_chosen = has_isa ? cn__isa_name(chosen) : "none: see CORNU_ISA",
        .has_amx_bf16 = cn__cpu_amx_bf16(),
        .has_avx512_bf16 = cn__cpu_avx512_bf16(),
        .threads = cn__cpu_threads(),
        .cache_l1 = caches[0],
        .cache_l2 = caches[1],
        .cache_l3 = caches[2],
        .block_rows = block.rows,
        .block_terms = block.terms,
        .block_columns = block.columns,
    };
    cn__cpu_name(system->cpu, sizeof system->cpu);
}

const char *cn_system_isa(int i, int *usable)
{
    int found = 0;
    for (int isa = 0; isa < CN__ISA_COUNT; isa++) {
        const cn__engine *engine = cn__engine_find(32, (cn__isa)isa);
        if (!engine || engine->isa != (cn__isa)isa || found++ != i) continue;
        if (usable) *usable = cn__isa_usable((cn__isa)isa);
        return cn__isa_name((cn__isa)isa);
    }
    return NULL;
}

double cn_clock(void)
{
    return cn__clock();
}

int64_t cn_peak_rss_bytes(void)
{
    return cn__memory_peak_bytes();
}
