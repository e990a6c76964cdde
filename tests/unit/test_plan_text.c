/* What cn_model_plan says of models whose plan is known. */
#include "base/cpu.h"

#include <cornu/cornu.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static cn_model *make_model(const char *optimizer, const char *precision, const char *isa, int64_t units)
{
    cn_model *model = cn_sequential(.threads = 1, .isa = isa, .precision = precision);
    cn_add(model, cn_dense(units, .activation = "relu", .input_shape = {100}));
    cn_add(model, cn_dense(20));
    assert_int_equal(cn_compile(model, .loss = "mse", .optimizer_name = optimizer), CN_OK);
    return model;
}

/* (30, 100) with one number in `every` that is not zero. */
static cn_tensor *inputs(int every, int different)
{
    cn_tensor *x = cn_tensor_create(CN_FLOAT32, 2, (const int64_t[]){30, 100});
    float *numbers = cn_data(x);
    for (int i = 0; i < 3000; i++) numbers[i] = i % every ? 0 : (float)(1 + i % different);
    return x;
}

static void expect_of(cn_model *model, cn_tensor *x, int64_t batch, const char *part)
{
    char *text = cn_model_plan(model, x, batch);
    assert_non_null(text);
    if (!strstr(text, part)) print_message("\"%s\" is missing in\n%s\n", part, text);
    assert_non_null(strstr(text, part));
    cn_string_free(text);
    cn_tensor_destroy(&x);
    cn_model_destroy(&model);
}

static void expect(const char *optimizer, const char *precision, cn_tensor *x, int64_t batch, const char *part)
{
    expect_of(make_model(optimizer, precision, "c", 40), x, batch, part);
}

static void zeros_decide(void **state)
{
    (void)state;
    expect("rmsprop", "float32", inputs(10, 50), 30, "10.0 % of the numbers are not zero (bytes pay below 40 %):");
    expect("rmsprop", "float32", inputs(10, 50), 30, "lists of non-zeros, summed exactly; tiles need");
    expect("rmsprop", "float32", inputs(10, 50), 30, "forward          lists of non-zeros");
    expect("rmsprop", "float32", inputs(2, 50), 30, "50.0 % of the numbers are not zero");
    expect("rmsprop", "float32", inputs(2, 50), 30, "forward          dense product in copied blocks");
    expect("rmsprop", "float32", inputs(4, 3000), 30, "dense rows, as they are not whole multiples");
    expect("rmsprop", "float32", NULL, 30, "no data set is given: dense rows");
    expect("rmsprop", "float64", inputs(10, 50), 30, "float64 has no sums over bytes");
}

/* Tiles only where the CPU has them and where enough numbers are not zero. */
static void ink_and_cpu_decide_about_tiles(void **state)
{
    (void)state;
    if (cn__isa_detected() != CN__ISA_AVX512 || !cn__cpu_amx_int8()) skip();
    expect_of(make_model("rmsprop", "float32", "avx512", 40), inputs(10, 50), 30,
              "tiles of bytes, summed exactly; below 5 %");
    expect_of(make_model("rmsprop", "float32", "avx512", 40), inputs(10, 50), 30, "kernel gradient  tiles\n");
    expect_of(make_model("rmsprop", "float32", "avx512", 40), inputs(10, 50), 30,
              "in fit 64 of 100 columns stand in tiles");
    expect_of(make_model("rmsprop", "float32", "avx512", 40), inputs(50, 50), 30,
              "sparse lists of non-zeros, made once");
    expect_of(make_model("rmsprop", "float32", "avx512", 40), inputs(50, 50), 30,
              "kernel gradient  lists of non-zeros, each row");
    expect_of(make_model("rmsprop", "float32", "avx2", 40), inputs(10, 50), 30, "tiles need the kernels avx512");
}

/* Without tiles of its own: lists of shorter numbers, of which twice as many are summed at a time. */
static void bfloat16_reads_lists_without_tiles(void **state)
{
    (void)state;
    expect_of(make_model("rmsprop", "mixed_bfloat16", "c", 40), inputs(10, 50), 30,
              "lists of non-zeros, exact sums of numbers of 14 and 15 bits");
    expect_of(make_model("rmsprop", "mixed_bfloat16", "c", 129), inputs(10, 50), 30, "in panels of 64 columns");
    expect_of(make_model("rmsprop", "mixed_bfloat16", "c", 40), inputs(2, 50), 30, "dense rows");
}

static void wide_kernels_stand_in_panels(void **state)
{
    (void)state;
    expect_of(make_model("rmsprop", "float32", "c", 129), inputs(10, 50), 30, "in panels of 32 columns");
    cn_model *narrow = make_model("rmsprop", "float32", "c", 128), *restless = make_model("adam", "float32", "c", 129);
    cn_tensor *x = inputs(10, 50);
    cn_model *const models[] = {narrow, restless};
    for (int i = 0; i < 2; i++) {
        char *text = cn_model_plan(models[i], x, 30);
        assert_null(strstr(text, "panels"));
        cn_string_free(text);
    }
    cn_tensor_destroy(&x);
    cn_model_destroy(&narrow);
    cn_model_destroy(&restless);
}

static void batches_may_be_too_large_for_bytes(void **state)
{
    (void)state;
    cn_tensor *x = cn_zeros(CN_UINT8, 9000, 100);
    expect_of(make_model("rmsprop", "float32", "c", 40), x, 8193, "dense rows, as this batch is too large for bytes");
}

static void the_optimizer_decides_who_waits(void **state)
{
    (void)state;
    expect("rmsprop", "float32", inputs(10, 50), 30, "rmsprop leaves such weights alone");
    expect("adam", "float32", inputs(10, 50), 30, "adam moves weights without a gradient");
    expect("rmsprop(momentum=0.9)", "float32", inputs(10, 50), 30, "rmsprop moves weights without a gradient");
}

static void the_batch_decides_the_product(void **state)
{
    (void)state;
    expect("sgd", "float32", NULL, 0, "batches of 32\n");
    expect("sgd", "float32", NULL, 3, "dense product, few rows");
    expect("sgd", "float32", NULL, 1, "non-zeros of a single row; one thread");
    expect("sgd", "float32", inputs(10, 50), 500, "batches of 30\n"); /* there are no more rows */
}

/* Which gradients of the layer that `name` begins with the plan lists, and why one of them is not computed. */
static void gradients_of(const char *plan, const char *name, char text[256])
{
    const char *line = strstr(plan, name);
    assert_non_null(line);
    text[0] = '\0';
    while ((line = strchr(line, '\n')) && line[1] == ' ' && ++line) {
        int is_gradient = !strncmp(line, "  input gradient ", 17) || !strncmp(line, "  kernel gradient ", 18) ||
                          !strncmp(line, "  gradients ", 12);
        const char *why = strstr(line, "as "), *end = strchr(line, '\n');
        int is_free = !strncmp(line + 19, "not needed", 10) && why && why < end;
        if (!is_gradient) continue;
        strncat(text, line + 2, strcspn(line + 2, " "));
        if (is_free) snprintf(text + strlen(text), 256 - strlen(text), " (%.*s)", (int)(end - why - 3), why + 3);
        strcat(text, ";");
    }
}

/* Two convolutions and two dense layers, some of them frozen. */
static void what_does_not_train_has_no_gradient(void **state)
{
    (void)state;
    static const char *const names[] = {"lower: 3", "upper: 3", "middle: 3", "last: 3"};
    static const struct {
        const char *frozen[4], *gradients[4];
    } cases[] = {
        {{NULL}, {"input (nothing lies below);kernel;", "gradients;", "input;kernel;", "input;kernel;"}},
        {{"upper", "middle"}, {"input (nothing lies below);kernel;", "kernel (it does not train);input;",
                               "input;kernel (it does not train);", "input;kernel;"}},
        {{"lower"}, {"input (nothing lies below);kernel (it does not train);", "input (nothing below trains);kernel;",
                     "input;kernel;", "input;kernel;"}},
        {{"lower", "upper", "middle"},
         {"input (nothing lies below);kernel (it does not train);",
          "input (nothing below trains);kernel (it does not train);",
          "input (nothing below trains);kernel (it does not train);", "input (nothing below trains);kernel;"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_model *model = cn_sequential(.threads = 1);
        cn_add(model, cn_conv2d(2, .kernel_size = {2}, .input_shape = {6, 6, 1}, .name = "lower"));
        cn_add(model, cn_conv2d(2, .kernel_size = {2}, .name = "upper"));
        cn_add(model, cn_flatten());
        cn_add(model, cn_dense(4, .name = "middle"));
        cn_add(model, cn_dense(3, .name = "last"));
        assert_int_equal(cn_compile(model, .loss = "mse"), CN_OK);
        for (int k = 0; k < 4 && cases[i].frozen[k]; k++)
            assert_int_equal(cn_model_set_trainable(model, cases[i].frozen[k], 0), CN_OK);
        char *plan = cn_model_plan(model, NULL, 3);
        assert_non_null(plan);
        for (int k = 0; k < 4; k++) {
            char gradients[256];
            gradients_of(plan, names[k], gradients);
            if (strcmp(gradients, cases[i].gradients[k])) print_message("%s\n", plan);
            assert_string_equal(gradients, cases[i].gradients[k]);
        }
        cn_string_free(plan);
        cn_model_destroy(&model);
    }
}

static void wrong_use(void **state)
{
    (void)state;
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_dense(4, .input_shape = {3}));
    assert_null(cn_model_plan(NULL, NULL, 0));
    assert_null(cn_model_plan(model, NULL, 0));
    assert_non_null(strstr(cn_error_message(), "not compiled"));
    assert_int_equal(cn_compile(model, .loss = "mse"), CN_OK);
    assert_null(cn_model_plan(model, NULL, -1));
    cn_tensor *x = inputs(10, 50);
    assert_null(cn_model_plan(model, x, 0));
    cn_tensor_destroy(&x);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_decide),
        cmocka_unit_test(ink_and_cpu_decide_about_tiles),
        cmocka_unit_test(bfloat16_reads_lists_without_tiles),
        cmocka_unit_test(wide_kernels_stand_in_panels),
        cmocka_unit_test(batches_may_be_too_large_for_bytes),
        cmocka_unit_test(the_optimizer_decides_who_waits),
        cmocka_unit_test(the_batch_decides_the_product),
        cmocka_unit_test(what_does_not_train_has_no_gradient),
        cmocka_unit_test(wrong_use),
    };
    return cmocka_run_group_tests_name("plan_text", tests, NULL, NULL);
}
