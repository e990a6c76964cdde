#include "model/model.h"

/* The first kernel does not change from one batch of a prediction to the next, and making its digits takes a sixth of
 * the time of a batch. */
void cn__digits_make(cn_model *model, const cn__data *data)
{
    const cn__digits *digits = &model->plan.digits;
    if (!digits->tiles || !data->as_tiles) return;
    const cn__weight *kernel = cn__model_weight_of(model, 0);
    const cn__frequent *frequent = data->x.frequent;
    model->plan.digits.terms = frequent ? frequent->columns : kernel->rows;
    model->plan.digits.index = frequent ? frequent->index : model->plan.batch.in_order;
    model->plan.digits.n_rare = frequent ? frequent->n_rare : 0;
    model->plan.digits.rare = frequent ? frequent->rare : NULL;
    model->engine->gather->digits(model->pool, cn__model_weight_at(model, model->block, 0), kernel->rows,
                                  kernel->columns, kernel->stride, digits);
    model->plan.digits_are_made = 1;
}

void cn__digits_forget(cn_model *model)
{
    model->plan.digits_are_made = 0;
}
