/* Predictions and evaluations of many rows: the same bits from parts of rows taken through all layers by one thread,
 * from batches, from any number of threads and on any instruction set, and never with the digits of older weights. */
#include "engines.h"
#include "model/model.h"

#include <cornu/model.h>
#include <cornu/tensor.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { INPUTS = 150, CLASSES = 3, MOST_ROWS = 700 };

typedef enum form { BYTES, FLOATS } form;

typedef struct way {
    const char *isa;
    int threads;
    form form;
    int64_t batch_size; /* 0: nobody watches */
} way;

static uint8_t codes[MOST_ROWS * INPUTS];
static cn_tensor *bytes;

/* Five groups of four seldom have ink, so that 128 columns are frequent and 22 are not. */
static double ink_of(int64_t column)
{
    return column / 4 % 8 == 3 ? 0.01 : 0.2;
}

static const way reference = {.isa = "c", .threads = 1, .form = BYTES, .batch_size = 50};

static int fill(void **state)
{
    (void)state;
    cn__random random;
    cn__random_begin(&random, 11, CN__FOR_USER, 5);
    for (int64_t i = 0; i < MOST_ROWS * INPUTS; i++)
        codes[i] = cn__random_uniform(&random) < ink_of(i % INPUTS) ? (uint8_t)cn__random_below(&random, 256) : 0;
    bytes = cn_tensor_create(CN_UINT8, 2, (int64_t[]){MOST_ROWS, INPUTS});
    if (bytes) memcpy(cn_data(bytes), codes, sizeof codes);
    return bytes ? 0 : -1;
}

static int forget(void **state)
{
    (void)state;
    cn_tensor_destroy(&bytes);
    return 0;
}

static cn_model *make_model(const way *w)
{
    cn_model *model = cn_sequential(.threads = w->threads, .isa = w->isa, .seed = 3);
    cn_add(model, cn_dense(43, .activation = "relu", .input_shape = {INPUTS}));
    cn_add(model, cn_dropout(0.5));
    cn_add(model, cn_dense(20, .activation = "selu"));
    cn_add(model, cn_dense(CLASSES, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}), CN_OK);
    return model;
}

/* The first rows; in one of them a number may be replaced. */
typedef struct rows {
    int64_t n;
    double scale;
    int64_t strange_at; /* -1: none */
    float strange;
} rows;

static cn_tensor *make_rows(const rows *r, form as)
{
    cn_tensor *view = cn_scale(cn_slice(bytes, {0, r->n}), r->scale);
    if (as == BYTES && r->strange_at < 0) return view;
    cn_tensor *floats = cn_astype(view, CN_FLOAT32);
    if (r->strange_at >= 0) ((float *)cn_data(floats))[r->strange_at] = r->strange;
    return floats;
}

static const cn_callback watching = {.name = "nobody"};

static cn_tensor *predict(cn_model *model, const way *w, const rows *r)
{
    cn_tensor *x = make_rows(r, w->form);
    cn_tensor *y = w->batch_size ? cn_predict(model, x, .batch_size = w->batch_size, .callbacks = {&watching})
                                 : cn_predict(model, x);
    assert_non_null(y);
    cn_tensor_destroy(&x);
    return y;
}

static int same(const cn_tensor *a, const cn_tensor *b)
{
    const float *p = cn_data(a), *q = cn_data(b);
    for (int64_t i = 0; i < cn_size(a); i++)
        if (!(isnan(p[i]) && isnan(q[i])) && memcmp(&p[i], &q[i], sizeof *p) != 0) return 0;
    return cn_size(a) == cn_size(b);
}

static int n_isas(const char *isas[CN__ISA_COUNT])
{
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    for (int i = 0; i < n; i++) isas[i] = cn__isa_name(engines[i]->isa);
    return n;
}

static void expect_one_answer(const rows *r)
{
    static const int threads[] = {1, 2, 3, 8};
    static int turn;
    const char *isas[CN__ISA_COUNT];
    cn_model *model = make_model(&reference);
    cn_tensor *expected = predict(model, &reference, r);
    cn_model_destroy(&model);
    for (int i = 0, n = n_isas(isas); i < n; i++) {
        for (form f = BYTES; f <= FLOATS; f++) {
            for (int64_t batch = 0; batch <= 77; batch += 77, turn++) {
                const way w = {.isa = isas[i], .threads = threads[turn % 4], .form = f, .batch_size = batch};
                model = make_model(&w);
                cn_tensor *y = predict(model, &w, r);
                if (!same(y, expected))
                    print_message("%s, %d threads, form %d, batches of %lld: %lld rows, scale %g: differs\n", w.isa,
                                  w.threads, f, (long long)batch, (long long)r->n, r->scale);
                assert_true(same(y, expected));
                cn_tensor_destroy(&y);
                cn_model_destroy(&model);
            }
        }
    }
    cn_tensor_destroy(&expected);
}

static void any_number_of_rows(void **state)
{
    (void)state;
    static const int64_t counts[] = {1, 16, 127, 255, 256, 257, 511, 640, MOST_ROWS};
    for (int i = 0; i < 9; i++) expect_one_answer(&(rows){.n = counts[i], .scale = 1.0 / 255, .strange_at = -1});
}

static void any_scale(void **state)
{
    (void)state;
    static const double scales[] = {1, 0.25, (double)0.333f, (double)1e-3f, 0x1p-20, 0x1p-145, 0x1p115};
    for (int i = 0; i < 7; i++) expect_one_answer(&(rows){.n = 300, .scale = scales[i], .strange_at = -1});
}

/* One number that is no byte, found only when most rows are done, changes how all rows are summed, and nothing else. */
static void numbers_that_are_no_bytes(void **state)
{
    (void)state;
    static const float strange[] = {0.5f, -1, 256, 1e30f, INFINITY, NAN, -0.0f};
    static const int64_t places[] = {3, 255 * INPUTS + 7, (MOST_ROWS - 1) * INPUTS + 140};
    for (int i = 0; i < 7; i++)
        expect_one_answer(&(rows){.n = MOST_ROWS, .scale = 1, .strange_at = places[i % 3], .strange = strange[i]});
}

static void labels_of(cn_tensor **y, int64_t n)
{
    *y = cn_tensor_create(CN_INT32, 1, &n);
    for (int64_t i = 0; i < n; i++) ((int32_t *)cn_data(*y))[i] = (int32_t)(codes[i * INPUTS + 75] % CLASSES);
}

/* Digits are kept while a prediction or an evaluation runs, and never longer. */
static void weights_that_have_moved(void **state)
{
    (void)state;
    const char *isas[CN__ISA_COUNT];
    const rows r = {.n = 600, .scale = 1.0 / 255, .strange_at = -1};
    cn_tensor *x = make_rows(&r, FLOATS), *view = make_rows(&r, BYTES), *y, *expected[3] = {NULL};
    double losses[3];
    labels_of(&y, r.n);
    for (int i = -1, n = n_isas(isas); i < n; i++) {
        const way w = {.isa = i < 0 ? "c" : isas[i], .threads = i < 0 ? 1 : 2};
        cn_model *model = make_model(&w);
        for (int round = 0; round < 3; round++) {
            cn_result result;
            assert_int_equal(cn_evaluate(model, view, y, &result), CN_OK);
            cn_tensor *p = cn_predict(model, x);
            if (i < 0) expected[round] = p;
            if (i < 0) losses[round] = result.loss;
            assert_true(same(p, expected[round]));
            assert_memory_equal(&losses[round], &result.loss, sizeof result.loss);
            if (round > 0) assert_false(same(p, expected[round - 1]));
            if (i >= 0) cn_tensor_destroy(&p);
            if (round == 0) assert_int_equal(cn_train_step(model, view, y, NULL), CN_OK);
            if (round == 1) assert_int_equal(cn_fit(model, x, y, .epochs = 1, .validation_split = 0.9), CN_OK);
        }
        cn_model_destroy(&model);
    }
    for (int round = 0; round < 3; round++) cn_tensor_destroy(&expected[round]);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&view);
    cn_tensor_destroy(&y);
}

/* The ways that this file compares are those that it means to compare. */
static void parts_are_taken(void **state)
{
    (void)state;
    if (!cn__cpu_amx_int8()) return;
    static float out[MOST_ROWS * CLASSES];
    for (form f = BYTES; f <= FLOATS; f++) {
        for (int strange = 0; strange <= 1; strange++) {
            const int64_t n = strange ? 300 : MOST_ROWS;
            cn_model *model = make_model(&(way){.isa = "avx512", .threads = 2});
            cn_tensor *x = make_rows(&(rows){.n = n, .scale = 1, .strange_at = strange ? 0 : -1, .strange = 0.5f}, f);
            cn__data data;
            assert_int_equal(cn__data_open_as_given(model, x, NULL, &data), CN_OK);
            cn__codes_judge(model, &data, 1);
            assert_int_equal(cn__parts_predict(model, &data, out), !strange);
            assert_int_equal(model->plan.digits_are_made, 0);
            assert_int_equal(data.x.frequent ? data.x.frequent->columns : 0, strange ? 0 : 128);
            cn__data_close(&data);
            cn_tensor_destroy(&x);
            cn_model_destroy(&model);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_rows),        cmocka_unit_test(any_scale),
        cmocka_unit_test(numbers_that_are_no_bytes), cmocka_unit_test(weights_that_have_moved),
        cmocka_unit_test(parts_are_taken),
    };
    return cmocka_run_group_tests_name("rows to predict", tests, fill, forget);
}
