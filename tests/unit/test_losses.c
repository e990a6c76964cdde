/* Every loss against Keras (tests/parity/losses.txt): each reduction, weights, gradients, three training steps. */
#include "engines.h"
#include "parity.h"
#include "train/loss.h"

#include <cornu/loss.h>
#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ROWS = 4, COLUMNS = 3, MOST_CASES = 64 };

static char texts[MOST_CASES][128], targets[MOST_CASES][32], outputs[MOST_CASES][32];
static int n_cases;

/* The text behind "key: " in losses.txt. */
static int read_text(const char *key, char *text, size_t size)
{
    char path[1024], line[8192];
    snprintf(path, sizeof path, "%s/losses.txt", CN_PARITY_DIR);
    FILE *stream = fopen(path, "r");
    size_t length = strlen(key);
    int found = 0;
    while (stream && !found && fgets(line, sizeof line, stream))
        if (!strncmp(line, key, length) && line[length] == ':') {
            line[strcspn(line, "\n")] = '\0';
            snprintf(text, size, "%s", line + length + 2);
            found = 1;
        }
    if (stream) fclose(stream);
    return found;
}

static int read_cases(void **state)
{
    (void)state;
    char key[64], both[80];
    for (n_cases = 0; n_cases < MOST_CASES; n_cases++) {
        snprintf(key, sizeof key, "case%d.text", n_cases);
        if (!read_text(key, texts[n_cases], sizeof *texts)) break;
        snprintf(key, sizeof key, "case%d.inputs", n_cases);
        assert_true(read_text(key, both, sizeof both));
        assert_int_equal(sscanf(both, "%31s %31s", targets[n_cases], outputs[n_cases]), 2);
    }
    return n_cases ? 0 : -1;
}

static cn_tensor *input(const char *name, cn_dtype dtype)
{
    double values[ROWS * COLUMNS];
    int n = parity_numbers("losses.txt", name, values, ROWS * COLUMNS);
    assert_true(n == ROWS || n == ROWS * COLUMNS);
    cn_tensor *wide = cn_tensor_from(CN_FLOAT64, n == ROWS ? 1 : 2, (int64_t[]){ROWS, COLUMNS}, values);
    cn_tensor *tensor = cn_astype(wide, dtype);
    cn_tensor_destroy(&wide);
    return tensor;
}

/* Largest difference relative to the record's size; infinity when the record has another count. Takes the tensor. */
static double compare(int which, const char *what, int weighted, const char *behind, cn_tensor *got)
{
    char key[96];
    double expected[ROWS * COLUMNS], worst = 0;
    snprintf(key, sizeof key, "case%d.%s.%d%s", which, what, weighted, behind);
    int n = parity_numbers("losses.txt", key, expected, ROWS * COLUMNS);
    if (!got || n != cn_size(got)) worst = INFINITY;
    cn_tensor *flat = got ? cn_reshape(got, -1) : NULL;
    for (int i = 0; flat && i < n; i++) {
        double off = fabs(cn_get(flat, i) - expected[i]) / (fabs(expected[i]) + 0.1);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    cn_tensor_destroy(&got);
    return worst;
}

/* The case's loss with a reduction among its arguments. */
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
    cn_tensor *weights = weighted ? input("weights", dtype) : NULL;
    for (int i = 0; i < 4; i++) {
        /* Keras hands dice and tversky out as one number whatever the reduction is; ours gives one for each row. */
        if (i == 3 && (strstr(texts[which], "dice") || strstr(texts[which], "tversky"))) continue;
        with_reduction(which, reductions[i], text);
        worst = fmax(worst,
                     compare(which, reductions[i], weighted, "", cn_loss_compute(text, target, output, weights)));
        if (i == 0 || (i == 2 && weighted))
            worst = fmax(worst, compare(which, reductions[i], weighted, ".gradient",
                                        cn_loss_gradient(text, target, output, weights)));
    }
    cn_tensor_destroy(&target);
    cn_tensor_destroy(&output);
    cn_tensor_destroy(&weights);
    return worst;
}

static void values_and_gradients_are_those_of_keras(void **state)
{
    (void)state;
    for (int i = 0; i < n_cases; i++)
        for (int weighted = 0; weighted < 2; weighted++) {
            double narrow = check_values(i, CN_FLOAT32, weighted), wide = check_values(i, CN_FLOAT64, weighted);
            if (!(narrow < 2e-6 && wide < 2e-6))
                print_message("%s, %s %s: off by %g, float64 %g\n", texts[i], targets[i], weighted ? "weighted" : "",
                              narrow, wide);
            assert_true(narrow < 2e-6 && wide < 2e-6);
        }
}

static double check_steps(int which, const char *precision, int weighted)
{
    const char *activation = "softmax";
    const float kernel[] = {.3f, -.2f, .1f, .5f, .4f, -.6f, -.1f, .2f, .7f};
    if (strstr(texts[which], "from_logits") || !strcmp(outputs[which], "reals")) activation = "linear";
    else if (!strcmp(targets[which], "bits")) activation = "sigmoid";
    cn_model *model = cn_sequential(.precision = precision, .threads = 2);
    cn_add(model, cn_dense(COLUMNS, .activation = activation, .input_shape = {COLUMNS}));
    assert_int_equal(cn_compile(model, .optimizer_name = "sgd(0.1)", .loss = texts[which]), CN_OK);
    cn_tensor *start = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){COLUMNS, COLUMNS}, kernel);
    assert_int_equal(cn_model_set_weight(model, 0, start), CN_OK);
    cn_tensor_destroy(&start);
    cn_tensor *x = input("reals", CN_FLOAT32), *y = input(targets[which], CN_FLOAT32);
    cn_tensor *weights = weighted ? input("weights", CN_FLOAT32) : NULL;
    assert_int_equal(cn_fit(model, x, y, .sample_weight = weights, .batch_size = ROWS, .epochs = 3, .shuffle = 0),
                     CN_OK);
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
    for (int i = 0; i < n_cases; i++)
        for (int weighted = 0; weighted < 2; weighted++) {
            double narrow = check_steps(i, "float32", weighted), wide = check_steps(i, "float64", weighted);
            if (!(narrow < 4e-6 && wide < 4e-6))
                print_message("%s, %s %s: off by %g, float64 %g\n", texts[i], targets[i], weighted ? "weighted" : "",
                              narrow, wide);
            assert_true(narrow < 4e-6 && wide < 4e-6);
        }
}

static void every_loss_has_a_case(void **state)
{
    (void)state;
    for (int i = 0; cn_names(CN_NAMES_LOSS, i); i++) {
        /* test_losses_over_axes.c */
        int found = !strcmp(cn_names(CN_NAMES_LOSS, i), "circle") || !strcmp(cn_names(CN_NAMES_LOSS, i), "ctc");
        for (int k = 0; k < n_cases; k++)
            found |= !strncmp(texts[k], cn_names(CN_NAMES_LOSS, i), strcspn(texts[k], "("));
        if (!found) print_message("no case for %s\n", cn_names(CN_NAMES_LOSS, i));
        assert_true(found);
    }
}

static void another_number_is_noticed(void **state)
{
    (void)state;
    cn_tensor *losses = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){1}, (double[]){1.12392139});
    assert_true(compare(0, "sum_over_batch_size", 0, "", losses) < 1e-8);
    losses = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){1}, (double[]){1.12393});
    assert_false(compare(0, "sum_over_batch_size", 0, "", losses) < 2e-6);
    losses = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){1}, (double[]){NAN});
    assert_false(compare(0, "sum_over_batch_size", 0, "", losses) < 2e-6);
    assert_false(compare(0, "sum_over_batch_size", 0, "", NULL) < 2e-6);
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
    cn_tensor *weights = weighted ? input("weights", CN_FLOAT64) : NULL;
    double *numbers = cn_data(output), worst = 0;
    /* away from corners and equal numbers */
    for (int i = 0; i < ROWS * COLUMNS; i++) numbers[i] += 0.001 * (i + 1) / 7;
    cn_tensor *gradient = cn_loss_gradient(texts[which], target, output, weights);
    assert_non_null(gradient);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
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
        for (int weighted = 0; weighted < 2; weighted++) {
            double off = check_differences(i, weighted);
            if (!(off < 1e-7)) print_message("%s, %s: off by %g\n", texts[i], targets[i], off);
            assert_true(off < 1e-7);
        }
}

/* --- the same bits in every engine --- */

static void the_same_bits_in_every_engine(void **state)
{
    (void)state;
    enum { MANY = 37, WIDE = 19 };
    static float output[MANY * WIDE], target[MANY * WIDE], loss[2][MANY], gradient[2][MANY * WIDE], p[MANY * WIDE];
    static float room[MANY * 10]; /* sequences of one step with one label */
    int32_t labels[MANY];
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    engines_fill(output, MANY * WIDE, 1);
    engines_fill(target, MANY * WIDE, 2);
    for (int i = 0; i < MANY * WIDE; i++) output[i] = 0.01f + fabsf(output[i]);
    for (int i = 0; i < MANY; i++) labels[i] = i % WIDE;
    for (int id = 0; id < CN__LOSS_COUNT; id++)
        for (int logits = 0; logits <= (engines[0]->losses[id]->measure_from_logits != NULL); logits++)
            for (int e = 0; e < n; e++) {
                int out = e > 0;
                const cn__loss_math *math = engines[e]->losses[id];
                const cn__scores scores = {.rows = MANY, .columns = WIDE, .options = &cn__loss_classes[id]->defaults,
                                           .target = target, .labels = labels, .output = output, .probabilities = p,
                                           .row_loss = loss[out], .steps = 1, .length = 1, .room = room,
                                           .gradient = gradient[out], .divisor = MANY};
                if (logits) math->measure_from_logits(&scores);
                else math->measure(&scores);
                assert_true(!out || engines_same(loss[0], loss[1], sizeof loss[0]));
                assert_true(!out || engines_same(gradient[0], gradient[1], sizeof gradient[0]));
            }
}

/* Cross-entropies take sixteen short rows at a time. */
static void a_row_does_not_depend_on_its_company(void **state)
{
    (void)state;
    enum { MANY = 37, WIDE = 17 };
    static const int64_t columns[] = {1, 10, 16, 17};
    static const int ids[] = {CN__LOSS_categorical_crossentropy, CN__LOSS_sparse_categorical_crossentropy};
    static float z[MANY * WIDE], target[MANY * WIDE];
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    engines_fill(z, MANY * WIDE, 3);
    engines_fill(target, MANY * WIDE, 4);
    for (int c = 0; c < (int)(sizeof columns / sizeof *columns); c++) {
        int32_t labels[MANY];
        for (int i = 0; i < MANY; i++) labels[i] = (int32_t)(i * 7 % columns[c]);
        labels[20] = -1;
        for (int i = 0; i < 2 * n; i++) {
            static float loss[2][MANY], gradient[2][MANY * WIDE], p[2][MANY * WIDE];
            cn__loss_options options = {.label_smoothing = 0.1, .ignore_class = -1};
            for (int alone = 0; alone <= 1; alone++)
                for (int64_t r = 0; r < MANY; r += alone ? 1 : MANY)
                    engines[i / 2]->losses[ids[i % 2]]->measure_from_logits(
                        &(cn__scores){.rows = alone ? 1 : MANY, .columns = columns[c], .options = &options,
                                      .target = target + r * columns[c], .labels = labels + r,
                                      .output = z + r * columns[c], .probabilities = p[alone] + r * columns[c],
                                      .row_loss = loss[alone] + r, .gradient = gradient[alone] + r * columns[c],
                                      .divisor = MANY});
            assert_true(engines_same(loss[0], loss[1], sizeof loss[0]));
            assert_true(engines_same(gradient[0], gradient[1], sizeof gradient[0]));
            assert_true(engines_same(p[0], p[1], sizeof p[0]));
        }
    }
}

static void nan_is_not_swallowed(void **state)
{
    (void)state;
    for (int i = 0; i < n_cases; i++) {
        cn_tensor *target = input(targets[i], CN_FLOAT32), *output = input(outputs[i], CN_FLOAT32);
        for (int k = 0; k < ROWS * COLUMNS; k++) ((float *)cn_data(output))[k] = NAN;
        cn_tensor *loss = cn_loss_compute(texts[i], target, output, NULL);
        if (!isnan(cn_tensor_get(loss, NULL))) print_message("%s swallows NaN\n", texts[i]);
        assert_true(isnan(cn_tensor_get(loss, NULL)));
        cn_tensor_destroy(&target);
        cn_tensor_destroy(&output);
        cn_tensor_destroy(&loss);
    }
}

/* --- what users may get wrong --- */

static void refuses(const char *text, int status, const char *words)
{
    cn_tensor *target = input("one_hot", CN_FLOAT32), *output = input("reals", CN_FLOAT32);
    cn_error_clear();
    assert_null(cn_loss_compute(text, target, output, NULL));
    if (cn_error_status() != status || !strstr(cn_error_message(), words))
        print_message("%s: %d \"%s\"\n", text, cn_error_status(), cn_error_message());
    assert_int_equal(cn_error_status(), status);
    assert_non_null(strstr(cn_error_message(), words));
    cn_tensor_destroy(&target);
    cn_tensor_destroy(&output);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    refuses("hubr", CN_ENAME, "did you mean \"huber\"");
    refuses("huber(delta=0)", CN_EINVAL, "delta must be above 0, got 0");
    refuses("huber(delta=nan)", CN_EINVAL, "delta must be above 0");
    refuses("huber(dalta=1)", CN_ENAME, "delta");
    refuses("mse(delta=1)", CN_ENAME, "reduction");
    refuses("bce(label_smoothing=1.5)", CN_EINVAL, "label_smoothing must lie in 0 ... 1, got 1.5");
    refuses("cce(label_smoothing=-0.1)", CN_EINVAL, "got -0.1");
    refuses("cce(reduction=average)", CN_EINVAL, "sum_over_batch_size (or mean), sum, mean_with_sample_weight or none");
    refuses("binary_focal_crossentropy(gamma=-1)", CN_EINVAL, "gamma must not be negative, got -1");
    refuses("categorical_focal_crossentropy(alpha=-1)", CN_EINVAL, "alpha must not be negative, got -1");
    refuses("categorical_generalized_cross_entropy(q=1)", CN_EINVAL, "q must lie in 0 ... 1");
    refuses("sparse_categorical_crossentropy", CN_ESHAPE,
            "y_true of shape (4, 3) does not go with y_pred of shape (4, 3)");
    refuses("", CN_EINVAL, "expected a name");
}

static void names_of_classes_and_short_ones_will_do(void **state)
{
    (void)state;
    static const char *const same[][2] = {{"CategoricalCrossentropy(from_logits=True)",
                                           "categorical_crossentropy(from_logits=1)"},
                                          {"MSE", "mean_squared_error"},
                                          {"KLD", "kl_divergence"},
                                          {"LogCosh", "log_cosh"},
                                          {"mean_absolute_error(reduction=mean)", "mae"}};
    cn_tensor *target = input("one_hot", CN_FLOAT32), *output = input("reals", CN_FLOAT32);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(value_of(same[i][0], target, output, NULL) == value_of(same[i][1], target, output, NULL));
    cn_tensor_destroy(&target);
    cn_tensor_destroy(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_number_is_noticed),
        cmocka_unit_test(every_loss_has_a_case),
        cmocka_unit_test(values_and_gradients_are_those_of_keras),
        cmocka_unit_test(three_steps_end_where_those_of_keras_do),
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(the_same_bits_in_every_engine),
        cmocka_unit_test(a_row_does_not_depend_on_its_company),
        cmocka_unit_test(nan_is_not_swallowed),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(names_of_classes_and_short_ones_will_do),
    };
    return cmocka_run_group_tests_name("losses", tests, read_cases, NULL);
}
