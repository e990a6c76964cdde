/* Initializers: distributed as Keras's are (values recorded in tests/parity/initializers.txt), seeds of their own,
 * names, and bad arguments. */
#include "layers/initializer.h"
#include "parity.h"

#include <cornu/cornu.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

enum { MOST = 32768, MOST_POINTS = 16, MOST_CASES = 96 };
static const char *const file = "initializers.txt";

static int64_t fill(const char *text, uint64_t seed, int ndim, const int64_t *shape, double *values)
{
    cn__random random;
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    assert_true(count <= MOST);
    cn__random_begin(&random, seed, CN__FOR_INITIALIZER, 0);
    if (cn__initializer_fill("w", text, &random, ndim, shape, values) < 0) {
        print_message("%s: %s\n", text, cn_error_message());
        fail();
    }
    return count;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const char *key(const char *name, const char *part)
{
    static char text[96];
    snprintf(text, sizeof text, "%.48s.%.40s", name, part);
    return text;
}

/* 1 if sorted draws have the minimum, quantiles and maximum that Keras's have. 20000 draws know a quantile to about a
 * hundredth of the spread; bounds of a uniform distribution and of a cut normal one are sharp, so both see them, while
 * the ends of an uncut one are chance. */
static int distributed(const double *sorted, int64_t count, const double *expected, int points, int is_cut)
{
    double quantiles[MOST_POINTS], spread = expected[points - 2] - expected[1], good = 1;
    parity_numbers(file, "quantiles", quantiles, MOST_POINTS);
    for (int i = 1; i < points - 1; i++) {
        double found = sorted[(int64_t)(quantiles[i - 1] * (double)(count - 1))];
        if (!(fabs(found - expected[i]) <= 0.02 * spread)) good = 0;
    }
    if (is_cut && !(fabs(sorted[0] - expected[0]) <= 0.02 * spread)) good = 0;
    if (is_cut && !(fabs(sorted[count - 1] - expected[points - 1]) <= 0.02 * spread)) good = 0;
    return good != 0;
}

static void as_in_keras(void **state)
{
    static char names[MOST_CASES][48];
    static double values[MOST], expected[512];
    int n = parity_cases(file, "text", names, MOST_CASES), seen[CN__INITIALIZER_COUNT] = {0};
    (void)state;
    assert_true(n > 60 && n < MOST_CASES);
    for (int i = 0; i < n; i++) {
        char text[128], bare[128];
        double sizes[CN_MAX_NDIM];
        int64_t shape[CN_MAX_NDIM];
        snprintf(text, sizeof text, "%s", parity_text(file, key(names[i], "text")));
        int ndim = parity_numbers(file, key(names[i], "shape"), sizes, CN_MAX_NDIM);
        for (int a = 0; a < ndim; a++) shape[a] = (int64_t)sizes[a];
        int64_t count = fill(text, 11, ndim, shape, values);
        int good = 1, points = parity_numbers(file, key(names[i], "distribution"), expected, MOST_POINTS);
        if (points > 0) {
            qsort(values, (size_t)count, sizeof *values, rising);
            good = distributed(values, count, expected, points,
                               !strstr(text, "random_normal") && !strstr(text, "untruncated"));
        } else if (parity_numbers(file, key(names[i], "values"), expected, 512) == count) {
            for (int64_t k = 0; k < count; k++) good &= values[k] == expected[k];
        } else { /* the shorter side of an orthogonal matrix times itself */
            int64_t columns = shape[ndim - 1], rows = count / columns, side = rows > columns ? columns : rows;
            assert_int_equal(parity_numbers(file, key(names[i], "product"), expected, 512), side * side);
            for (int64_t a = 0; a < side; a++) {
                for (int64_t b = 0; b < side; b++) {
                    double sum = 0;
                    for (int64_t k = 0; k < count / side; k++)
                        sum += rows > columns ? values[k * columns + a] * values[k * columns + b]
                                              : values[a * columns + k] * values[b * columns + k];
                    if (!(fabs(sum - expected[a * side + b]) < 1e-5)) good = 0;
                }
            }
        }
        if (!good) print_message("%s, case %s: not distributed as in Keras\n", text, names[i]);
        assert_true(good);
        snprintf(bare, sizeof bare, "%.*s", (int)strcspn(text, "("), text);
        for (int k = 0; k < CN__INITIALIZER_COUNT; k++) seen[k] |= !strcmp(bare, cn__initializer_classes[k]->name);
    }
    for (int k = 0; k < CN__INITIALIZER_COUNT; k++) {
        if (!seen[k]) print_message("%s is not recorded\n", cn__initializer_classes[k]->name);
        assert_true(seen[k]);
    }
}

/* The check above must see a distribution that is only a little off. */
static void a_wrong_distribution_is_seen(void **state)
{
    static double values[MOST], expected[MOST_POINTS];
    static const char *const wrong[] = {"glorot_uniform", "lecun_normal", "random_normal(stddev=0.0943)",
                                        "variance_scaling(2, fan_out)", "he_uniform"};
    int points = 0, ndim = 2;
    int64_t shape[] = {300, 100};
    static char names[MOST_CASES][48];
    int n = parity_cases(file, "text", names, MOST_CASES);
    (void)state;
    for (int i = 0; i < n && points == 0; i++) {
        if (strcmp(parity_text(file, key(names[i], "text")), "he_normal")) continue;
        points = parity_numbers(file, key(names[i], "distribution"), expected, MOST_POINTS);
    }
    assert_true(points > 5);
    for (int i = -1; i < 5; i++) {
        int64_t count = fill(i < 0 ? "he_normal" : wrong[i], 3, ndim, shape, values);
        qsort(values, (size_t)count, sizeof *values, rising);
        assert_int_equal(distributed(values, count, expected, points, 1), i < 0);
    }
}

static void a_seed_of_its_own(void **state)
{
    static const char *const texts[] = {"glorot_uniform(seed=%d)", "glorot_normal(seed=%d)", "he_uniform(%d)",
                                        "he_normal(seed=%d)", "lecun_uniform(seed=%d)", "lecun_normal(seed=%d)",
                                        "variance_scaling(seed=%d)", "random_uniform(seed=%d)",
                                        "random_normal(seed=%d)", "truncated_normal(0, 1, %d)", "orthogonal(seed=%d)"};
    double first[24], again[24], other[24];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[64];
        snprintf(text, sizeof text, texts[i], 5); /* NOLINT: the texts above */
        fill(text, 1, 2, (int64_t[]){6, 4}, first);
        fill(text, 2, 2, (int64_t[]){6, 4}, again); /* a model's seed does not matter */
        snprintf(text, sizeof text, texts[i], 6);   /* NOLINT */
        fill(text, 1, 2, (int64_t[]){6, 4}, other);
        assert_memory_equal(first, again, sizeof first);
        assert_memory_not_equal(first, other, sizeof first);
    }
}

static void names_as_keras_takes_them(void **state)
{
    static const char *const texts[] = {"HeNormal", "GlorotUniform(seed=1)", "uniform", "normal", "zero", "Ones", "one",
                                        "LecunNormal()", "VarianceScaling(2)", "Orthogonal(gain=2)", "Identity"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(cn__initializer_check("w", texts[i]), CN_OK);
    cn_layer *layer = cn_layer_from_text("dense(3, kernel_regularizer=L1L2(0.1, 0.2), kernel_constraint=MaxNorm(2))");
    assert_non_null(layer);
    cn_layer_destroy(&layer);
}

static void bad_arguments(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"he_norml", "w: initializer: unknown name \"he_norml\"; did you mean \"he_normal\"?"},
        {"zeros(3)", "w: zeros takes no arguments, got \"3\""},
        {"ones(value=3)", "w: ones takes no arguments, got \"value\""},
        {"he_normal(1, 0, 0, 2)", "w: he_normal takes at most 3 arguments without a name, got \"2\" too"},
        {"glorot_uniform(scale=2)",
         "w: glorot_uniform: unknown name \"scale\"; known are seed, input_axes, output_axes"},
        {"he_normal(input_axes=[x], output_axes=[0])",
         "w: he_normal: input_axes must be axes of the weight such as [0, 1], got \"[x]\""},
        {"he_normal(output_axes=0.5)",
         "w: he_normal: output_axes must be axes of the weight such as [0, 1], got \"0.5\""},
        {"he_normal(input_axes=[0], output_axes=[0, 1])",
         "w: initializer: output_axes names axis 1, but the weight has 1 axes"},
        {"random_normal(stddev=nan)", "w: random_normal: stddev must be a finite number, got nan"},
        {"constant(inf)", "w: constant: value must be a finite number, got inf"},
        {"random_uniform(2, 1)", "w: random_uniform: minval must not be above maxval, got 2 and 1"},
        {"variance_scaling(0)", "w: variance_scaling: scale must be positive, got 0"},
        {"variance_scaling(mode=fan)", "w: variance_scaling: mode is fan_in, fan_out or fan_avg, got \"fan\""},
        {"variance_scaling(distribution=cauchy)", "w: variance_scaling: distribution is uniform, truncated_normal or "
                                                  "untruncated_normal, got \"cauchy\""},
        {"identity", "w: identity: fits weights with two axes, this one has 1"},
        {"orthogonal", "w: orthogonal: needs weights with at least two axes, this one has 1"},
        {"orthogonal(seed=x)", "w: orthogonal: seed must be a whole number, got \"x\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double values[4];
        cn__random random;
        cn__random_begin(&random, 1, CN__FOR_INITIALIZER, 0);
        assert_true(cn__initializer_fill("w", cases[i].text, &random, 1, (int64_t[]){4}, values) < 0);
        assert_string_equal(cn_error_message(), cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_in_keras),
        cmocka_unit_test(a_wrong_distribution_is_seen),
        cmocka_unit_test(a_seed_of_its_own),
        cmocka_unit_test(names_as_keras_takes_them),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests_name("initializers", tests, NULL, NULL);
}
