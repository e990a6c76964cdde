/* cn_loss_compute while a tape records: the gradient of a loss over tensor operations, by differences in float64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <cornu/cornu.h>
#include <math.h>
#include <string.h>

enum { ROWS = 5, INPUTS = 3, COLUMNS = 4 };

static const struct {
    const char *text;
    int labels, weights;
} losses[] = {
    {"mse", 0, 0}, {"mae", 0, 0}, {"huber(delta=0.3)", 0, 1}, {"log_cosh", 0, 0},
    {"categorical_crossentropy", 0, 1}, {"categorical_crossentropy(from_logits=1, label_smoothing=0.1)", 0, 0},
    {"sparse_categorical_crossentropy(from_logits=1)", 1, 1}, {"binary_crossentropy(from_logits=1)", 0, 0},
    {"kl_divergence", 0, 0}, {"mse(reduction=sum)", 0, 1}, {"mse(reduction=none)", 0, 1},
    {"sparse_categorical_crossentropy(reduction=none)", 1, 0}, {"mse(reduction=mean_with_sample_weight)", 0, 1},
};
enum { N_LOSSES = sizeof losses / sizeof *losses };

static cn_generator *generator(void)
{
    static cn_generator random;
    random = (cn_generator){.seed = 12};
    return &random;
}

typedef struct data {
    cn_tensor *x, *w, *y, *labels, *weights;
} data;

static data make(void)
{
    cn_generator *random = generator();
    data d = {.x = cn_random_uniform(random, 0, 1, CN_FLOAT64, CN_SHAPE(ROWS, INPUTS)),
              .w = cn_random_uniform(random, -1, 1, CN_FLOAT64, CN_SHAPE(INPUTS, COLUMNS)),
              .y = cn_random_uniform(random, 0, 1, CN_FLOAT64, CN_SHAPE(ROWS, COLUMNS)),
              .labels = cn_random_integers(random, 0, COLUMNS, CN_INT64, CN_SHAPE(ROWS)),
              .weights = cn_random_uniform(random, 0.5, 2, CN_FLOAT64, CN_SHAPE(ROWS))};
    return d;
}

static void destroy(data *d)
{
    cn_tensor_destroy(&d->x);
    cn_tensor_destroy(&d->w);
    cn_tensor_destroy(&d->y);
    cn_tensor_destroy(&d->labels);
    cn_tensor_destroy(&d->weights);
}

/* The sum of the squared numbers of the loss, so that what comes from above differs from number to number. */
static cn_tensor *score(int i, const data *d)
{
    const cn_tensor *z = cn_matmul(d->x, d->w);
    const cn_tensor *p = strstr(losses[i].text, "logits") ? z : cn_tensor_softmax(z, -1);
    return cn_sum(cn_tensor_square(cn_loss_compute(losses[i].text, losses[i].labels ? d->labels : d->y, p,
                                                   losses[i].weights ? d->weights : NULL)));
}

static double score_without_tape(int i, const data *d)
{
    cn_scope *scope = cn_scope_begin();
    double value = cn_item(score(i, d));
    cn_scope_end(&scope);
    return value;
}

static void gradients_agree_with_differences(void **state)
{
    (void)state;
    data d = make();
    double *at = cn_data(d.w);
    for (int i = 0; i < N_LOSSES; i++) {
        cn_tensor *gradient;
        cn_tape *tape = cn_tape_create(NULL);
        assert_int_equal(cn_tape_watch(tape, d.w), CN_OK);
        cn_tensor *value = score(i, &d);
        if (cn_tape_gradient(tape, value, 1, &d.w, &gradient) < 0)
            fail_msg("%s: %s", losses[i].text, cn_error_message());
        assert_non_null(gradient);
        double whole = cn_item(value);
        assert_true(fabs(whole - score_without_tape(i, &d)) <= 1e-15 * fabs(whole));
        for (int64_t k = 0; k < INPUTS * COLUMNS; k++) {
            const double was = at[k], h = 1e-6;
            at[k] = was + h;
            double above = score_without_tape(i, &d);
            at[k] = was - h;
            double below = score_without_tape(i, &d), found = ((double *)cn_data(gradient))[k];
            at[k] = was;
            if (!(fabs((above - below) / (2 * h) - found) <= 1e-7 * fmax(1, fabs(found))))
                fail_msg("%s, number %d: %g by differences, %g on the tape", losses[i].text, (int)k,
                         (above - below) / (2 * h), found);
        }
        cn_tape_destroy(&tape);
    }
    destroy(&d);
}

static void targets_and_weights_are_constants(void **state)
{
    (void)state;
    data d = make();
    cn_tensor *sources[] = {d.y, d.weights, d.w}, *gradients[3];
    cn_tape *tape = cn_tape_create(NULL);
    for (int k = 0; k < 3; k++) assert_int_equal(cn_tape_watch(tape, sources[k]), CN_OK);
    cn_tensor *loss = cn_loss_compute("mse", d.y, cn_matmul(d.x, d.w), d.weights);
    assert_int_equal(cn_tape_gradient(tape, loss, 3, sources, gradients), CN_OK);
    assert_null(gradients[0]);
    assert_null(gradients[1]);
    assert_non_null(gradients[2]);
    cn_tape_destroy(&tape);
    destroy(&d);
}

static void second_derivatives_are_refused(void **state)
{
    (void)state;
    data d = make();
    cn_tensor *slope, *bend;
    cn_tape *outer = cn_tape_create(NULL), *inner = cn_tape_create(NULL);
    cn_tape_watch(outer, d.w);
    cn_tape_watch(inner, d.w);
    cn_tensor *loss = cn_loss_compute("mse", d.y, cn_matmul(d.x, d.w), NULL);
    assert_int_equal(cn_tape_gradient(inner, loss, 1, &d.w, &slope), CN_OK);
    assert_int_equal(cn_tape_gradient(outer, slope, 1, &d.w, &bend), CN_ENOTSUP);
    assert_non_null(strstr(cn_error_message(), "first derivatives only"));
    cn_tape_destroy(&inner);
    cn_tape_destroy(&outer);
    destroy(&d);
}

static void what_is_wrong_is_still_said(void **state)
{
    (void)state;
    data d = make();
    cn_tape *tape = cn_tape_create(NULL);
    cn_tape_watch(tape, d.w);
    assert_null(cn_loss_compute("mean_squared_eror", d.y, cn_matmul(d.x, d.w), NULL));
    assert_non_null(strstr(cn_error_message(), "mean_squared_error"));
    assert_null(cn_loss_compute("mse", d.x, cn_matmul(d.x, d.w), NULL));
    assert_null(cn_loss_compute("mse", NULL, cn_matmul(d.x, d.w), NULL));
    assert_null(cn_loss_compute(NULL, d.y, cn_matmul(d.x, d.w), NULL));
    cn_tape_destroy(&tape);
    destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(targets_and_weights_are_constants),
        cmocka_unit_test(second_derivatives_are_refused),
        cmocka_unit_test(what_is_wrong_is_still_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
