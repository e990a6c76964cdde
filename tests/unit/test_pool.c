/* Loops of a team of threads: every index once, whatever the number of threads, also of a loop besides another one. */
#define _GNU_SOURCE
#include "base/pool.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

enum { MOST = 1000 };

typedef struct visits {
    atomic_int each[MOST + 1];
    int threads;
    atomic_int wrong;
} visits;

static void visit(void *context, int thread, int64_t begin, int64_t end)
{
    visits *v = context;
    if (thread < 0 || thread >= v->threads || begin >= end) atomic_store(&v->wrong, 1);
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&v->each[i < 0 || i > MOST ? MOST : i], 1);
}

/* 1 if each of the first n indices was visited so often, and no other one. */
static int all_were(visits *v, int64_t n, int times)
{
    int right = !atomic_load(&v->wrong);
    for (int64_t i = 0; i <= MOST; i++) {
        right &= atomic_load(&v->each[i]) == (i < n ? times : 0);
        atomic_store(&v->each[i], 0);
    }
    return right;
}

static const int64_t counts[] = {0, 1, 2, 3, 7, 8, 9, 64, MOST};
enum { COUNTS = sizeof counts / sizeof *counts };

static void check_team(int threads)
{
    static visits next, besides;
    cn__pool *pool = cn__pool_create(threads);
    assert_non_null(pool);
    next.threads = besides.threads = threads;
    for (int i = 0; i < COUNTS; i++) {
        for (int k = 0; k < 50; k++) cn__parallel(pool, counts[i], visit, &next);
        assert_true(all_were(&next, counts[i], 50));
        for (int j = 0; j < COUNTS; j++) {
            for (int k = 0; k < 20; k++) {
                cn__parallel_besides(pool, counts[j], visit, &besides);
                if (counts[i] > 0) assert_true(all_were(&besides, 0, 0)); /* it waits */
                cn__parallel(pool, counts[i], visit, &next);
                cn__parallel_rest(pool);
                assert_true(all_were(&next, counts[i], 1));
                assert_true(all_were(&besides, counts[j], 1));
            }
        }
    }
    cn__pool_destroy(&pool);
}

static void every_index_once(void **state)
{
    (void)state;
    static const int teams[] = {1, 2, 3, 8};
    for (int i = 0; i < 4; i++) check_team(teams[i]);
}

/* Some wait together; of more than that none is lost. */
static void some_wait_together(void **state)
{
    (void)state;
    static visits waiting[CN__POOL_BESIDES + 1], next;
    cn__pool *pool = cn__pool_create(2);
    next.threads = 2;
    for (int i = 0; i < CN__POOL_BESIDES; i++) {
        waiting[i].threads = 2;
        cn__parallel_besides(pool, 5 + i, visit, &waiting[i]);
    }
    for (int i = 0; i < CN__POOL_BESIDES; i++) assert_true(all_were(&waiting[i], 0, 0));
    cn__parallel(pool, 9, visit, &next);
    assert_true(all_were(&next, 9, 1));
    for (int i = 0; i < CN__POOL_BESIDES; i++) assert_true(all_were(&waiting[i], 5 + i, 1));
    for (int i = 0; i <= CN__POOL_BESIDES; i++) {
        waiting[i].threads = 2;
        cn__parallel_besides(pool, 5 + i, visit, &waiting[i]);
    }
    cn__parallel_rest(pool);
    for (int i = 0; i <= CN__POOL_BESIDES; i++) assert_true(all_were(&waiting[i], 5 + i, 1));
    cn__parallel_rest(pool);
    assert_true(all_were(&waiting[0], 0, 0));
    cn__pool_destroy(&pool);
}

typedef struct context {
    visits *visits;
    int number;
} context;

static void visit_if_seven(void *given, int thread, int64_t begin, int64_t end)
{
    const context *c = given;
    if (c->number == 7) visit(c->visits, thread, begin, end);
}

/* The caller's context may be gone by then. */
static void what_waits_has_a_copy(void **state)
{
    (void)state;
    static visits now, later, next;
    cn__pool *pool = cn__pool_create(2);
    now.threads = later.threads = next.threads = 2;
    context c = {&now, 7};
    cn__parallel_soon(pool, 8, visit_if_seven, &c, sizeof c);
    assert_true(all_were(&now, 8, 1));
    cn__parallel_postpone(pool, 1);
    c.visits = &later;
    cn__parallel_soon(pool, 8, visit_if_seven, &c, sizeof c);
    c.number = 0;
    assert_true(all_were(&later, 0, 0));
    cn__parallel_postpone(pool, 0);
    cn__parallel(pool, 3, visit, &next);
    assert_true(all_were(&next, 3, 1));
    assert_true(all_were(&later, 8, 1));
    cn__pool_destroy(&pool);
}

typedef struct masks {
    cpu_set_t wanted;
    atomic_int wrong;
} masks;

static void compare_mask(void *expected, int thread, int64_t begin, int64_t end)
{
    masks *m = expected;
    cpu_set_t own;
    (void)thread;
    (void)begin;
    (void)end;
    if (sched_getaffinity(0, sizeof own, &own) || !CPU_EQUAL(&own, &m->wanted)) atomic_store(&m->wrong, 1);
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL); /* the others get their pieces */
}

/* Threads that were woken on the waker's CPU leave it, but may come back. */
static void threads_keep_their_cpus(void **state)
{
    (void)state;
    masks m = {.wrong = 0};
    assert_int_equal(sched_getaffinity(0, sizeof m.wanted, &m.wanted), 0);
    cn__pool *pool = cn__pool_create(2);
    assert_non_null(pool);
    for (int i = 0; i < 100; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL); /* until they sleep */
        cn__parallel(pool, 8, compare_mask, &m);
    }
    assert_int_equal(atomic_load(&m.wrong), 0);
    cn__pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_index_once), cmocka_unit_test(some_wait_together),
                                       cmocka_unit_test(what_waits_has_a_copy),
                                       cmocka_unit_test(threads_keep_their_cpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
