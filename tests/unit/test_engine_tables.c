/* Everything in the tables of the engines (tests/kernels/kernel_list.h) on each instruction set against plain C on one
 * thread: equal bits at odd sizes and for any number of threads, between guard pages, for plain numbers, extreme ones,
 * NaN and infinities. Nobody may change what it is given. First of all, wrong kernels must each be noticed. */
#define _GNU_SOURCE
#include "engines.h"
#include "guarded.h"
#include "../kernels/kernel_list.h"

#include <float.h>
#include <stdio.h>

typedef enum numbers { PLAIN, EXTREME, STRANGE } numbers;

static cn__pool *pools[4]; /* by number of threads */

static float number_of(numbers kind, float plain, int64_t i)
{
    static const float extreme[] = {0, -0.0f, FLT_MIN / 8, -FLT_MIN, FLT_MAX, -FLT_MAX / 3, 1e-20f, -88, 89, 1, -1};
    static const float strange[] = {NAN, INFINITY, -INFINITY};
    if (kind == EXTREME && i % 3 == 0) return extreme[i / 3 % 11];
    if (kind == STRANGE && i % 7 == 4) return strange[i / 7 % 3];
    return plain;
}

static int64_t count_of(const kernel_array *a)
{
    return a->rows * a->stride;
}

static void fill(const kernel_array *a, numbers kind, uint32_t stream)
{
    int64_t n = count_of(a);
    if (a->role == RESULT || a->role == MEMORY) return; /* sentinels stay */
    engines_fill(a->at, n, stream);
    for (int64_t i = 0; i < n; i++) {
        int32_t label = (int32_t)(i * 7 % (a->limit ? a->limit : 1));
        if (a->role == GIVEN_SMALL || a->role == CHANGED_SMALL) a->at[i] = 1 + a->at[i] / 2;
        else if (a->role == GIVEN_ANSWERS) a->at[i] = i % a->stride == i / a->stride % a->stride;
        else if (a->role == GIVEN_LABELS) memcpy(&a->at[i], &label, sizeof label);
        else a->at[i] = number_of(kind, a->at[i], i);
    }
}

/* What plain C makes of it on one thread, in memory of its own. */
static void open_arrays(kernel_job *job, numbers kind, int at_end, guarded memory[])
{
    for (int i = 0; i < job->n_arrays; i++) {
        memory[i] = guard(count_of(&job->arrays[i]), at_end);
        job->arrays[i].at = memory[i].numbers;
        fill(&job->arrays[i], kind, (uint32_t)i);
    }
}

static int close_arrays(kernel_job *job, guarded memory[])
{
    int untouched = 1;
    for (int i = 0; i < job->n_arrays; i++) {
        untouched &= untouched_around(&memory[i]);
        unguard(&memory[i]);
    }
    return untouched;
}

/* The bits, or NaN and NaN. */
static int same_number(const float *a, const float *b)
{
    return memcmp(a, b, sizeof *a) == 0 || (isnan(*a) && isnan(*b));
}

static const char *first_difference(const kernel_job *got, const kernel_job *expected)
{
    for (int i = 0; i < got->n_arrays; i++) {
        const kernel_array *a = &got->arrays[i], *b = &expected->arrays[i];
        for (int64_t k = 0; k < count_of(a) && a->role != MEMORY && a->role != SPENT; k++)
            if (k % a->stride < a->columns && !same_number(&a->at[k], &b->at[k])) return a->name;
    }
    return NULL;
}

/* 1: the input is as it was filled. */
static int inputs_stay(const kernel_job *job, numbers kind)
{
    for (int i = 0; i < job->n_arrays; i++) {
        kernel_array a = job->arrays[i], again = a;
        if (a.role > GIVEN_ANSWERS) continue;
        again.at = malloc((size_t)count_of(&a) * sizeof(float) + 1);
        fill(&again, kind, (uint32_t)i);
        int same = engines_same(a.at, again.at, (size_t)count_of(&a) * sizeof(float));
        free(again.at);
        if (!same) return 0;
    }
    return 1;
}

/* NULL if everything is as it should be, otherwise what is wrong. */
static const char *check(const cn__engine *engine, int threads, int at_end, numbers kind, kernel_job *expected)
{
    kernel_job job;
    guarded memory[KERNEL_MOST_ARRAYS];
    assert_int_equal(kernel_job_open(&job, expected->entry, expected->rows, expected->columns, threads), 0);
    open_arrays(&job, kind, at_end, memory);
    job.entry->run(engine, pools[threads], &job);
    const char *wrong = first_difference(&job, expected);
    if (!inputs_stay(&job, kind)) wrong = "what was only to be read";
    if (!close_arrays(&job, memory)) wrong = "a sentinel";
    kernel_job_close(&job);
    return wrong;
}

/* Runs an entry at one size everywhere. Returns 0 when the entry has no such size. */
static int check_everywhere(const kernel_entry *entry, int64_t rows, int64_t columns, numbers kind, int *n_wrong)
{
    static int turn;
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    kernel_job expected;
    guarded memory[KERNEL_MOST_ARRAYS];
    if (kernel_job_open(&expected, entry, rows, columns, 1) < 0) return 0;
    open_arrays(&expected, kind, turn % 2, memory);
    entry->run(cn__engine_find(32, CN__ISA_C), pools[1], &expected);
    for (int e = 0; e < n_engines; e++, turn++) {
        for (int at_end = 0; at_end < 2; at_end++) {
            int threads = 1 + (turn + at_end) % 3;
            const char *wrong = check(engines[e], threads, at_end, kind, &expected);
            if (wrong)
                print_message("%s on %s with %d threads, %lld rows of %lld, numbers %d: %s is wrong\n", expected.name,
                              cn__isa_name(engines[e]->isa), threads, (long long)rows, (long long)columns, kind, wrong);
            *n_wrong += wrong != NULL;
        }
    }
    *n_wrong += !close_arrays(&expected, memory);
    kernel_job_close(&expected);
    return 1;
}

/* 0 rows: an empty batch. */
static const int64_t sizes[][2] = {{0, 18}, {1, 1},  {1, 2},  {2, 7},   {3, 16}, {5, 15},
                                   {7, 34}, {2, 64}, {9, 33}, {3, 132}, {17, 3}, {1, 257}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void check_list(numbers kind)
{
    kernel_entry entry;
    int entries = 0, n_wrong = 0, every = engines_quick() ? 4 : kind == PLAIN ? 1 : 3; /* sizes take turns */
    for (; kernel_list_get(entries, &entry); entries++) {
        int met = 0;
        for (int s = 0; s < N_SIZES; s++)
            if ((s + entries) % every == 0 || (s > N_SIZES / 2 && !met))
                met += check_everywhere(&entry, sizes[s][0], sizes[s][1], kind, &n_wrong);
        if (!met) print_message("%s %s has no size\n", entry.family, entry.text);
        assert_true(met);
    }
    print_message("%d entries\n", entries);
    assert_int_equal(n_wrong, 0);
}

static void plain_numbers(void **state)
{
    (void)state;
    check_list(PLAIN);
}

static void extreme_numbers(void **state)
{
    (void)state;
    check_list(EXTREME);
}

static void nan_and_infinity(void **state)
{
    (void)state;
    check_list(STRANGE);
}

/* Every line of every table of the engine is reached by the list, but for those below. */
static void nothing_is_left_out(void **state)
{
    static const int elsewhere[] = {CN__LAYER_input, CN__LAYER_flatten, CN__LAYER_reshape, /* nobody calls these */
                                    CN__LAYER_tape};                                      /* test_tape_layer.c */
    int layers[CN__LAYER_COUNT] = {0}, metrics[CN__METRIC_COUNT] = {0};
    kernel_entry entry;
    (void)state;
    for (int i = 0; i < 4; i++) layers[elsewhere[i]] = 1;
    for (int i = 0; kernel_list_get(i, &entry); i++) {
        kernel_job job;
        for (int s = 3; s < 7; s++) {
            if (kernel_job_open(&job, &entry, sizes[s][0], sizes[s][1], 1) < 0) continue;
            if (job.layer) layers[cn__layer_index(job.layer)] = 1;
            if (!strcmp(entry.family, "metric")) metrics[job.metric.index] = 1;
            kernel_job_close(&job);
        }
    }
    for (int i = 0; i < CN__LAYER_COUNT; i++) {
        if (!layers[i]) print_message("no entry for %s\n", cn__layer_classes[i]->name);
        assert_true(layers[i]);
    }
    for (int i = 0; i < CN__METRIC_COUNT; i++) {
        if (!metrics[i]) print_message("no entry for the metric %s\n", cn__metric_classes[i]->name);
        assert_true(metrics[i]);
    }
}

/* --- wrong kernels, each of which the check must report --- */

static const cn__engine *right(void) { return cn__engine_find(32, CN__ISA_C); }

static void off_by_one_bit(const cn__pass *p)
{
    right()->layers[CN__LAYER_elu]->forward(p);
    float *y = p->y;
    y[3] = nextafterf(y[3], INFINITY);
}

static void reads_backwards(const cn__pass *p) { memset(p->dx, 0, sizeof(float)); }

static void changes_its_input(const cn__pass *p)
{
    right()->layers[CN__LAYER_elu]->forward(p);
    memset((void *)p->x, 0, sizeof(float));
}

static void measures_too_far(const cn__scores *s)
{
    right()->losses[CN__LOSS_huber]->measure(s);
    memset((float *)s->gradient + s->rows * s->columns, 0, 1);
}

static void forgets_the_last(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                             const void *gradient)
{
    (*right()->updates[CN__OPTIMIZER_adam])(step, n - 1, weight, slots, gradient);
}

static void counts_one_more(const cn__metric *metric, const cn__scores *scores, double *state)
{
    right()->metrics[CN__METRIC_auc]->update(metric, scores, state);
    state[0]++;
}

static void nan_becomes_zero(int64_t n, void *x)
{
    for (int64_t i = 0; i < n; i++) ((float *)x)[i] = ((float *)x)[i] > 0 ? ((float *)x)[i] : 0;
}

static const char *check_wrong(const cn__engine *wrong, const char *family, const char *text, numbers kind)
{
    kernel_entry entry;
    kernel_job expected;
    guarded memory[KERNEL_MOST_ARRAYS];
    int i = 0;
    while (kernel_list_get(i, &entry) && (strcmp(entry.family, family) || strcmp(entry.text, text))) i++;
    assert_true(kernel_list_get(i, &entry));
    assert_int_equal(kernel_job_open(&expected, &entry, 5, 18, 1), 0);
    open_arrays(&expected, kind, 0, memory);
    entry.run(right(), pools[1], &expected);
    assert_null(check(right(), 1, 0, kind, &expected));
    const char *found = check(wrong, 1, 0, kind, &expected);
    close_arrays(&expected, memory);
    kernel_job_close(&expected);
    return found;
}

static void the_check_finds_wrong_kernels(void **state)
{
    const cn__layer_math *elu = right()->layers[CN__LAYER_elu];
    const cn__layer_math layers[] = {{off_by_one_bit, elu->backward, NULL, NULL},
                                     {elu->forward, reads_backwards, NULL, NULL},
                                     {changes_its_input, elu->backward, NULL, NULL}};
    const char *const what[] = {"y", "dx", "what was only to be read"};
    cn__engine wrong = *right();
    (void)state;
    for (int i = 0; i < 3; i++) {
        wrong.layers[CN__LAYER_elu] = &layers[i];
        assert_string_equal(check_wrong(&wrong, "layer", "elu", PLAIN), what[i]);
    }
    const cn__loss_math loss = {.measure = measures_too_far};
    wrong.losses[CN__LOSS_huber] = &loss;
    assert_string_equal(check_wrong(&wrong, "loss", "huber", PLAIN), "a sentinel");
    const cn__update update = forgets_the_last;
    wrong.updates[CN__OPTIMIZER_adam] = &update;
    assert_string_equal(check_wrong(&wrong, "update", "adam", PLAIN), "weight");
    const cn__metric_math metric = {counts_one_more};
    wrong.metrics[CN__METRIC_auc] = &metric;
    assert_string_equal(check_wrong(&wrong, "metric", "auc", PLAIN), "state");
    cn__weight_rules rules = *wrong.rules;
    rules.not_negative = nan_becomes_zero;
    wrong.rules = &rules;
    assert_string_equal(check_wrong(&wrong, "rule", "not_negative", STRANGE), "changed");
}

static int start_teams(void **state)
{
    (void)state;
    for (int i = 1; i < 4; i++) pools[i] = cn__pool_create(i);
    return pools[1] && pools[2] && pools[3] ? 0 : -1;
}

static int end_teams(void **state)
{
    (void)state;
    for (int i = 1; i < 4; i++) cn__pool_destroy(&pools[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_finds_wrong_kernels), cmocka_unit_test(nothing_is_left_out),
        cmocka_unit_test(plain_numbers),                 cmocka_unit_test(extreme_numbers),
        cmocka_unit_test(nan_and_infinity),
    };
    return cmocka_run_group_tests_name("engine_tables", tests, start_teams, end_teams);
}
