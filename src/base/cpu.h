/* What this CPU and operating system can do, and how many of its threads we may use. */
#ifndef CN_BASE_CPU_H
#define CN_BASE_CPU_H

#include <stdint.h>

/* Levels in ascending order; a level includes those before it on the same kind of CPU. */
typedef enum cn__isa { CN__ISA_C, CN__ISA_NEON, CN__ISA_AVX2, CN__ISA_AVX512, CN__ISA_COUNT } cn__isa;

/* "c", "neon", "avx2", "avx512". */
const char *cn__isa_name(cn__isa isa);

/* 1 if this machine runs that level, as CPUID says and the operating system, which must save the registers (XCR0), and
 * if this build has it (cmake/engines.cmake). */
int cn__isa_usable(cn__isa isa);

/* Best usable level. */
cn__isa cn__isa_detected(void);

/* The level to use: `name`, or $CORNU_ISA when name is NULL, or the detected one. Errors: CN_ENAME (unknown),
 * CN_ENOTSUP (not on this machine, or not in this build). */
int cn__isa_choose(const char *name, cn__isa *isa);

/* Who asks for a level other than the best: "isa" when *name is given, "CORNU_ISA" when the environment does (*name
 * then points there), NULL when nobody does. */
const char *cn__isa_wish(const char **name);

/* 1 if the CPU has AMX tiles for bf16, or for bytes, and the kernel has given this process permission to use them. */
int cn__cpu_amx_bf16(void);
int cn__cpu_amx_int8(void);
int cn__cpu_avx512_bf16(void);

/* CPUs that the quotas of a cgroup and of those above it pay for, 0 when there is none or it cannot be read. `folder`
 * is where the cgroups are mounted, `group` a path in it such as "/user.slice/job.scope", or "". */
double cn__cpu_quota(const char *folder, const char *group);

/* Threads allowed by the affinity mask and the cgroup's CPU quota (rounded up; a change is seen after a second), at
 * least 1. A nice value changes nothing: the scheduler gives such threads the time that others leave, and the team
 * sleeps rather than spins when it gets none. */
int cn__cpu_threads(void);

/* The CPU's name from the operating system, "" if unknown. */
void cn__cpu_name(char *name, int capacity);

/* Bytes of level-1 data, level-2 and level-3 cache, 0 where unknown. */
void cn__cpu_caches(int64_t sizes[3]);

#endif
