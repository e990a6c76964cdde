#include "model/data.h"

#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"
#include "tensor/tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static cn__stored stored_as(cn_dtype dtype)
{
    static const cn__stored kinds[CN_DTYPE_COUNT] = {CN__STORED_U8, CN__STORED_I32, CN__STORED_I64, CN__STORED_F32,
                                                     CN__STORED_F64};
    return kinds[dtype];
}

/* A tensor as rows; one that has gaps, or a dtype that the model does not read, is copied. */
static int as_rows(const cn_tensor *tensor, int64_t columns, cn_tensor **copy, cn__source *source)
{
    const cn_tensor *rows = tensor;
    cn_dtype plain = cn__plain_dtype(cn_dtype_of(tensor));
    if (plain != cn_dtype_of(tensor)) *copy = cn_astype(tensor, cn_scale_of(tensor) == 1 ? plain : CN_FLOAT32);
    else if (!cn_is_contiguous(tensor)) *copy = cn_copy(tensor);
    if (plain != cn_dtype_of(tensor) || !cn_is_contiguous(tensor)) {
        if (!*copy) return CN_ENOMEM;
        rows = *copy;
    }
    *source = (cn__source){.data = cn_data(rows), .stored = stored_as(cn_dtype_of(rows)), .rows = cn_len(rows),
                           .columns = columns, .scale = cn_scale_of(rows)};
    return CN_OK;
}

/* (n, shape...) fits; so does an axis of 1 too many or missing at the end. */
static int fits(const cn_tensor *tensor, int ndim, const int64_t *shape)
{
    const int64_t *given = cn_shape(tensor) + 1;
    int n = cn_ndim(tensor) - 1;
    if (n == ndim + 1 && given[n - 1] == 1) n--;
    if (ndim == n + 1 && shape[ndim - 1] == 1) ndim--;
    if (n != ndim) return 0;
    for (int i = 0; i < n; i++)
        if (given[i] != shape[i]) return 0;
    return 1;
}

/* "(None, 28, 28)" */
static void batch_shape_text(char text[CN_SHAPE_TEXT_BYTES], int ndim, const int64_t *shape)
{
    char inner[CN_SHAPE_TEXT_BYTES];
    cn__shape_text(inner, ndim, shape);
    size_t length = strlen(inner);
    snprintf(text, CN_SHAPE_TEXT_BYTES, "(None, %.*s", (int)(CN_SHAPE_TEXT_BYTES - 8), inner + (length > 1));
    char *comma = strstr(text, ",)");
    if (comma) memcpy(comma, ")", 2);
}

static int open_x(const cn_model *model, const cn_tensor *x, cn__data *data)
{
    const cn_layer *first = model->layers[0];
    char given[CN_SHAPE_TEXT_BYTES], wanted[CN_SHAPE_TEXT_BYTES];
    cn__shape_text(given, cn_ndim(x), cn_shape(x));
    batch_shape_text(wanted, first->input_ndim, first->input_shape);
    if (cn_ndim(x) < 1) return cn__fail(CN_ESHAPE, "the input is a single number; expected shape %s", wanted);
    if (!fits(x, first->input_ndim, first->input_shape))
        return cn__fail(CN_ESHAPE, "%s: expects input of shape %s, got %s%s", cn__model_first(model)->name, wanted,
                        given, cn_len(x) > 0 && cn_size(x) / cn_len(x) == first->input_size
                            ? "; the counts agree, so reshape the input or put a Flatten first" : "");
    if (cn_len(x) == 0) return cn__fail(CN_EINVAL, "the input of shape %s has no samples", given);
    if (cn_len(x) > INT32_MAX) return cn__fail(CN_EINVAL, "the input has more than 2^31 samples");
    data->rows = cn_len(x);
    return as_rows(x, first->input_size, &data->own_x, &data->x);
}

static int read_labels(const cn_model *model, cn__data *data)
{
    const cn_layer *last = cn__model_last(model);
    int64_t classes = last->output_shape[last->output_ndim - 1], n = data->rows * data->y.columns;
    int are_free = cn__loss_class_of(&model->loss)->labels_are_free;
    int64_t ignored = model->loss.options.ignore_class;
    if (!data->labels) {
        data->own_labels = cn__alloc_raw((size_t)n, sizeof *data->labels, "the labels");
        if (!data->own_labels) return CN_ENOMEM;
        data->labels = data->own_labels;
    }
    for (int64_t i = 0; i < n; i++) {
        double value = cn__number_at(&data->y, i) * data->y.scale;
        int is_class = value >= 0 && value < (double)classes && value == floor(value);
        if (are_free && value >= INT32_MIN && value <= INT32_MAX && value == floor(value)) is_class = 1;
        else if (are_free)
            return cn__fail(CN_EINVAL, "label %g in row %lld is no whole number that fits into 32 bits", value,
                            (long long)i);
        if (!is_class && !(ignored != CN__NO_CLASS && value == (double)ignored))
            return cn__fail(CN_EINVAL,
                            "label %g in row %lld is not one of the classes 0 ... %lld that %s has units for", value,
                            (long long)(i / data->y.columns), (long long)classes - 1, last->name);
        data->labels[i] = (int32_t)value;
    }
    for (int64_t r = 0; cn__loss_class_of(&model->loss)->sequence && r < data->rows; r++)
        if (!cn__labels_are_packed(data->y.columns, data->labels + r * data->y.columns))
            return cn__fail(CN_EINVAL, "row %lld of the labels has a 0 before a label; 0 is the blank and stands only "
                            "behind the last label", (long long)r);
    return CN_OK;
}

/* (n, length), with at most as many labels as the model gives steps. */
static int open_sequences(const cn_model *model, const cn_tensor *y, cn__data *data)
{
    char given[CN_SHAPE_TEXT_BYTES];
    int64_t steps = cn__model_rows_per_sample(model);
    if (cn_ndim(y) != 2 || cn_shape(y)[1] < 1 || cn_shape(y)[1] > steps)
        return cn__fail(CN_ESHAPE, "%s takes labels of shape (n, length), 0 behind the last one, length 1 ... %lld "
                        "since %s gives so many steps; got %s", cn__loss_class_of(&model->loss)->name, (long long)steps,
                        cn__model_last(model)->name, cn__shape_text(given, cn_ndim(y), cn_shape(y)));
    CN_TRY(as_rows(y, cn_shape(y)[1], &data->own_y, &data->y));
    return read_labels(model, data);
}

static int open_y(const cn_model *model, const cn_tensor *y, cn__data *data)
{
    const cn_layer *last = cn__model_last(model);
    const char *loss = cn__loss_class_of(&model->loss)->name;
    char given[CN_SHAPE_TEXT_BYTES], wanted[CN_SHAPE_TEXT_BYTES];
    cn__shape_text(given, cn_ndim(y), cn_shape(y));
    batch_shape_text(wanted, last->output_ndim, last->output_shape);
    if (cn_len(y) != data->rows)
        return cn__fail(CN_ESHAPE, "x has %lld samples but y has %lld (shape %s); both need the same number",
                        (long long)data->rows, (long long)cn_len(y), given);
    if (cn__loss_class_of(&model->loss)->sparse) {
        int64_t shape[CN__MOST_AXES];
        int ndim = last->output_ndim - 1;
        if (model->loss_axes.moves) ndim = cn__axes_kept(&model->loss_axes, 1, shape);
        else memcpy(shape, last->output_shape, (size_t)ndim * sizeof *shape);
        if (cn__loss_class_of(&model->loss)->sequence) return open_sequences(model, y, data);
        if (!fits(y, ndim, shape)) {
            batch_shape_text(wanted, ndim, shape);
            return cn__fail(CN_ESHAPE, "%s takes whole-number labels of shape %s, got %s; for one-hot rows use "
                            "categorical_crossentropy", loss, last->output_ndim == 1 ? "(n,)" : wanted, given);
        }
        CN_TRY(as_rows(y, cn__model_labels_per_sample(model), &data->own_y, &data->y));
        return read_labels(model, data);
    }
    if (!fits(y, last->output_ndim, last->output_shape))
        return cn__fail(CN_ESHAPE, "%s: gives %s, but y has shape %s%s", last->name, wanted, given,
                        cn_ndim(y) == 1 ? "; make one-hot rows with cn_to_categorical, or use "
                                          "sparse_categorical_crossentropy"
                                        : "");
    return as_rows(y, last->output_size, &data->own_y, &data->y);
}

int cn__data_open_as_given(const cn_model *model, const cn_tensor *x, const cn_tensor *y, cn__data *data)
{
    *data = (cn__data){.rows = 0};
    int status;
    if (!x) status = cn_error_status() < 0 ? cn_error_status() : cn__fail(CN_EINVAL, "the input is NULL");
    else status = open_x(model, x, data);
    if (status == CN_OK && y) status = open_y(model, y, data);
    if (status < 0) cn__data_close(data);
    return status;
}

int cn__data_open(const cn_model *model, const cn_tensor *x, const cn_tensor *y, cn__data *data)
{
    CN_TRY(cn__data_open_as_given(model, x, y, data));
    int status = cn__codes_find(model, data, 1);
    if (status < 0) cn__data_close(data);
    return status;
}

int cn__data_open_once(cn_model *model, const cn_tensor *x, const cn_tensor *y, cn__data *data)
{
    *data = (cn__data){.rows = 0};
    int status;
    if (!x) status = cn_error_status() < 0 ? cn_error_status() : cn__fail(CN_EINVAL, "the input is NULL");
    else status = open_x(model, x, data);
    if (status == CN_OK) status = cn__plan_prepare(model, data->rows, 1);
    /* the plan's labels are where a step would copy them to */
    if (status == CN_OK && cn__loss_class_of(&model->loss)->sparse) data->labels = model->plan.labels;
    if (status == CN_OK) status = open_y(model, y, data);
    if (status == CN_OK) status = cn__codes_find(model, data, 0);
    if (status < 0) cn__data_close(data);
    return status;
}

void cn__data_close(cn__data *data)
{
    cn_tensor_destroy(&data->own_x);
    cn_tensor_destroy(&data->own_y);
    cn__free(data->own_labels);
    cn__free(data->own_weights);
    cn__free(data->own_codes);
    cn__sparse_free(data->own_sparse);
    cn__frequent_free(data->own_frequent);
    *data = (cn__data){.rows = 0};
}
