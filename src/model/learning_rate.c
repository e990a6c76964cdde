#include "model/model.h"

#include "base/error.h"

#include <math.h>

double cn_model_get_learning_rate(const cn_model *model)
{
    if (!model || !model->is_compiled) return NAN;
    return model->optimizer->schedule.name ? cn__optimizer_learning_rate(model->optimizer, model->iterations)
                                           : model->learning_rate;
}

int cn_model_set_learning_rate(cn_model *model, double learning_rate)
{
    CN_TRY(cn__model_need_compiled(model));
    if (!(learning_rate >= 0 && learning_rate <= 1e30))
        return cn__fail(CN_EINVAL, "cn_model_set_learning_rate: the rate must be a number from 0 upwards, got %g",
                        learning_rate);
    if (model->optimizer->schedule.name)
        return cn__fail(CN_ESTATE, "cn_model_set_learning_rate: the optimizer follows the schedule %s; compile it with "
                                   "a number to set the rate",
                        model->optimizer->schedule.name);
    model->learning_rate = learning_rate;
    return CN_OK;
}

int64_t cn_model_iterations(const cn_model *model)
{
    return model && model->is_compiled ? model->iterations : 0;
}
