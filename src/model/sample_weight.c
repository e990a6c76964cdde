#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"
#include "tensor/tensor.h"

#include <math.h>

static int is_finite(double value)
{
    return value - value == 0;
}

int64_t cn__weights_per_sample(const cn_model *model)
{
    return cn__loss_class_of(&model->loss)->sequence ? 1 : cn__model_rows_per_sample(model);
}

static int read_sample_weight(const cn_model *model, cn__data *data, const cn_tensor *given)
{
    char text[CN_SHAPE_TEXT_BYTES];
    int64_t rows = cn__weights_per_sample(model);
    int64_t each = data->rows && cn_ndim(given) > 0 ? cn_size(given) / data->rows : 0;
    int by_sample = model->loss_axes.moves || cn__loss_class_of(&model->loss)->sequence;
    for (int i = 0; i < model->n_metrics; i++) by_sample |= model->metric_axes[i].moves;
    if (by_sample && cn_len(given) == data->rows && each != 1)
        return cn__fail(CN_ESHAPE, "sample_weight needs one number for each sample where a loss runs over other axes "
                        "than the last one or over sequences, got shape %s",
                        cn__shape_text(text, cn_ndim(given), cn_shape(given)));
    if (cn_len(given) != data->rows || (each != 1 && each != rows))
        return cn__fail(CN_ESHAPE, "sample_weight needs one number for each of the %lld samples, got shape %s",
                        (long long)data->rows, cn__shape_text(text, cn_ndim(given), cn_shape(given)));
    cn__tensor_to_real(given, data->weights, 64);
    for (int64_t i = 0; i < data->rows * each; i++)
        if (!is_finite(data->weights[i]))
            return cn__fail(CN_EINVAL, "sample_weight of row %lld is %g; weights are numbers", (long long)(i / each),
                            data->weights[i]);
    for (int64_t i = data->rows * rows - 1; i >= 0; i--) /* from the end, where one weight spreads over several rows */
        data->weights[i] = (double)(float)data->weights[each == 1 ? i / rows : i];
    return CN_OK;
}

int64_t cn__data_class(const cn__data *data, int64_t row)
{
    if (data->labels) return data->labels[row];
    int64_t best = 0, n = data->y.columns;
    if (n == 1) return (int64_t)nearbyint(cn__number_at(&data->y, row) * data->y.scale);
    for (int64_t j = 1; j < n; j++)
        if (cn__number_at(&data->y, row * n + j) > cn__number_at(&data->y, row * n + best)) best = j;
    return best;
}

static int read_class_weight(const cn_model *model, cn__data *data, const cn_tensor *given)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (cn_ndim(given) != 1 || cn_len(given) < 1)
        return cn__fail(CN_ESHAPE, "class_weight needs shape (classes,), one weight for each class, got %s",
                        cn__shape_text(text, cn_ndim(given), cn_shape(given)));
    if (cn__model_rows_per_sample(model) != 1)
        return cn__fail(CN_ESHAPE, "class_weight needs one class for each sample, but %s gives %lld; use sample_weight",
                        cn__model_last(model)->name, (long long)cn__model_rows_per_sample(model));
    for (int64_t c = 0; c < cn_len(given); c++)
        if (!is_finite(cn_get(given, c)))
            return cn__fail(CN_EINVAL, "class_weight of class %lld is %g; weights are numbers", (long long)c,
                            cn_get(given, c));
    for (int64_t i = 0; i < data->rows; i++) {
        int64_t class_ = cn__data_class(data, i);
        data->weights[i] = class_ >= 0 && class_ < cn_len(given) ? (double)(float)cn_get(given, class_) : 1;
    }
    return CN_OK;
}

static int read_weights(const cn_model *model, cn__data *data, const cn_tensor *sample_weight,
                        const cn_tensor *class_weight)
{
    int across = model->loss_axes.moves && model->loss_axes.across_samples;
    for (int i = model->n_plain_metrics; i < model->n_metrics; i++)
        across |= model->metric_axes[i].moves && model->metric_axes[i].across_samples;
    if (across)
        return cn__fail(CN_EINVAL, "%s: with axis 0 a number belongs to no sample, so there is nothing that a weight "
                        "could weigh", cn__loss_class_of(&model->loss)->name);
    if (sample_weight && class_weight)
        return cn__fail(CN_EINVAL,
                        "sample_weight and class_weight are both given; multiply them into one sample_weight");
    return sample_weight ? read_sample_weight(model, data, sample_weight)
                         : read_class_weight(model, data, class_weight);
}

int cn__data_weigh(const cn_model *model, cn__data *data, const cn_tensor *sample_weight, const cn_tensor *class_weight)
{
    if (!sample_weight && !class_weight) return CN_OK;
    data->own_weights = cn__alloc((size_t)(data->rows * cn__weights_per_sample(model)), sizeof *data->own_weights,
                                  "the weights of the samples");
    data->weights = data->own_weights;
    return data->weights ? read_weights(model, data, sample_weight, class_weight) : CN_ENOMEM;
}

int cn__data_weigh_once(const cn_model *model, cn__data *data, const cn_tensor *sample_weight,
                        const cn_tensor *class_weight)
{
    if (!sample_weight && !class_weight) return CN_OK;
    data->weights = model->plan.weights; /* where the step would copy them to */
    return read_weights(model, data, sample_weight, class_weight);
}
