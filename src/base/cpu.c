#define _GNU_SOURCE
#include "base/cpu.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/suggest.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[CN__ISA_COUNT] = {"c", "neon", "avx2", "avx512"};

const char *cn__isa_name(cn__isa isa)
{
    return names[isa];
}

static int machine_runs(cn__isa isa)
{
    switch (isa) {
    case CN__ISA_C: return 1;
#if defined(__x86_64__)
    /* The builtins ask CPUID and, for the wide registers, XCR0. */
    case CN__ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    case CN__ISA_AVX512:
        return machine_runs(CN__ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    case CN__ISA_NEON: return 1;
#endif
    default: return 0;
    }
}

/* Engines are named after their levels. */
int cn__isa_usable(cn__isa isa)
{
#define X(engine) #engine " "
    return machine_runs(isa) && strstr(CN_ENGINES, names[isa]);
#undef X
}

cn__isa cn__isa_detected(void)
{
    cn__isa best = CN__ISA_C;
    for (int isa = 0; isa < CN__ISA_COUNT; isa++)
        if (cn__isa_usable((cn__isa)isa)) best = (cn__isa)isa;
    return best;
}

const char *cn__isa_wish(const char **name)
{
    if (*name) return "isa";
    *name = getenv("CORNU_ISA");
    return *name && **name ? "CORNU_ISA" : NULL;
}

int cn__isa_choose(const char *name, cn__isa *isa)
{
    const char *from = cn__isa_wish(&name);
    if (!from) {
        *isa = cn__isa_detected();
        return CN_OK;
    }
    for (int i = 0; i < CN__ISA_COUNT; i++) {
        if (strcmp(names[i], name)) continue;
        if (!cn__isa_usable((cn__isa)i))
            return cn__fail(CN_ENOTSUP, "%s: this %s \"%s\"; its best is \"%s\"", from,
                            machine_runs((cn__isa)i) ? "build was made without" : "machine cannot run", name,
                            names[cn__isa_detected()]);
        *isa = (cn__isa)i;
        return CN_OK;
    }
    return cn__fail_unknown(from, name, names, CN__ISA_COUNT);
}

#if defined(__x86_64__)
static uint64_t enabled_register_state(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

#define REQUEST_STATE_PERMISSION 0x1023 /* ARCH_REQ_XCOMP_PERM of arch_prctl(2) */
#define TILE_DATA 18                    /* bit of XCR0 */

static int has_tiles_for(int feature)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    int has_tile = (int)(d >> 24 & 1), has_feature = (int)(d >> feature & 1);
    if (!has_tile || !has_feature || (enabled_register_state() >> 17 & 3) != 3) return 0;
    return syscall(SYS_arch_prctl, REQUEST_STATE_PERMISSION, TILE_DATA) == 0;
}

int cn__cpu_amx_bf16(void)
{
    return has_tiles_for(22);
}

int cn__cpu_amx_int8(void)
{
    return has_tiles_for(25);
}

int cn__cpu_avx512_bf16(void)
{
    unsigned a, b, c, d;
    if (!cn__isa_usable(CN__ISA_AVX512) || !__get_cpuid_count(7, 1, &a, &b, &c, &d)) return 0;
    return (int)(a >> 5 & 1);
}
#else
int cn__cpu_amx_bf16(void)
{
    return 0;
}

int cn__cpu_amx_int8(void)
{
    return 0;
}

int cn__cpu_avx512_bf16(void)
{
    return 0;
}
#endif

static int read_line(const char *folder, const char *name, char *line, int capacity)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    int found = fgets(line, capacity, file) != NULL;
    fclose(file);
    return found;
}

/* Version 2 keeps "quota period" in cpu.max, version 1 has two files. "max" and -1 stand for no quota. */
static double quota_of(const char *folder)
{
    char line[128];
    double quota = 0, period = 0;
    if (read_line(folder, "cpu.max", line, sizeof line)) {
        if (sscanf(line, "%lf %lf", &quota, &period) != 2) return 0;
    } else if (read_line(folder, "cpu/cpu.cfs_quota_us", line, sizeof line)) {
        if (sscanf(line, "%lf", &quota) != 1) return 0;
        if (!read_line(folder, "cpu/cpu.cfs_period_us", line, sizeof line) || sscanf(line, "%lf", &period) != 1)
            return 0;
    }
    return quota > 0 && quota < 1e15 && period > 0 && period < 1e15 ? quota / period : 0;
}

/* A group is bound by the quotas of those above it, too. */
double cn__cpu_quota(const char *folder, const char *group)
{
    char path[512];
    double least = 0;
    if (snprintf(path, sizeof path, "%s%s", folder, group) >= (int)sizeof path) return quota_of(folder);
    for (size_t root = strlen(folder);;) {
        double quota = quota_of(path);
        if (quota > 0 && (least <= 0 || quota < least)) least = quota;
        char *slash = strrchr(path, '/');
        if (strlen(path) <= root || !slash || slash < path + root) return least;
        *slash = '\0';
    }
}

/* This process's group of version 2, as /proc/self/cgroup has it: "0::/user.slice/job.scope"; "" if there is none. */
static void read_group(char *group, int capacity)
{
    char line[512];
    group[0] = '\0';
    FILE *file = fopen("/proc/self/cgroup", "r");
    if (!file) return;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "0::/", 4) == 0)
            snprintf(group, (size_t)capacity, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
    fclose(file);
}

/* CPUs that the quota of this process pays for. Files have to be read for it, which takes longer than a small product,
 * so it is asked once a second at most. */
static double quota_lately(void)
{
    static _Atomic(double) asked_at, paid;
    const double now = cn__clock(), before = atomic_load(&asked_at);
    if (before > 0 && now >= before && now < before + 1) return atomic_load(&paid);
    char group[512];
    read_group(group, sizeof group);
    const double quota = cn__cpu_quota("/sys/fs/cgroup", group);
    atomic_store(&paid, quota);
    atomic_store(&asked_at, now);
    return quota;
}

int cn__cpu_threads(void)
{
    cpu_set_t mask;
    int threads = 1;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
        threads = CPU_COUNT(&mask);
    } else {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        if (online > 0 && online < 1 << 20) threads = (int)online;
    }
    const double paid = quota_lately();
    if (paid > 0 && paid < threads) threads = (int)paid + (paid > (int)paid);
    return threads < 1 ? 1 : threads;
}

void cn__cpu_name(char *name, int capacity)
{
    name[0] = '\0';
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file) return;
    char line[256];
    while (fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (!colon || (strncmp(line, "model name", 10) && strncmp(line, "CPU part", 8))) continue;
        colon += strspn(colon, ": \t");
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(name, (size_t)capacity, "%s", colon);
        break;
    }
    fclose(file);
}

void cn__cpu_caches(int64_t sizes[3])
{
    static const int queries[3] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
    for (int i = 0; i < 3; i++) {
        long bytes = sysconf(queries[i]);
        sizes[i] = bytes > 0 ? bytes : 0;
    }
}
