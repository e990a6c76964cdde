#include "model/callback_parts.h"

#include <math.h>
#include <stdio.h>

typedef struct terminate_on_nan {
    cn_callback callback;
    int raise_error;
} terminate_on_nan;

static double number_at(const cn_model *model, const void *numbers, int64_t i)
{
    return model->engine->bits == 64 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}

/* The first number of (rows, columns) that is not finite; -1: all are. */
static int64_t first_bad(const cn_model *model, const void *numbers, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows * columns; i++)
        if (!isfinite(number_at(model, numbers, i))) return i;
    return -1;
}

static int64_t sample_of(const cn__choice *choice, int64_t row)
{
    return choice->picks ? (int64_t)choice->picks[row] : choice->first + row;
}

/* In the inputs; they may stand in the batch as lists only, so they are read from the data. */
static int blame_inputs(const cn_model *model, char *text, size_t size)
{
    const cn__running *now = model->running;
    const cn__source *x = &now->train->x;
    for (int64_t row = 0; row < now->choice->n; row++) {
        int64_t sample = sample_of(now->choice, row);
        for (int64_t c = 0; c < x->columns; c++) {
            double value = cn__number_at(x, sample * x->columns + c) * x->scale;
            if (isfinite(value)) continue;
            return snprintf(text, size, "input %lld of sample %lld is %g", (long long)c, (long long)sample, value);
        }
    }
    return 0;
}

/* In what the layers gave in the forward pass of this batch, whose outputs are still there. */
static int blame_layers(const cn_model *model, char *text, size_t size)
{
    const cn__choice *choice = model->running->choice;
    for (int i = 0; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        const void *outputs = model->plan.outputs[i];
        if (!outputs || layer->class_ == &cn__layer_input || layer->class_ == &cn__layer_flatten) continue;
        int64_t at = first_bad(model, outputs, choice->n, layer->output_size);
        if (at < 0) continue;
        int64_t row = at / layer->output_size;
        return snprintf(text, size,
                        "layer %s gave %g at output %lld for sample %lld from finite inputs; its weights have grown "
                        "out of bounds, and a smaller learning rate or clipnorm usually helps",
                        layer->name, number_at(model, outputs, at), (long long)(at % layer->output_size),
                        (long long)sample_of(choice, row));
    }
    return 0;
}

/* All outputs are finite: then the loss itself is not, for instance because of the target. */
static int blame_loss(const cn_model *model, char *text, size_t size)
{
    const cn__choice *choice = model->running->choice;
    int64_t at = first_bad(model, model->plan.row_loss, choice->n, 1);
    if (at < 0) return 0;
    return snprintf(text, size, "the loss %s of sample %lld is %g though all outputs of the layers are finite",
                    cn_model_loss(model), (long long)sample_of(choice, at), number_at(model, model->plan.row_loss, at));
}

static int on_train_batch_end(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    const terminate_on_nan *t = user;
    char where[512], sentence[768];
    double loss = cn_logs_get(logs, "loss");
    if (isfinite(loss) || !model->running || !model->running->choice) return CN_OK;
    if (!blame_inputs(model, where, sizeof where) && !blame_layers(model, where, sizeof where) &&
        !blame_loss(model, where, sizeof where))
        snprintf(where, sizeof where, "no single value of this batch is to blame");
    snprintf(sentence, sizeof sentence, "epoch %d, batch %lld: the loss is %g, training ends: %s",
             model->running->epoch + 1, (long long)batch, loss, where);
    if (t->raise_error) return cn__fail(CN_ESTOPPED, "%s", sentence);
    cn_model_stop_training_because(model, sentence);
    return CN_OK;
}

cn_callback *cn_terminate_on_nan_create(const cn_terminate_on_nan_options *options)
{
    terminate_on_nan *t = cn__callback_create(sizeof *t, "TerminateOnNaN");
    if (!t) return cn__callback_refused();
    t->callback.on_train_batch_end = on_train_batch_end;
    t->raise_error = options && options->raise_error;
    return &t->callback;
}
