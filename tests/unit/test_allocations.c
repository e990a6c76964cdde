/* After the first step of a batch size, training allocates nothing, neither through the library nor behind its back. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "small_model.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Every malloc of the process is counted: this definition comes before the C library's. Under a sanitizer it would come
 * before the sanitizer's, so there only the library's own count is looked at. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCH_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WATCH_MALLOC 0
#endif
#endif
#ifndef WATCH_MALLOC
#define WATCH_MALLOC 1
#endif

static atomic_ullong mallocs;

#if WATCH_MALLOC
extern void *__libc_malloc(size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
void *malloc(size_t size)
{
    atomic_fetch_add(&mallocs, 1);
    return __libc_malloc(size);
}
void *aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(&mallocs, 1);
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **block, size_t alignment, size_t size)
{
    atomic_fetch_add(&mallocs, 1);
    return (*block = __libc_memalign(alignment, size)) ? 0 : 12;
}
#endif

/* Mostly zero inputs of a kind (bytes or numbers), one-hot rows or labels. */
static void check_steps(cn_dtype input, int labels)
{
    cn_tensor *x = cn_zeros(input, 64, 200), *y = labels ? small_y(64) : cn_zeros(CN_FLOAT32, 64, 10);
    cn_model *model = cn_sequential(.threads = 2);
    for (int64_t i = 0; i < 64; i++) {
        cn_tensor_set(x, (int64_t[]){i, i * 3 % 200}, 1);
        if (!labels) cn_tensor_set(y, (int64_t[]){i, i % 10}, 1);
    }
    cn_add(model, cn_dense(100, .activation = "relu", .input_shape = {200}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = labels ? "sparse_categorical_crossentropy" : "categorical_crossentropy",
                                .metrics = {"accuracy"}), CN_OK);
    assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    uint64_t before = cn__memory_allocations();
    unsigned long long mallocs_before = atomic_load(&mallocs);
    for (int i = 0; i < 50; i++) assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    assert_int_equal(cn__memory_allocations() - before, 0);
    assert_int_equal(atomic_load(&mallocs) - mallocs_before, 0);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void steps_allocate_nothing(void **state)
{
    (void)state;
    for (int labels = 0; labels < 2; labels++) {
        check_steps(CN_FLOAT32, labels);
        check_steps(CN_UINT8, labels);
    }
}

/* Stored gradients, penalties, constraints, averages and a schedule. */
static void steps_with_options_allocate_nothing(void **state)
{
    (void)state;
    cn_tensor *x = small_x(9), *y = small_y(9);
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_dense(5, .input_shape = {SMALL_INPUTS}, .kernel_regularizer = "l1_l2(0.1, 0.1)",
                           .kernel_constraint = "max_norm(2, axis=1)", .activity_regularizer = "l2"));
    cn_add(model, cn_dense(SMALL_CLASSES, .activation = "softmax", .bias_constraint = "unit_norm"));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy",
                                .optimizer_name = "adam(cosine_decay(0.1, 10), clipnorm=1, weight_decay=0.1, "
                                                  "use_ema=1, exclude_from_weight_decay=bias, "
                                                  "gradient_accumulation_steps=2)"), CN_OK);
    assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    uint64_t before = cn__memory_allocations();
    unsigned long long mallocs_before = atomic_load(&mallocs);
    for (int i = 0; i < 20; i++) assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    assert_int_equal(cn__memory_allocations() - before, 0);
    assert_int_equal(atomic_load(&mallocs) - mallocs_before, 0);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

typedef struct counts {
    uint64_t own[64];
    unsigned long long all[64];
    int n;
} counts;

static int note(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    counts *c = user;
    (void)model;
    (void)batch;
    (void)logs;
    if (c->n < 64) {
        c->own[c->n] = cn__memory_allocations();
        c->all[c->n++] = atomic_load(&mallocs);
    }
    return 0;
}

static void batches_of_fit_allocate_nothing(void **state)
{
    (void)state;
    cn_tensor *x = small_x(100), *y = small_y(100);
    cn_model *model = small_model();
    static counts c;
    cn_callback callback = {.user = &c, .on_train_batch_end = note};
    assert_int_equal(small_compile(model), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 7, .callbacks = {&callback}), CN_OK);
    assert_int_equal(c.n, 15);
    for (int i = 1; i < c.n; i++) {
        assert_int_equal(c.own[i], c.own[0]);
        assert_int_equal(c.all[i], c.all[0]);
    }
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void quick_predictions_allocate_nothing(void **state)
{
    (void)state;
    float x[8 * SMALL_INPUTS] = {0}, out[8 * SMALL_CLASSES];
    cn_model *model = small_model();
    assert_int_equal(cn_predict_into(model, 8, x, out), CN_OK);
    uint64_t before = cn__memory_allocations();
    unsigned long long mallocs_before = atomic_load(&mallocs);
    for (int n = 1; n <= 8; n++) assert_int_equal(cn_predict_into(model, n, x, out), CN_OK);
    assert_int_equal(cn__memory_allocations() - before, 0);
    assert_int_equal(atomic_load(&mallocs) - mallocs_before, 0);
    cn_model_destroy(&model);
}

static void both_counters_count(void **state)
{
    (void)state;
    uint64_t before = cn__memory_allocations();
    unsigned long long mallocs_before = atomic_load(&mallocs);
    cn__free(cn__alloc(1, 1, "a test"));
    assert_int_equal(cn__memory_allocations() - before, 1);
    if (WATCH_MALLOC) assert_true(atomic_load(&mallocs) > mallocs_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_counters_count),
        cmocka_unit_test(steps_allocate_nothing),
        cmocka_unit_test(steps_with_options_allocate_nothing),
        cmocka_unit_test(batches_of_fit_allocate_nothing),
        cmocka_unit_test(quick_predictions_allocate_nothing),
    };
    return cmocka_run_group_tests_name("allocations", tests, NULL, NULL);
}
