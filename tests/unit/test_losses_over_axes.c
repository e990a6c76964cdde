/* Losses that look at more than a row, against Keras (tests/parity/losses_over_axes.txt): over other axes, of
 * sequences, of pairs of rows; and crossentropy, which the shapes choose. */
#include "parity.h"

#include <cornu/cornu.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define FILE_NAME "losses_over_axes.txt"
enum { MOST_CASES = 64, MOST_NUMBERS = 96 };

static char texts[MOST_CASES][128], targets[MOST_CASES][32], outputs[MOST_CASES][32];
static int n_cases;

static int read_cases(void **state)
{
    (void)state;
    for (n_cases = 0; n_cases < MOST_CASES; n_cases++) {
        char key[64];
        snprintf(key, sizeof key, "case%d.text", n_cases);
        const char *text = parity_text(FILE_NAME, key);
        if (!text) break;
        snprintf(texts[n_cases], sizeof *texts, "%s", text);
        snprintf(key, sizeof key, "case%d.inputs", n_cases);
        if (sscanf(parity_text(FILE_NAME, key), "%31s %31s", targets[n_cases], outputs[n_cases]) != 2) return -1;
    }
    return n_cases >= 20 ? 0 : -1;
}

static cn_tensor *input(const char *name, cn_dtype dtype)
{
    double values[MOST_NUMBERS], sizes[4];
    int64_t shape[4];
    char key[64];
    snprintf(key, sizeof key, "%s.shape", name);
    int ndim = parity_numbers(FILE_NAME, key, sizes, 4);
    for (int i = 0; i < ndim; i++) shape[i] = (int64_t)sizes[i];
    assert_true(ndim > 0 && parity_numbers(FILE_NAME, name, values, MOST_NUMBERS) > 0);
    cn_tensor *wide = cn_tensor_from(CN_FLOAT64, ndim, shape, values), *tensor = cn_astype(wide, dtype);
    cn_tensor_destroy(&wide);
    return tensor;
}

/* One weight for each sample of `output`; NULL where the record has none. */
static cn_tensor *weights_of(int weighted, const cn_tensor *output)
{
    double values[MOST_NUMBERS];
    if (!weighted) return NULL;
    assert_int_equal(parity_numbers(FILE_NAME, "weights", values, MOST_NUMBERS), 6);
    return cn_tensor_from(CN_FLOAT64, 1, cn_shape(output), values);
}

static int is_recorded(int which, int weighted)
{
    char key[64];
    double value[MOST_NUMBERS];
    snprintf(key, sizeof key, "case%d.sum.%d", which, weighted);
    return parity_numbers(FILE_NAME, key, value, MOST_NUMBERS) == 1;
}

/* Largest difference relative to the record's size; infinity when the record has another count. Takes the tensor. */
static double compare(int which, const char *what, int weighted, const char *behind, cn_tensor *got)
{
    char key[96];
    double expected[MOST_NUMBERS], worst = 0;
    snprintf(key, sizeof key, "case%d.%s.%d%s", which, what, weighted, behind);
    int n = parity_numbers(FILE_NAME, key, expected, MOST_NUMBERS);
    if (!got || n != cn_size(got)) worst = INFINITY;
    cn_tensor *flat = got ? cn_reshape(got, -1) : NULL;
    for (int i = 0; flat && i < n && i < cn_size(flat); i++) {
        double off = fabs(cn_get(flat, i) - expected[i]) / (fabs(expected[i]) + 0.1);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    cn_tensor_destroy(&got);
    return worst;
}

static const char *with_reduction(int which, const char *reduction, char text[192])
{
    size_t length = strlen(texts[which]);
    int has_brackets = texts[which][length - 1] == ')';
    snprintf(text, 192, "%.*s%sreduction=%s)", (int)length - has_brackets, texts[which], has_brackets ? ", " : "(",
             reduction);
    return text;
}

static double check_values(int which, cn_dtype dtype, int weighted)
{
    static const char *const reductions[] = {"sum_over_batch_size", "sum", "mean_with_sample_weight", "none"};
    char text[192];
    double worst = 0;
    cn_tensor *target = input(targets[which], dtype), *output = input(outputs[which], dtype);
    cn_tensor *weights = weights_of(weighted, output);
    int chosen = strstr(texts[which], "ce") == texts[which] || strstr(texts[which], "crossentropy") == texts[which];
    for (int i = 0; i < (chosen ? 1 : 4); i++) { /* crossentropy takes no arguments */
        with_reduction(which, reductions[i], text);
        const char *loss = chosen ? texts[which] : text;
        worst = fmax(worst,
                     compare(which, reductions[i], weighted, "", cn_loss_compute(loss, target, output, weights)));
        if (i == 0 || (i == 2 && weighted))
            worst = fmax(worst, compare(which, reductions[i], weighted, ".gradient",
                                        cn_loss_gradient(loss, target, output, weights)));
    }
    cn_tensor_destroy(&target);
    cn_tensor_destroy(&output);
    cn_tensor_destroy(&weights);
    return worst;
}

static void values_and_gradients_are_those_of_keras(void **state)
{
    (void)state;
    int bad = 0;
    for (int i = 0; i < n_cases; i++)
        for (int weighted = 0; weighted < 1 + is_recorded(i, 1); weighted++) {
            /* gamma multiplies the rounding of distances */
            double bound = strcmp(texts[i], "circle") ? 4e-6 : 6e-5;
            double narrow = check_values(i, CN_FLOAT32, weighted), wide = check_values(i, CN_FLOAT64, weighted);
            if (!(narrow < bound && wide < bound))
                print_message("%s, %s %s: off by %g, float64 %g\n", texts[i], targets[i], weighted ? "weighted" : "",
                              narrow, wide);
            bad += !(narrow < bound && wide < bound);
        }
    assert_int_equal(bad, 0);
}

static cn_model *make_model(int which, const char *precision, int threads, int64_t *k)
{
    cn_tensor *x = input(outputs[which], CN_FLOAT32);
    const char *name = outputs[which];
    int shares = !strcmp(name, "shares") || !strcmp(name, "column") || !strcmp(name, "rows"), ndim = cn_ndim(x);
    float kernel[16];
    *k = cn_shape(x)[ndim - 1];
    cn_model *model = cn_sequential(.precision = precision, .threads = threads);
    cn_add(model, cn_dense((int)*k, .activation = shares ? "sigmoid" : "linear",
                           .input_shape = {cn_shape(x)[1], ndim == 3 ? cn_shape(x)[2] : 0}));
    assert_int_equal(cn_compile(model, .optimizer_name = "sgd(0.05)", .loss = texts[which]), CN_OK);
    for (int i = 0; i < *k; i++)
        for (int j = 0; j < *k; j++) kernel[i * *k + j] = (float)((3 * i + 5 * j) % 7 - 3) / 5;
    cn_tensor *start = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){*k, *k}, kernel);
    assert_int_equal(cn_model_set_weight(model, 0, start), CN_OK);
    cn_tensor_destroy(&start);
    cn_tensor_destroy(&x);
    return model;
}

static double check_steps(int which, const char *precision, int threads, int weighted)
{
    int64_t k;
    cn_model *model = make_model(which, precision, threads, &k);
    cn_tensor *x = input(outputs[which], CN_FLOAT32), *y = input(targets[which], CN_FLOAT32);
    cn_tensor *weights = weights_of(weighted, x);
    int status = cn_fit(model, x, y, .sample_weight = weights, .batch_size = (int)cn_len(x), .epochs = 3, .shuffle = 0);
    if (status < 0) print_message("%s: %s\n", texts[which], cn_error_message());
    assert_int_equal(status, CN_OK);
    cn_tensor *losses = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){3}, cn_history_get(cn_model_history(model), "loss"));
    double worst = compare(which, "steps", weighted, "", losses);
    worst = fmax(worst, compare(which, "kernel", weighted, "", cn_model_get_weight(model, 0)));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&weights);
    cn_model_destroy(&model);
    return worst;
}

static void three_steps_end_where_those_of_keras_do(void **state)
{
    (void)state;
    int bad = 0;
    for (int i = 0; i < n_cases; i++)
        for (int weighted = 0; weighted < 1 + is_recorded(i, 1); weighted++) {
            double bound = strcmp(texts[i], "circle") ? 4e-6 : 6e-5;
            double narrow = check_steps(i, "float32", 1, weighted), wide = check_steps(i, "float64", 2, weighted);
            if (!(narrow < bound && wide < bound))
                print_message("%s, %s %s: off by %g, float64 %g\n", texts[i], targets[i], weighted ? "weighted" : "",
                              narrow, wide);
            bad += !(narrow < bound && wide < bound);
        }
    assert_int_equal(bad, 0);
}

static void another_number_is_noticed(void **state)
{
    (void)state;
    double value[1];
    assert_int_equal(parity_numbers(FILE_NAME, "case0.sum.0", value, 1), 1);
    assert_true(compare(0, "sum", 0, "", cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){1}, value)) < 1e-8);
    value[0] += 1e-5;
    assert_false(compare(0, "sum", 0, "", cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){1}, value)) < 4e-6);
    value[0] = NAN;
    assert_false(compare(0, "sum", 0, "", cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){1}, value)) < 4e-6);
    assert_false(compare(0, "sum", 0, "", NULL) < 4e-6);
}

/* --- differences in float64 --- */

static double value_of(const char *text, const cn_tensor *target, const cn_tensor *output, const cn_tensor *weights)
{
    cn_tensor *loss = cn_loss_compute(text, target, output, weights);
    assert_non_null(loss);
    double value = cn_tensor_get(loss, NULL);
    cn_tensor_destroy(&loss);
    return value;
}

static double check_differences(int which, int weighted)
{
    const double step = 1e-6;
    cn_tensor *target = input(targets[which], CN_FLOAT64), *output = input(outputs[which], CN_FLOAT64);
    cn_tensor *weights = weights_of(weighted, output);
    double *numbers = cn_data(output), worst = 0;
    for (int i = 0; i < cn_size(output); i++) numbers[i] = 0.99 * numbers[i] + 0.001; /* away from corners */
    cn_tensor *gradient = cn_loss_gradient(texts[which], target, output, weights);
    assert_non_null(gradient);
    for (int i = 0; i < cn_size(output); i++) {
        double kept = numbers[i];
        numbers[i] = kept + step;
        double above = value_of(texts[which], target, output, weights);
        numbers[i] = kept - step;
        double below = value_of(texts[which], target, output, weights);
        numbers[i] = kept;
        double slope = ((double *)cn_data(gradient))[i];
        double off = fabs((above - below) / (2 * step) - slope) / (1 + fabs(slope));
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    cn_tensor_destroy(&target);
    cn_tensor_destroy(&output);
    cn_tensor_destroy(&weights);
    cn_tensor_destroy(&gradient);
    return worst;
}

static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    for (int i = 0; i < n_cases; i++)
        for (int weighted = 0; weighted < 1 + is_recorded(i, 1); weighted++) {
            double off = check_differences(i, weighted);
            if (!(off < 1e-6)) print_message("%s, %s: off by %g\n", texts[i], targets[i], off);
            assert_true(off < 1e-6);
        }
}

/* A sparse loss over axis 1 is that of the transposed arrays. */
static void labels_of_another_axis(void **state)
{
    (void)state;
    cn_tensor *labels = input("of_axis_1", CN_INT32), *output = input("shares", CN_FLOAT64);
    cn_tensor *turned = cn_tensor_transpose(output, (const int[]){0, 2, 1}), *one_hot = cn_to_categorical(labels, 2);
    double of_axis = value_of("sparse_categorical_crossentropy(axis=1)", labels, output, NULL);
    assert_true(fabs(of_axis - value_of("sparse_categorical_crossentropy", labels, turned, NULL)) < 1e-12);
    cn_tensor *back = cn_tensor_transpose(one_hot, (const int[]){0, 2, 1});
    assert_true(fabs(of_axis - value_of("categorical_crossentropy(axis=1)", back, output, NULL)) < 1e-7);
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_dense(3, .input_shape = {2, 3}));
    assert_int_equal(cn_compile(model, .optimizer_name = "adam(0.05)",
                                .loss = "sparse_categorical_crossentropy(axis=1, from_logits=1)"), CN_OK);
    assert_int_equal(cn_fit(model, output, labels, .epochs = 60, .batch_size = 4), CN_OK);
    const double *losses = cn_history_get(cn_model_history(model), "loss");
    assert_true(losses[59] < 0.9 * losses[0]);
    cn_model_destroy(&model);
    cn_tensor_destroy(&labels);
    cn_tensor_destroy(&output);
    cn_tensor_destroy(&one_hot);
}

static void nan_is_not_swallowed(void **state)
{
    (void)state;
    for (int i = 0; i < n_cases; i++) {
        cn_tensor *target = input(targets[i], CN_FLOAT32), *output = input(outputs[i], CN_FLOAT32);
        for (int k = 0; k < cn_size(output); k++) ((float *)cn_data(output))[k] = NAN;
        double value = value_of(texts[i], target, output, NULL);
        if (!isnan(value)) print_message("%s swallows NaN\n", texts[i]);
        assert_true(isnan(value));
        cn_tensor_destroy(&target);
        cn_tensor_destroy(&output);
    }
}

/* --- what users may get wrong --- */

static void refuses(const char *text, const char *y_true, const char *y_pred, int weighted, int status,
                    const char *words)
{
    cn_tensor *target = input(y_true, CN_FLOAT32), *output = input(y_pred, CN_FLOAT32);
    cn_tensor *weights = weights_of(weighted, output);
    cn_error_clear();
    assert_null(cn_loss_compute(text, target, output, weights));
    if (cn_error_status() != status || !strstr(cn_error_message(), words))
        print_message("%s: %d \"%s\"\n", text, cn_error_status(), cn_error_message());
    assert_int_equal(cn_error_status(), status);
    assert_non_null(strstr(cn_error_message(), words));
    cn_tensor_destroy(&target);
    cn_tensor_destroy(&output);
    cn_tensor_destroy(&weights);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    refuses("dice(axis=3)", "bits", "shares", 0, CN_EINVAL,
            "3 axes, batch included, so axis must lie in -3 ... 2, got 3");
    refuses("dice(axis=(1, -2))", "bits", "shares", 0, CN_EINVAL, "axis 1 is given twice");
    refuses("dice(axis=first)", "bits", "shares", 0, CN_EINVAL, "axis must be a whole number such as -1");
    refuses("dice(axis=[])", "bits", "shares", 0, CN_EINVAL, "names no axis");
    refuses("mse(axis=1)", "values", "reals", 0, CN_ENAME, "reduction");
    refuses("cosine_similarity(axis=0)", "values", "reals", 1, CN_EINVAL, "with axis 0 a number belongs to no sample");
    refuses("circle(gamma=0)", "kinds", "embeddings", 0, CN_EINVAL, "gamma must be above 0, got 0");
    refuses("circle(margin=1.5)", "kinds", "embeddings", 0, CN_EINVAL, "margin must lie in 0 ... 1, got 1.5");
    refuses("circle", "rows", "rows", 0, CN_ESHAPE, "circle: y_true of shape (4, 3) does not go with");
    refuses("circle", "weights", "embeddings", 0, CN_EINVAL, "label 0.5 in row 3 is no whole number");
    refuses("ctc", "labels", "steps", 0, CN_ESHAPE,
            "ctc: y_true of shape (4,) does not go with y_pred of shape (3, 6, 4)");
    refuses("ctc(axis=1)", "spelled", "steps", 0, CN_ENAME, "reduction");
    refuses("crossentropy(from_logits=1)", "one_hot", "rows", 0, CN_EINVAL, "takes no arguments");
    refuses("crossentrpy", "one_hot", "rows", 0, CN_ENAME, "did you mean \"crossentropy\"");
    cn_tensor *steps = input("steps", CN_FLOAT32), *labels = input("spelled", CN_FLOAT32);
    cn_tensor_set(labels, (int64_t[]){0, 3}, 1);
    assert_null(cn_loss_compute("ctc", labels, steps, NULL));
    assert_non_null(strstr(cn_error_message(), "row 0 of the labels has a 0 before a label"));
    cn_tensor_set(labels, (int64_t[]){0, 3}, 4);
    assert_null(cn_loss_compute("ctc", labels, steps, NULL));
    assert_non_null(strstr(cn_error_message(), "label 4 in row 0 is not one of the classes 0 ... 3"));
    cn_tensor_destroy(&steps);
    cn_tensor_destroy(&labels);
}

static void a_model_refuses(cn_model *model, const char *loss, const char *metric, const char *words)
{
    int status = cn_compile(model, .loss = loss, .metrics = {metric});
    if (status >= 0 || !strstr(cn_error_message(), words)) print_message("%s: \"%s\"\n", loss, cn_error_message());
    assert_true(status < 0);
    assert_non_null(strstr(cn_error_message(), words));
}

static void models_say_what_does_not_fit(void **state)
{
    (void)state;
    cn_model *flat = cn_sequential(.threads = 1), *deep = cn_sequential(.threads = 1);
    cn_add(flat, cn_dense(3, .input_shape = {3}));
    cn_add(deep, cn_dense(4, .input_shape = {6, 4}));
    a_model_refuses(flat, "ctc", NULL, "needs outputs of shape (n, steps, classes)");
    a_model_refuses(deep, "circle", NULL, "needs one row of numbers for each sample");
    a_model_refuses(deep, "ctc", "accuracy", "its labels are sequences, which only the metric ctc reads");
    a_model_refuses(deep, "sparse_categorical_crossentropy", "ctc", "its labels are no sequences");
    a_model_refuses(deep, "sparse_categorical_crossentropy(axis=1)", "accuracy", "need the same axis");
    a_model_refuses(deep, "dice(axis=4)", NULL, "axis must lie in -3 ... 2, got 4");
    cn_tensor *x = cn_zeros(CN_FLOAT32, 3, 6, 4), *y = cn_zeros(CN_FLOAT32, 3, 7), *w = cn_zeros(CN_FLOAT32, 3, 6);
    assert_int_equal(cn_compile(deep, .loss = "ctc"), CN_OK);
    assert_int_equal(cn_fit(deep, x, y, .epochs = 1), CN_ESHAPE);
    assert_non_null(strstr(cn_error_message(), "length 1 ... 6 since dense gives so many steps; got (3, 7)"));
    assert_int_equal(cn_fit(deep, x, cn_slice(y, {0, 3}, {0, 4}), .epochs = 1, .sample_weight = w), CN_ESHAPE);
    assert_non_null(strstr(cn_error_message(), "one number for each sample"));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&w);
    cn_model_destroy(&flat);
    cn_model_destroy(&deep);
}

/* "crossentropy" is chosen by the targets of the first fit, and again by others; accuracy follows. */
static void crossentropy_follows_the_targets(void **state)
{
    (void)state;
    cn_tensor *x = input("rows", CN_FLOAT32), *labels = input("labels", CN_INT32),
              *one_hot = input("one_hot", CN_FLOAT32);
    cn_result by_label, by_row;
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_dense(3, .activation = "softmax", .input_shape = {3}));
    assert_int_equal(cn_compile(model, .loss = "crossentropy", .metrics = {"accuracy"}), CN_OK);
    assert_int_equal(cn_fit(model, x, labels, .epochs = 2, .batch_size = 4), CN_OK);
    assert_int_equal(cn_evaluate(model, x, labels, &by_label), CN_OK);
    assert_int_equal(cn_evaluate(model, x, one_hot, &by_row), CN_OK);
    assert_true(fabs(by_label.loss - by_row.loss) < 1e-6 && by_label.accuracy == by_row.accuracy);
    assert_int_equal(cn_loss_takes_labels("crossentropy"), 1);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&labels);
    cn_tensor_destroy(&one_hot);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_number_is_noticed),
        cmocka_unit_test(values_and_gradients_are_those_of_keras),
        cmocka_unit_test(three_steps_end_where_those_of_keras_do),
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(labels_of_another_axis),
        cmocka_unit_test(nan_is_not_swallowed),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(models_say_what_does_not_fit),
        cmocka_unit_test(crossentropy_follows_the_targets),
    };
    return cmocka_run_group_tests_name("losses over axes", tests, read_cases, NULL);
}
