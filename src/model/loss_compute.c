#include "base/error.h"
#include "model/measure.h"
#include "model/scored.h"

#include <cornu/loss.h>
#include <math.h>

/* The numbers of the rows, weighted, in y_pred's shape without its last axis. */
static cn_tensor *rows_of(const cn__scored *s, const cn_tensor *y_pred)
{
    int ndim = cn_ndim(y_pred) > 1 ? cn_ndim(y_pred) - 1 : 1, wide = s->engine->bits == 64;
    cn_tensor *losses = cn_tensor_create(cn_dtype_of(s->output), ndim, cn_shape(y_pred));
    for (int64_t r = 0; losses && r < s->rows; r++) {
        double weight = s->weights ? s->weights[r] : 1;
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
                       .weights = s->weights, .scores = cn__scored_scores(s)};
    m.scores.gradient = gradient ? cn_data(gradient) : NULL;
    double divisor, sum = cn__measure_loss(&m, &divisor);
    if (want_gradient) return gradient;
    if (loss->reduction == CN__REDUCTION_NONE) return rows_of(s, y_pred);
    cn_tensor *value = cn_tensor_create(cn_dtype_of(s->output), 0, NULL);
    if (value) cn_tensor_set(value, NULL, sum / divisor);
    return value;
}

static cn_tensor *open_and_run(const char *text, const cn_tensor *y_true, const cn_tensor *y_pred,
                               const cn_tensor *sample_weight, int want_gradient)
{
    cn__loss loss;
    cn__scored scored;
    cn_tensor *result = NULL;
    if (cn__loss_open(&loss, text) < 0) return NULL;
    const cn__loss_class *class_ = cn__loss_class_of(&loss);
    if (cn__scored_open(&scored, class_->name, y_true, y_pred, sample_weight,
                        class_->sparse ? CN__SCORED_LABELS : CN__SCORED_ROWS, loss.options.ignore_class) == CN_OK) {
        result = run(&loss, &scored, y_pred, want_gradient);
        cn__scored_close(&scored);
    }
    cn__loss_close(&loss);
    return result;
}

cn_tensor *cn_loss_compute(const char *loss, const cn_tensor *y_true, const cn_tensor *y_pred,
                           const cn_tensor *sample_weight)
{
    return open_and_run(loss, y_true, y_pred, sample_weight, 0);
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
    int sparse = cn__loss_class_of(&loss)->sparse;
    cn__loss_close(&loss);
    return sparse;
}
