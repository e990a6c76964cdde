/* Which kernels and how many threads: what is asked for, what the machine has, what the system allows. */
#define _GNU_SOURCE
#include "base/cpu.h"

#include <cornu/error.h>
#include <cornu/model.h>
#include <cornu/system.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"

static int without_a_wish(void **state)
{
    (void)state;
    return unsetenv("CORNU_ISA");
}

static void the_best_is_the_default(void **state)
{
    (void)state;
    cn__isa isa;
    const char *name = NULL;
    assert_null(cn__isa_wish(&name));
    assert_int_equal(cn__isa_choose(NULL, &isa), CN_OK);
    assert_int_equal(isa, cn__isa_detected());
    assert_true(cn__isa_usable(isa));
    assert_true(cn__isa_usable(CN__ISA_C));
}

static void a_lower_level_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < CN__ISA_COUNT; i++) {
        cn__isa isa = CN__ISA_COUNT;
        if (!cn__isa_usable((cn__isa)i)) continue;
        assert_int_equal(cn__isa_choose(cn__isa_name((cn__isa)i), &isa), CN_OK);
        assert_int_equal(isa, i);
        assert_int_equal(setenv("CORNU_ISA", cn__isa_name((cn__isa)i), 1), 0);
        assert_int_equal(cn__isa_choose(NULL, &isa), CN_OK);
        assert_int_equal(isa, i);
    }
}

static void the_option_goes_before_the_environment(void **state)
{
    (void)state;
    cn__isa isa;
    const char *name = "c";
    assert_int_equal(setenv("CORNU_ISA", "nonsense", 1), 0);
    assert_string_equal(cn__isa_wish(&name), "isa");
    assert_int_equal(cn__isa_choose("c", &isa), CN_OK);
    name = NULL;
    assert_string_equal(cn__isa_wish(&name), "CORNU_ISA");
    assert_string_equal(name, "nonsense");
    assert_int_equal(cn__isa_choose(NULL, &isa), CN_ENAME);
    assert_non_null(strstr(cn_error_message(), "CORNU_ISA"));
    assert_int_equal(setenv("CORNU_ISA", "", 1), 0);
    assert_int_equal(cn__isa_choose(NULL, &isa), CN_OK);
    assert_int_equal(isa, cn__isa_detected());
}

static void an_unknown_level_is_refused(void **state)
{
    (void)state;
    cn__isa isa;
    assert_int_equal(cn__isa_choose("avx3", &isa), CN_ENAME);
    assert_non_null(strstr(cn_error_message(), "\"avx2\""));
    assert_null(cn_sequential(.isa = "avx51"));
    assert_non_null(strstr(cn_error_message(), "\"avx512\""));
    assert_int_equal(cn__isa_choose("", &isa), CN_ENAME);
}

static void what_the_machine_lacks_is_refused(void **state)
{
    (void)state;
    int refused = 0;
    for (int i = 0; i < CN__ISA_COUNT; i++) {
        cn__isa isa;
        if (cn__isa_usable((cn__isa)i)) continue;
        assert_int_equal(cn__isa_choose(cn__isa_name((cn__isa)i), &isa), CN_ENOTSUP);
        assert_non_null(strstr(cn_error_message(), cn__isa_name(cn__isa_detected())));
        refused++;
    }
    assert_true(refused > 0); /* no machine has NEON and AVX */
}

static void levels_of_this_build(void **state)
{
    (void)state;
    int usable = 0, n = 0;
    assert_string_equal(cn_system_isa(0, &usable), "c");
    assert_true(usable);
    while (cn_system_isa(n, NULL)) n++;
    assert_true(n >= 1 && n <= CN__ISA_COUNT);
    assert_null(cn_system_isa(-1, NULL));
}

static double quota_of(const char *name, const char *contents)
{
    scratch_write(name, contents, strlen(contents));
    return cn__cpu_quota(scratch_folder, "");
}

static void near(double got, double wanted)
{
    assert_true(got >= wanted - 1e-9 && got <= wanted + 1e-9);
}

static void quotas(void **state)
{
    (void)state;
    near(cn__cpu_quota(scratch_folder, ""), 0);
    scratch_make("cpu");
    near(quota_of("cpu/cpu.cfs_quota_us", "150000\n"), 0); /* the period is missing */
    near(quota_of("cpu/cpu.cfs_period_us", "100000\n"), 1.5);
    near(quota_of("cpu/cpu.cfs_quota_us", "-1\n"), 0);
    near(quota_of("cpu.max", "200000 100000\n"), 2); /* goes before version 1 */
    static const struct {
        const char *line;
        double cpus;
    } lines[] = {
        {"max 100000\n", 0},    {"50000 100000\n", 0.5}, {"100000\n", 0},     {"", 0},
        {"garbage\n", 0},       {"nan 100000\n", 0},     {"inf 100000\n", 0}, {"100000 0\n", 0},
        {"100000 -100000", 0},  {"-1 100000\n", 0},      {"0 100000\n", 0},   {"100000 nan\n", 0},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        near(quota_of("cpu.max", lines[i].line), lines[i].cpus);
}

static void groups_above_count_too(void **state)
{
    (void)state;
    scratch_make("a.slice");
    scratch_make("a.slice/b.scope");
    near(cn__cpu_quota(scratch_folder, "/a.slice/b.scope"), 0);
    scratch_write("a.slice/b.scope/cpu.max", "max 100000\n", 11);
    scratch_write("a.slice/cpu.max", "150000 100000\n", 14);
    near(cn__cpu_quota(scratch_folder, "/a.slice/b.scope"), 1.5);
    near(cn__cpu_quota(scratch_folder, "/a.slice/not_there"), 1.5);
    near(cn__cpu_quota(scratch_folder, ""), 0);
    scratch_write("a.slice/b.scope/cpu.max", "50000 100000\n", 13);
    near(cn__cpu_quota(scratch_folder, "/a.slice/b.scope"), 0.5);
    near(cn__cpu_quota(scratch_folder, "/a.slice"), 1.5);
    near(cn__cpu_quota(scratch_folder, "/"), 0);
}

static void the_affinity_mask_counts(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    int threads = cn__cpu_threads();
    assert_in_range(threads, 1, CPU_COUNT(&before));
    CPU_ZERO(&one);
    for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(setenv("CORNU_THREADS_BEYOND_CPUS", "1", 1), 0);
    cn_model *model = cn_sequential(.threads = 0), *more = cn_sequential(.threads = 3);
    assert_int_equal(unsetenv("CORNU_THREADS_BEYOND_CPUS"), 0);
    cn_model *as_allowed = cn_sequential(.threads = 3);
    cn_system machine;
    cn_system_get(&machine);
    int alone = cn__cpu_threads();
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(alone, 1);
    assert_int_equal(machine.threads, 1);
    assert_int_equal(cn_model_threads(model), 1);
    assert_int_equal(cn_model_threads(more), 3);
    assert_int_equal(cn_model_threads(as_allowed), 1);
    assert_int_equal(cn__cpu_threads(), threads);
    cn_model_destroy(&model);
    cn_model_destroy(&more);
    cn_model_destroy(&as_allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_best_is_the_default, without_a_wish),
        cmocka_unit_test_setup(a_lower_level_is_taken, without_a_wish),
        cmocka_unit_test_setup(the_option_goes_before_the_environment, without_a_wish),
        cmocka_unit_test_setup(an_unknown_level_is_refused, without_a_wish),
        cmocka_unit_test_setup(what_the_machine_lacks_is_refused, without_a_wish),
        cmocka_unit_test_setup(levels_of_this_build, without_a_wish),
        cmocka_unit_test_setup_teardown(quotas, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(groups_above_count_too, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup(the_affinity_mask_counts, without_a_wish),
    };
    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
