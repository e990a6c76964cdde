/* What this build and this machine have. */
#ifndef CORNU_SYSTEM_H
#define CORNU_SYSTEM_H

#include <cornu/export.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CN_VERSION_MAJOR 0
#define CN_VERSION_MINOR 1
#define CN_VERSION_PATCH 0

typedef struct cn_system {
    const char *version;        /* "0.1.0" */
    const char *compiler;       /* "gcc 12.2.0" */
    const char *isa_detected;   /* best level of this CPU that this build has: "c", "avx2", "avx512", "neon" */
    const char *isa_chosen;     /* after CORNU_ISA */
    int has_amx_bf16;           /* CPU has it and the operating system permits it */
    int has_avx512_bf16;
    int threads;                /* what the affinity mask and the cgroup quota allow */
    char cpu[128];              /* model name */
    int64_t cache_l1, cache_l2, cache_l3; /* bytes of data cache, 0 unknown */
    /* Dense products copy their left factor in blocks of block_rows x block_terms numbers and their right one in blocks
     * of block_terms x block_columns, chosen from isa_chosen, cache_l1 and cache_l2. No result depends on them. */
    int64_t block_rows, block_terms, block_columns;
} cn_system;

/* Fills *system. Strings are static. */
CN_API void cn_system_get(cn_system *system);

/* The i-th optional feature ("png", "json", "download"), NULL past the end; *built is 1 if this build has it and
 * *library names the library and its version. */
CN_API const char *cn_system_feature(int i, int *built, const char **library);

/* The i-th level of kernels that this build has ("c", "avx2", ...), weakest first; NULL past the end. *usable is 1 if
 * this machine can run it. */
CN_API const char *cn_system_isa(int i, int *usable);

/* Seconds on a clock that never jumps, and the largest memory this process has had, in bytes. */
CN_API double cn_clock(void);
CN_API int64_t cn_peak_rss_bytes(void);

#ifdef __cplusplus
}
#endif
#endif
