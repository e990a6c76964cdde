#include "base/error.h"
#include "model/measure.h"
#include "model/scored.h"
#include "tensor/record.h"

#include <cornu/loss.h>
#include <cornu/tape.h>
#include <math.h>
#include <string.h>

/* What the numbers of the rows are shaped like: y_pred without the axes that make a row. */
static int shape_of_rows(const cn__scored *s, const cn_tensor *y_pred, int64_t shape[CN__MOST_AXES])
{
    int ndim = cn_ndim(y_pred) > 1 ? cn_ndim(y_pred) - 1 : 1;
    if (s->axes.moves) return cn__axes_kept(&s->axes, 0, shape);
    if (s->steps) ndim = 1;
    for (int i = 0; i < ndim && i < CN__MOST_AXES; i++) shape[i] = cn_shape(y_pred)[i];
    return ndim;
}

/* The numbers of the rows, weighted. */
static cn_tensor *rows_of(const cn__scored *s, const cn_tensor *y_pred)
{
    int64_t shape[CN__MOST_AXES];
    int ndim = shape_of_rows(s, y_pred, shape), wide = s->engine->bits == 64;
    cn_tensor *losses = cn_tensor_create(cn_dtype_of(s->output), ndim, shape);
    int64_t n = losses ? cn_size(losses) : 0;
    for (int64_t r = 0; r < n; r++) {
        /* all rows of a sample weigh the same where axes are moved */
        int64_t place = s->axes.moves && s->weights ? r / (n / s->samples) * (s->rows / s->samples) : r;
        double weight = s->weights ? s->weights[place] : 1;
        if (wide) ((double *)cn_data(losses))[r] = weight * ((const double *)s->row_loss)[r];
        else ((float *)cn_data(losses))[r] = (float)weight * ((const float *)s->row_loss)[r];
    }
    return losses;
}

static cn_tensor *run(const cn__loss *loss, const cn__scored *s, const cn_tensor *y_pred, int want_gradient)
{
    cn_tensor *gradient = want_gradient ? cn_tensor_create(cn_dtype_of(s->output), cn_ndim(y_pred), cn_shape(y_pred))
                                        : NULL;
    if (want_gradient && !gradient) return NULL;
    cn__measuring m = {.engine = s->engine, .loss = loss, .from_logits = loss->options.from_logits,
                       .weights = s->weights, .scores = cn__scored_scores(s), .axes = &s->axes,
                       .axes_room = &s->axes_room, .samples = s->samples};
    m.scores.gradient = gradient ? cn_data(gradient) : NULL;
    double divisor, sum = cn__measure_loss(&m, &divisor);
    if (want_gradient) return gradient;
    if (loss->reduction == CN__REDUCTION_NONE) return rows_of(s, y_pred);
    cn_tensor *value = cn_tensor_create(cn_dtype_of(s->output), 0, NULL);
    if (value) cn_tensor_set(value, NULL, sum / divisor);
    return value;
}

/* "crossentropy" */
static void choose_by_shape(cn__loss *loss, const cn_tensor *y_true, const cn_tensor *y_pred)
{
    int given = cn_ndim(y_true), wanted = cn_ndim(y_pred);
    int64_t columns = wanted > 1 ? cn_shape(y_pred)[wanted - 1] : 1;
    cn__loss_set_shape(loss, columns, given < wanted || (given == wanted && cn_shape(y_true)[given - 1] == 1));
}

static cn_tensor *open_and_run(const char *text, const cn_tensor *y_true, const cn_tensor *y_pred,
                               const cn_tensor *sample_weight, int want_gradient)
{
    cn__loss loss;
    cn__scored scored;
    cn_tensor *result = NULL;
    if (cn__loss_open(&loss, text) < 0) return NULL;
    if (y_true && y_pred && cn_ndim(y_pred) > 0) choose_by_shape(&loss, y_true, y_pred);
    cn__scored_wish wish = cn__scored_wish_of(&loss);
    if (cn__scored_open(&scored, y_true, y_pred, sample_weight, &wish) == CN_OK) {
        result = run(&loss, &scored, y_pred, want_gradient);
        cn__scored_close(&scored);
    }
    cn__loss_close(&loss);
    return result;
}

/* --- on a tape ---------------------------------------------------------------------------------------------------- */

/* What the tape keeps of a call; the loss's text is a tensor too, so that it lives as long as the tape needs it. */
enum { Y_PRED, Y_TRUE, TEXT, SAMPLE_WEIGHT };

static int no_second_derivative(void *context, const cn_tensor *output_gradient, const cn_tensor *output, int n_inputs,
                                const cn_tensor *const *inputs, cn_tensor **gradients)
{
    (void)context, (void)output_gradient, (void)output, (void)n_inputs, (void)inputs, (void)gradients;
    return cn__fail(CN_ENOTSUP, "cn_loss_compute has first derivatives only; for second ones write the loss as tensor "
                    "operations");
}

/* Rows times the numbers that their losses are to be multiplied by. */
static cn_tensor *scaled_rows(const cn_tensor *rows, const cn_tensor *factors)
{
    int missing = cn_ndim(rows) - cn_ndim(factors);
    if (cn_ndim(factors) == 0 || missing == 0) return cn_tensor_multiply(rows, factors);
    if (missing == 1 && !memcmp(cn_shape(rows), cn_shape(factors), (size_t)cn_ndim(factors) * sizeof(int64_t)))
        return cn_tensor_multiply(rows, cn_tensor_expand_dims(factors, -1));
    return cn__fail_null(CN_ENOTSUP,
                         "cn_loss_compute: with reduction=none only losses over the last axis have a gradient");
}

static int gradient_of_loss(void *context, const cn_tensor *output_gradient, const cn_tensor *output, int n_inputs,
                            const cn_tensor *const *inputs, cn_tensor **gradients)
{
    (void)context, (void)output;
    cn_tensor *rows = cn_loss_gradient(cn_data(inputs[TEXT]), inputs[Y_TRUE], inputs[Y_PRED],
                                       n_inputs > SAMPLE_WEIGHT ? inputs[SAMPLE_WEIGHT] : NULL);
    if (rows) rows = cn_custom_gradient(rows, 1, &inputs[Y_PRED], no_second_derivative, NULL);
    gradients[Y_PRED] = rows ? scaled_rows(rows, output_gradient) : NULL;
    return gradients[Y_PRED] ? CN_OK : cn_error_status();
}

cn_tensor *cn_loss_compute(const char *loss, const cn_tensor *y_true, const cn_tensor *y_pred,
                           const cn_tensor *sample_weight)
{
    if (!cn__is_recording()) return open_and_run(loss, y_true, y_pred, sample_weight, 0);
    cn__recorder *paused = cn__record_pause();
    cn_tensor *value = open_and_run(loss, y_true, y_pred, sample_weight, 0), *recorded = NULL;
    cn__record_resume(paused);
    if (!value) return NULL;
    cn_tensor *text = cn_tensor_from(CN_UINT8, 1, (const int64_t[]){(int64_t)strlen(loss) + 1}, loss);
    const cn_tensor *inputs[] = {[Y_PRED] = y_pred, [Y_TRUE] = y_true, [TEXT] = text, [SAMPLE_WEIGHT] = sample_weight};
    if (text) recorded = cn_custom_gradient(value, sample_weight ? 4 : 3, inputs, gradient_of_loss, NULL);
    cn_tensor_destroy(&value);
    return recorded;
}

cn_tensor *cn_loss_gradient(const char *loss, const cn_tensor *y_true, const cn_tensor *y_pred,
                            const cn_tensor *sample_weight)
{
    return open_and_run(loss, y_true, y_pred, sample_weight, 1);
}

int cn_loss_takes_labels(const char *text)
{
    cn__loss loss;
    CN_TRY(cn__loss_open(&loss, text));
    int sparse = loss.by_shape || cn__loss_class_of(&loss)->sparse;
    cn__loss_close(&loss);
    return sparse;
}
