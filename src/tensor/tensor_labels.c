/* From labels to one-hot rows and back. */
#include "tensor/tensor.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* All labels, one after the other, as doubles. */
typedef struct label_walk {
    int64_t index[CN_MAX_NDIM];
    int64_t row; /* position of this label in row-major order */
    double label;
} label_walk;

static int first_label(const cn_tensor *labels, label_walk *walk)
{
    *walk = (label_walk){.row = 0};
    if (labels->size == 0) return 0;
    walk->label = trunc(cn__tensor_value(labels, labels->data));
    return 1;
}

static int next_label(const cn_tensor *labels, label_walk *walk)
{
    if (!cn__next_index(labels, labels->ndim, walk->index)) return 0;
    walk->row++;
    walk->label = trunc(cn__tensor_value(labels, cn__tensor_element(labels, walk->index)));
    return 1;
}

/* The largest label + 1. */
static int64_t count_classes(const cn_tensor *labels)
{
    label_walk walk;
    double largest = -1;
    if (!first_label(labels, &walk))
        return cn__fail(CN_EINVAL, "cn_to_categorical: there is no label to count the classes from; give num_classes");
    do {
        if (!(walk.label >= 0 && walk.label < 9e18))
            return cn__fail(CN_EINVAL, "cn_to_categorical: label %.17g in row %lld is not a class; labels count from 0",
                            walk.label, (long long)walk.row);
        if (walk.label > largest) largest = walk.label;
    } while (next_label(labels, &walk));
    return (int64_t)largest + 1;
}

cn_tensor *cn_to_categorical(const cn_tensor *labels, int64_t num_classes)
{
    if (!labels) {
        cn__null_tensor("cn_to_categorical");
        return NULL;
    }
    if (num_classes < 0)
        return cn__fail_null(CN_EINVAL, "cn_to_categorical: num_classes is %lld; use 0 to count them or a positive "
                             "number", (long long)num_classes);
    if (num_classes == 0) num_classes = count_classes(labels);
    if (num_classes < 0) return NULL;

    int64_t shape[CN_MAX_NDIM + 1];
    int ndim = labels->ndim;
    for (int i = 0; i < ndim; i++) shape[i] = labels->shape[i];
    if (ndim > 1 && shape[ndim - 1] == 1) ndim--;
    shape[ndim++] = num_classes;
    cn_tensor *rows = cn_tensor_create(CN_FLOAT32, ndim, shape);
    label_walk walk;
    if (!rows || !first_label(labels, &walk)) return rows;

    float *row = (float *)(void *)rows->data;
    do {
        if (!(walk.label >= 0 && walk.label < (double)num_classes)) {
            cn_tensor_destroy(&rows);
            return cn__fail_null(CN_EINVAL, "cn_to_categorical: label %.17g in row %lld is outside 0 ... %lld; correct "
                                 "it or give a larger num_classes", walk.label, (long long)walk.row,
                                 (long long)(num_classes - 1));
        }
        row[(int64_t)walk.label] = 1;
        row += num_classes;
    } while (next_label(labels, &walk));
    return rows;
}

/* --- argmax --- */

static int64_t largest_real(const cn_tensor *tensor, const char *row, int64_t n, int64_t stride)
{
    int64_t best = 0;
    double largest = cn__tensor_value(tensor, row);
    for (int64_t i = 1; i < n && largest == largest; i++) {
        double value = cn__tensor_value(tensor, row + i * stride);
        if (!(value <= largest)) { /* larger, or NaN */
            best = i;
            largest = value;
        }
    }
    return best;
}

/* A double cannot tell all int64 numbers apart. */
static int64_t largest_int64(const char *row, int64_t n, int64_t stride)
{
    int64_t best = 0, largest = INT64_MIN;
    for (int64_t i = 0; i < n; i++) {
        int64_t value;
        memcpy(&value, row + i * stride, sizeof value);
        if (value > largest) {
            best = i;
            largest = value;
        }
    }
    return best;
}

cn_tensor *cn_argmax(const cn_tensor *tensor)
{
    if (!tensor) {
        cn__null_tensor("cn_argmax");
        return NULL;
    }
    int last = tensor->ndim - 1;
    int64_t n = last < 0 ? 1 : tensor->shape[last], stride = last < 0 ? 0 : tensor->strides[last];
    cn_tensor *positions = cn_tensor_create(CN_INT64, last < 0 ? 0 : last, tensor->shape);
    if (!positions || positions->size == 0) return positions;
    if (n == 0) {
        char text[CN_SHAPE_TEXT_BYTES];
        cn_tensor_destroy(&positions);
        return cn__fail_null(CN_EINVAL, "cn_argmax: the last axis of shape %s is empty and has no largest entry",
                             cn__shape_text(text, tensor->ndim, tensor->shape));
    }
    int64_t index[CN_MAX_NDIM] = {0};
    int64_t *position = (int64_t *)(void *)positions->data;
    do {
        const char *row = cn__tensor_element(tensor, index);
        if (tensor->dtype == CN_INT64 && tensor->scale == 1) *position++ = largest_int64(row, n, stride);
        else *position++ = largest_real(tensor, row, n, stride);
    } while (cn__next_index(tensor, last, index));
    return positions;
}
