/* Layers with state and random numbers together in one model: the same bits for any number of threads and on every
 * instruction set, also when training goes on from a file; nothing allocated in a step; bfloat16. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "engines.h"
#include "scratch.h"

#include <cornu/cornu.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SAMPLES = 48, HEIGHT = 8, WIDTH = 6, CHANNELS = 2, CLASSES = 3 };

/* Each layer that forward, backward or a stream of random numbers could make depend on something. */
static const char *const stack[] = {
    "random_translation(0.2, 0.1)", "random_rotation((-0.1, 0.2), fill_mode=constant)", "random_zoom(0.2)",
    "zero_padding2d(1)", "rescaling([1.5, 0.5], offset=[0, 0.1])",
    "batch_normalization(momentum=0.9, renorm=true, renorm_clipping=dict(rmax=2, dmax=3))", "prelu(shared_axes=(1, 2))",
    "dropout(0.2, noise_shape=10x1x2)", "permute((3, 1, 2), activity_regularizer=l2(0.001))", "reshape(4x-1)",
    "layer_normalization", "leaky_re_lu", "softmax(1)", "rescaling(30)", "softmax((1, 2))", "rescaling(200)",
    "dense(20, activation=log_softmax(axis=1))", "flatten(activity_regularizer=l1(0.001))",
    "dense(500, activation=gelu)", "batch_normalization", "elu", "dropout(0.3)", "re_lu(3)", "activation(mish)",
    "dense(3, activation=softmax)",
};
enum { N_LAYERS = sizeof stack / sizeof *stack };

static cn_tensor *x, *y;

static int make_data(void **state)
{
    if (scratch_setup(state) < 0) return -1;
    x = cn_zeros(CN_FLOAT32, SAMPLES, HEIGHT, WIDTH, CHANNELS);
    y = cn_zeros(CN_UINT8, SAMPLES);
    if (!x || !y) return -1;
    engines_fill(cn_data(x), cn_size(x), 5);
    for (int i = 0; i < SAMPLES; i++) ((uint8_t *)cn_data(y))[i] = (uint8_t)(i * 5 % CLASSES);
    return 0;
}

static int drop_data(void **state)
{
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return scratch_teardown(state);
}

static cn_model *make_model(int threads, const char *isa, const char *precision, const char *optimizer)
{
    cn_model *model = cn_sequential(.threads = threads, .isa = isa, .seed = 11, .precision = precision);
    cn_add(model, cn_input(HEIGHT, WIDTH, CHANNELS));
    for (int i = 0; i < N_LAYERS; i++) cn_add(model, cn_layer_from_text(stack[i]));
    int status = cn_compile(model, .optimizer_name = optimizer, .loss = "sparse_categorical_crossentropy");
    if (status < 0) print_message("%s\n", cn_error_message());
    assert_int_equal(status, CN_OK);
    return model;
}

static void train(cn_model *model, int from, int to)
{
    int status = cn_fit(model, x, y, .batch_size = 20, .initial_epoch = from, .epochs = to);
    if (status < 0) print_message("%s\n", cn_error_message());
    assert_int_equal(status, CN_OK);
}

static void digest_of(int threads, const char *isa, const char *precision, char digest[65])
{
    cn_model *model = make_model(threads, isa, precision, "rmsprop");
    train(model, 0, 2);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
}

static void any_number_of_threads_and_any_instruction_set(void **state)
{
    static const char *const precisions[] = {"float32", "mixed_bfloat16"};
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    (void)state;
    for (int p = 0; p < 2; p++) {
        char expected[65], digest[65];
        digest_of(1, "c", precisions[p], expected);
        for (int e = 0; e < n; e++) {
            /* tiles round in their own way */
            if (p == 1 && engines[e]->isa == CN__ISA_AVX512) continue;
            for (int threads = 1; threads <= 3; threads++) {
                digest_of(threads, cn__isa_name(engines[e]->isa), precisions[p], digest);
                assert_string_equal(digest, expected);
            }
        }
        digest_of(2, NULL, precisions[p], expected);
        digest_of(3, NULL, precisions[p], digest);
        assert_string_equal(digest, expected);
    }
}

/* A change of the seed, or of one layer's, must show: otherwise the test above compares too little. */
static void seeds_matter(void **state)
{
    char digests[3][65];
    (void)state;
    for (int i = 0; i < 3; i++) {
        cn_model *model = cn_sequential(.seed = i == 1 ? 12 : 11);
        cn_add(model, cn_dense(4, .input_shape = {HEIGHT * WIDTH * CHANNELS}, .kernel_initializer = "constant(0.01)"));
        cn_add(model, cn_dropout(0.5, .seed = i == 2 ? 3 : -1));
        cn_add(model, cn_dense(CLASSES, .kernel_initializer = "ones"));
        assert_int_equal(cn_compile(model, .loss = "mse", .optimizer_name = "sgd"), CN_OK);
        cn_tensor *target = cn_to_categorical(y, CLASSES), *rows = cn_reshape(x, SAMPLES, -1);
        assert_int_equal(cn_train_step(model, rows, target, NULL), CN_OK);
        assert_int_equal(cn_model_weights_sha256(model, digests[i]), CN_OK);
        cn_tensor_destroy(&target);
        cn_model_destroy(&model);
    }
    assert_string_not_equal(digests[0], digests[1]);
    assert_string_not_equal(digests[0], digests[2]);
}

/* Moving averages, the position in every random stream and all options are in the file. */
static void training_goes_on_from_a_file(void **state)
{
    char path[160], went_on[65], resumed[65];
    (void)state;
    snprintf(path, sizeof path, "%s/stack.safetensors", scratch_folder);
    cn_model *model = make_model(2, NULL, "float32", "adam");
    train(model, 0, 1);
    int status = cn_model_save(model, path, .include_optimizer = 1);
    if (status == CN_ENOTSUP) {
        cn_model_destroy(&model);
        skip();
    }
    assert_int_equal(status, CN_OK);
    cn_model *loaded = cn_model_load(path, .threads = 1);
    if (!loaded) print_message("%s\n", cn_error_message());
    assert_non_null(loaded);
    cn_tensor *before = cn_predict(model, x), *after = cn_predict(loaded, x);
    assert_true(engines_same(cn_data(before), cn_data(after), (size_t)cn_size(before) * sizeof(float)));
    train(model, 1, 3);
    train(loaded, 1, 3);
    assert_int_equal(cn_model_weights_sha256(model, went_on), CN_OK);
    assert_int_equal(cn_model_weights_sha256(loaded, resumed), CN_OK);
    assert_string_equal(went_on, resumed);
    char *one = cn_model_summary(model, 100), *other = cn_model_summary(loaded, 100);
    assert_string_equal(one, other);
    /* of 2 channels five, of 500 units mean and variance */
    assert_non_null(strstr(one, "Non-trainable params: 1,010"));
    cn_string_free(one);
    cn_string_free(other);
    cn_tensor_destroy(&before);
    cn_tensor_destroy(&after);
    cn_model_destroy(&model);
    cn_model_destroy(&loaded);
}

/* In inference nothing is drawn and samples do not know each other. */
static void one_sample_as_in_company(void **state)
{
    enum { SIZE = HEIGHT * WIDTH * CHANNELS };
    float alone[CLASSES];
    (void)state;
    cn_model *model = make_model(2, NULL, "float32", "rmsprop");
    train(model, 0, 1);
    cn_tensor *all = cn_predict(model, x);
    for (int i = 0; i < SAMPLES; i += 7) {
        assert_int_equal(cn_predict_into(model, 1, (const float *)cn_data(x) + i * SIZE, alone), CN_OK);
        assert_true(engines_same(alone, (const float *)cn_data(all) + i * CLASSES, sizeof alone));
    }
    cn_tensor_destroy(&all);
    cn_model_destroy(&model);
}

static void steps_and_predictions_allocate_nothing(void **state)
{
    float out[CLASSES];
    (void)state;
    cn_model *model = make_model(2, NULL, "float32", "rmsprop");
    assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    uint64_t before = cn__memory_allocations();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
        assert_int_equal(cn_predict_into(model, 1, cn_data(x), out), CN_OK);
    }
    assert_int_equal(cn__memory_allocations() - before, 0);
    cn_model_destroy(&model);
}

/* bfloat16 has three digits: losses of the same model, without random layers, agree to that. */
static void bfloat16_follows_float32(void **state)
{
    static const char *const precisions[] = {"float32", "mixed_bfloat16"};
    double losses[2][4];
    (void)state;
    for (int p = 0; p < 2; p++) {
        cn_model *model = cn_sequential(.threads = 2, .seed = 4, .precision = precisions[p]);
        cn_add(model, cn_input(HEIGHT, WIDTH, CHANNELS));
        for (int i = 0; i < N_LAYERS; i++)
            if (strncmp(stack[i], "random", 6) != 0 && strncmp(stack[i], "dropout", 7) != 0)
                cn_add(model, cn_layer_from_text(stack[i]));
        assert_int_equal(cn_compile(model, .optimizer_name = "sgd(0.05)", .loss = "sparse_categorical_crossentropy"),
                         CN_OK);
        for (int step = 0; step < 4; step++)
            assert_int_equal(cn_train_step(model, x, y, &losses[p][step]), CN_OK);
        cn_model_destroy(&model);
    }
    for (int step = 0; step < 4; step++) {
        assert_true(fabs(losses[1][step] - losses[0][step]) < 0.03 * losses[0][step]);
        assert_true(losses[1][step] != losses[0][step]); /* something was rounded */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_and_any_instruction_set),
        cmocka_unit_test(seeds_matter),
        cmocka_unit_test(training_goes_on_from_a_file),
        cmocka_unit_test(one_sample_as_in_company),
        cmocka_unit_test(steps_and_predictions_allocate_nothing),
        cmocka_unit_test(bfloat16_follows_float32),
    };
    return cmocka_run_group_tests_name("a stack of layers", tests, make_data, drop_data);
}
