/* One answer: the same weights after a short main job, whatever computes them. */
#include "base/sha256.h"
#include "engines.h"
#include "model/model.h"

#include <cornu/dataset.h>
#include <cornu/model.h>
#include <cornu/system.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct job {
    int threads;
    const char *isa;
    uint64_t seed;
    const cn_tensor *x;
    double validation_split;
    int epochs, separately; /* separately: one call of fit per epoch */
    const char *optimizer;
} job;

static cn_dataset data;
static cn_tensor *images, *labels, *floats;
static int64_t samples;

static int load(void **state)
{
    (void)state;
    samples = engines_quick() ? 600 : 3000;
    if (cn_dataset_load(&data, "mnist", .download = 0) < 0) return -1;
    images = cn_scale(cn_reshape(cn_slice(data.train_images, {0, samples}), -1, 784), 1.0 / 255);
    labels = cn_to_categorical(cn_slice(data.train_labels, {0, samples}), 10);
    floats = cn_astype(images, CN_FLOAT32);
    return images && labels && floats ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    cn_tensor_destroy(&labels);
    cn_tensor_destroy(&floats);
    cn_dataset_destroy(&data);
    return 0;
}

static void run(const job *j, char digest[65])
{
    cn_model *model = cn_sequential(.threads = j->threads, .isa = j->isa, .seed = j->seed);
    cn_add(model, cn_dense(512, .activation = "relu", .input_shape = {784}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy",
                                .optimizer_name = j->optimizer ? j->optimizer : "rmsprop"), CN_OK);
    int epochs = j->epochs ? j->epochs : 1;
    for (int epoch = j->separately ? 0 : epochs - 1; epoch < epochs; epoch++)
        assert_int_equal(cn_fit(model, j->x ? j->x : images, labels, .batch_size = 128, .epochs = epoch + 1,
                                .initial_epoch = j->separately ? epoch : 0,
                                .validation_split = j->validation_split), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
}

static void expect_same(const job *j, const char expected[65], const char *what)
{
    char digest[65];
    run(j, digest);
    if (strcmp(digest, expected) != 0) print_message("%s: %s instead of %s\n", what, digest, expected);
    assert_string_equal(digest, expected);
}

static void any_number_of_threads(void **state)
{
    (void)state;
    static const int counts[] = {2, 3, 4, 8};
    char expected[65];
    run(&(job){.threads = 1}, expected);
    for (int i = 0; i < (engines_quick() ? 1 : 4); i++) {
        char what[32];
        snprintf(what, sizeof what, "%d threads", counts[i]);
        expect_same(&(job){.threads = counts[i]}, expected, what);
    }
}

static void any_instruction_set(void **state)
{
    (void)state;
    char expected[65];
    run(&(job){.threads = 2}, expected);
    const char *isa;
    for (int usable, i = 0; (isa = cn_system_isa(i, &usable)); i++)
        if (usable) expect_same(&(job){.threads = 2, .isa = isa}, expected, isa);
}

/* Bytes carrying 1/255 and float32 numbers of the same value; fit makes bytes of all of them. */
static void any_form_of_input(void **state)
{
    (void)state;
    char expected[65];
    run(&(job){.threads = 2}, expected);
    expect_same(&(job){.threads = 2, .x = floats}, expected, "float32 input");
    cn_tensor *wide = cn_astype(floats, CN_FLOAT64);
    expect_same(&(job){.threads = 2, .x = wide}, expected, "float64 input");
    cn_tensor_destroy(&wide);
}

/* How an epoch of training goes through its batches of bytes. */
typedef struct route {
    int as_tiles, in_panels;
} route;

/* An epoch step by step, as fit does it, but by a route of the test's own. */
static void train_by(const cn_tensor *x, const char *isa, const char *optimizer, const route *r, char digest[65])
{
    enum { BATCH = 100 };
    cn__data own;
    cn__sums sums = {.rows = 0};
    cn_model *model = cn_sequential(.threads = 3, .isa = isa, .seed = 4);
    cn_add(model, cn_dense(200, .activation = "relu", .input_shape = {784}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy", .optimizer_name = optimizer), CN_OK);
    assert_int_equal(cn__data_open(model, x, labels, &own), CN_OK);
    assert_int_equal(cn__plan_prepare(model, BATCH, 1), CN_OK);
    assert_true(cn__step_reads_bytes(model, &own, BATCH));
    own.as_tiles = r->as_tiles;
    if (r->in_panels) assert_int_equal(cn__panels_open(model, r->as_tiles), CN_OK);
    for (int64_t at = 0; at + BATCH <= 600; at += BATCH)
        cn__train_batch(model, &own, &(cn__choice){.first = at, .n = BATCH}, &sums);
    int are_open = model->panels && model->panels->is_open;
    assert_int_equal(are_open, r->in_panels && strcmp(optimizer, "rmsprop") == 0); /* nothing waits with adam */
    cn__lazy_settle(model);
    cn__data_close(&own);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
}

static void lists_tiles_rows_and_panels(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"rmsprop", "adam"};
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines), tiles = 0;
    for (int i = 0; i < 2; i++) {
        char expected[65];
        train_by(images, "c", optimizers[i], &(route){.as_tiles = 0}, expected);
        for (int e = 0; e < n_engines; e++) {
            for (int k = 0; k < 4; k++) {
                const route r = {.as_tiles = k % 2, .in_panels = k / 2};
                char digest[65];
                if (r.as_tiles && !(engines[e]->gather->tiles && cn__cpu_amx_int8())) continue;
                train_by(k == 1 ? floats : images, cn__isa_name(engines[e]->isa), optimizers[i], &r, digest);
                assert_string_equal(digest, expected);
                tiles += r.as_tiles;
            }
        }
    }
    if (!tiles) print_message("without tiles: this machine has none for bytes\n");
}

/* A large batch that somebody predicted before makes the plan larger than batches of bytes can be. */
static void what_was_predicted_before(void **state)
{
    (void)state;
    enum { LARGE = 4100 };
    char expected[65], digest[65];
    float *numbers = calloc(LARGE * 784, sizeof *numbers), *out = calloc(LARGE * 10, sizeof *out);
    for (int before = 0; before < 2; before++) {
        cn_model *model = cn_sequential(.threads = 2);
        cn_add(model, cn_dense(40, .activation = "relu", .input_shape = {784}));
        cn_add(model, cn_dense(10, .activation = "softmax"));
        assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy"), CN_OK);
        if (before) assert_int_equal(cn_predict_into(model, LARGE, numbers, out), CN_OK);
        assert_int_equal(cn_fit(model, images, labels, .batch_size = 100), CN_OK);
        assert_int_equal(cn_model_weights_sha256(model, before ? digest : expected), CN_OK);
        cn_model_destroy(&model);
    }
    free(numbers);
    free(out);
    assert_string_equal(digest, expected);
}

/* Single steps take numbers as they are, so float32 numbers are summed in float32 there and bytes exactly: nearly the
 * same, and not the same bits. fit looks whether they are bytes. */
static cn_tensor *step_by_step(const cn_tensor *x, int with_fit)
{
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_dense(200, .activation = "relu", .input_shape = {784}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy", .optimizer_name = "sgd(0.1)"), CN_OK);
    if (with_fit)
        assert_int_equal(cn_fit(model, cn_slice(x, {0, 600}), cn_slice(labels, {0, 600}), .batch_size = 100,
                                .shuffle = 0), CN_OK);
    for (int64_t at = 0; at + 100 <= 600 && !with_fit; at += 100)
        assert_int_equal(cn_train_step(model, cn_slice(x, {at, at + 100}), cn_slice(labels, {at, at + 100}), NULL),
                         CN_OK);
    cn_tensor *kernel = cn_model_get_weight(model, 0);
    cn_model_destroy(&model);
    return kernel;
}

static void exact_sums_are_near_those_in_float32(void **state)
{
    (void)state;
    cn_tensor *exact = step_by_step(images, 0), *rounded = step_by_step(floats, 0);
    cn_tensor *fitted = step_by_step(floats, 1);
    const float *a = cn_data(exact), *b = cn_data(rounded);
    double worst = 0;
    for (int64_t i = 0; i < cn_size(exact); i++) worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    assert_true(worst < 1e-6);
    assert_true(worst > 0);
    assert_memory_equal(cn_data(fitted), a, (size_t)cn_size(exact) * sizeof(float));
    cn_tensor_destroy(&exact);
    cn_tensor_destroy(&rounded);
    cn_tensor_destroy(&fitted);
}

/* Rows with a few ones or a few larger numbers; some rows have so many that their codes do not add up to 255. */
static cn_tensor *few_nonzeros(int largest)
{
    enum { ROWS = 160, COLUMNS = 900 };
    cn_tensor *x = cn_zeros(CN_UINT8, ROWS, COLUMNS);
    uint8_t *codes = cn_data(x);
    uint32_t state = 1;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        state = state * 1664525u + 1013904223u;
        if (state >> 8 < (i / COLUMNS % 50 == 7 ? 5000000u : 300000u))
            codes[i] = (uint8_t)(1 + (state >> 4) % (uint32_t)largest);
    }
    return x;
}

/* fit keeps them as sparse lists and moves the weights of up to eight layers behind the first besides its gradient;
 * single steps on bytes read plain lists. */
static void train_on_few(const cn_tensor *x, const char *isa, int threads, int64_t width, const char *optimizer,
                         int by_steps, char digest[65])
{
    enum { STEP = 45 }; /* rows, of which layers behind the first take sixteen at a time; the last step has fewer */
    cn_tensor *y = cn_zeros(CN_INT32, cn_len(x));
    for (int64_t i = 0; i < cn_len(x); i++) ((int32_t *)cn_data(y))[i] = (int32_t)(i % 3);
    cn_model *model = cn_sequential(.threads = threads, .isa = isa, .seed = 4);
    cn_add(model, cn_dense(width, .activation = "relu", .input_shape = {cn_shape(x)[1]}));
    for (int i = 0; i < (width < 100 ? 10 : 1); i++) cn_add(model, cn_dense(12, .activation = "tanh"));
    cn_add(model, cn_dense(3, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .optimizer_name = optimizer), CN_OK);
    if (!by_steps)
        assert_int_equal(cn_fit(model, x, y, .batch_size = STEP, .epochs = 3, .shuffle = 0), CN_OK);
    for (int epoch = 0; by_steps && epoch < 3; epoch++)
        for (int64_t first = 0, end; first < cn_len(x); first = end) {
            end = first + STEP < cn_len(x) ? first + STEP : cn_len(x);
            assert_int_equal(cn_train_step(model, cn_slice(x, {first, end}), cn_slice(y, {first, end}), NULL), CN_OK);
        }
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
    cn_tensor_destroy(&y);
}

static void sparse_lists(void **state)
{
    (void)state;
    const char *const optimizers[] = {"rmsprop", "adam", "sgd"};
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    for (int k = 0; k < 12; k++) {
        if (engines_quick() && k % 6 > 1) continue; /* one optimizer */
        const int64_t width = k < 6 ? 144 : 20; /* sorted by columns, and row by row */
        const char *optimizer = optimizers[k % 6 / 2];
        cn_tensor *bytes = few_nonzeros(k % 2 ? 200 : 1), *numbers = cn_astype(bytes, CN_FLOAT32);
        char expected[65], digest[65];
        train_on_few(bytes, "c", 1, width, optimizer, 1, expected);
        for (int e = 0; e < n_engines; e++)
            for (int threads = 1; threads <= 3; threads++) {
                train_on_few(threads == 2 ? numbers : bytes, cn__isa_name(engines[e]->isa), threads, width, optimizer,
                             0, digest);
                assert_string_equal(digest, expected);
            }
        cn_tensor_destroy(&bytes);
        cn_tensor_destroy(&numbers);
    }
}

static void every_optimizer(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"sgd(0.1, momentum=0.9)", "adam", "rmsprop(momentum=0.9, centered=true)"};
    for (int i = 0; i < (engines_quick() ? 1 : 3); i++) {
        char expected[65];
        run(&(job){.threads = 1, .optimizer = optimizers[i]}, expected);
        expect_same(&(job){.threads = 3, .x = floats, .optimizer = optimizers[i]}, expected, optimizers[i]);
    }
}

static void the_seed_decides(void **state)
{
    (void)state;
    char first[65], again[65], other[65];
    run(&(job){.threads = 2, .seed = 5}, first);
    run(&(job){.threads = 2, .seed = 5}, again);
    run(&(job){.threads = 2, .seed = 6}, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

/* Epochs shuffle by their number, so fit may be interrupted between them. */
static void epochs_one_by_one(void **state)
{
    (void)state;
    char together[65];
    run(&(job){.threads = 2, .epochs = 3}, together);
    expect_same(&(job){.threads = 2, .epochs = 3, .separately = 1}, together, "one fit per epoch");
}

/* A callback that does what might disturb a batch that has been gathered ahead of its turn. */
static int disturb(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    int *calls = user;
    (void)logs;
    ++*calls;
    if (batch == 0)
        assert_int_equal(cn_train_step(model, cn_slice(images, {300, 400}), cn_slice(labels, {300, 400}), NULL), CN_OK);
    cn_result result;
    if (batch == 1)
        assert_int_equal(cn_evaluate(model, cn_slice(images, {0, 300}), cn_slice(labels, {0, 300}), &result,
                                     .batch_size = 90),
                         CN_OK);
    if (batch == 2) cn_model_stop_training(model);
    return CN_OK;
}

static void train_disturbed(int threads, const char *isa, const char *precision, int undisturbed, char digest[65])
{
    int calls = 0;
    const cn_callback callback = {.user = &calls, .on_train_batch_end = disturb};
    cn_model *model = cn_sequential(.threads = threads, .isa = isa, .seed = 3, .precision = precision);
    cn_add(model, cn_dense(engines_quick() ? 144 : 512, .activation = "relu", .input_shape = {784}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy"), CN_OK);
    for (int again = 0; again < 3; again++) /* the rows' order may come to stand where the last one stood */
        assert_int_equal(cn_fit(model, cn_slice(images, {again * 10, 600}), cn_slice(labels, {again * 10, 600}),
                                .batch_size = 64, .epochs = again + 1, .initial_epoch = again,
                                .callbacks = {undisturbed ? NULL : &callback}), CN_OK);
    assert_int_equal(calls, undisturbed ? 0 : 9);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
}

static void batches_gathered_ahead(void **state)
{
    (void)state;
    static const char *const precisions[] = {"float32", "mixed_bfloat16"};
    for (int i = 0; i < 4; i++) {
        char alone[65], team[65];
        const char *isa = i % 2 ? NULL : "c"; /* where nothing is kept from step to step */
        train_disturbed(1, isa, precisions[i % 2], i / 2, alone);
        train_disturbed(2, NULL, precisions[i % 2], i / 2, team);
        assert_string_equal(alone, team);
    }
}

/* Rows that validate do not train: the same as fit on the first part alone. */
static void validation_rows_do_not_train(void **state)
{
    (void)state;
    char split[65], part[65];
    run(&(job){.threads = 2, .validation_split = 0.25}, split);
    cn_tensor *all_labels = labels;
    cn_tensor *first = cn_slice(images, {0, samples * 3 / 4});
    labels = cn_slice(all_labels, {0, samples * 3 / 4});
    run(&(job){.threads = 2, .x = first}, part);
    labels = all_labels;
    assert_string_equal(split, part);
}

/* Digits of the library itself, from the numbers that get_weight gives. */
static void digest_is_that_of_the_weights(void **state)
{
    (void)state;
    char expected[65], digest[65];
    cn_model *model = cn_sequential(.seed = 9);
    cn_add(model, cn_dense(3, .input_shape = {5}));
    cn_add(model, cn_dense(2));
    cn__sha256 hash;
    cn__sha256_begin(&hash);
    for (int i = 0; i < cn_model_n_weights(model); i++) {
        cn_tensor *weight = cn_model_get_weight(model, i);
        cn__sha256_add(&hash, cn_data(weight), (size_t)cn_size(weight) * sizeof(float));
        cn_tensor_destroy(&weight);
    }
    cn__sha256_end(&hash, expected);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    assert_string_equal(digest, expected);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads), cmocka_unit_test(any_instruction_set),
        cmocka_unit_test(any_form_of_input),     cmocka_unit_test(every_optimizer),
        cmocka_unit_test(the_seed_decides),      cmocka_unit_test(epochs_one_by_one),
        cmocka_unit_test(batches_gathered_ahead),
        cmocka_unit_test(validation_rows_do_not_train), cmocka_unit_test(digest_is_that_of_the_weights),
        cmocka_unit_test(lists_tiles_rows_and_panels), cmocka_unit_test(what_was_predicted_before),
        cmocka_unit_test(exact_sums_are_near_those_in_float32), cmocka_unit_test(sparse_lists),
    };
    return cmocka_run_group_tests_name("determinism", tests, load, unload);
}
