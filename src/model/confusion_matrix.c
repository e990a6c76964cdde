#include "base/error.h"
#include "tensor/tensor.h"

#include <cornu/metric.h>

#define MOST_CLASSES 46340 /* the square of one more is no int32 */

/* (rows,) class numbers as int64, an argmax for rows of numbers; you destroy it. */
static cn_tensor *classes_of(const cn_tensor *tensor, const char *what)
{
    char text[CN_SHAPE_TEXT_BYTES];
    int ndim = cn_ndim(tensor);
    if (ndim == 1 || (ndim == 2 && cn_shape(tensor)[1] == 1)) return cn_astype(tensor, CN_FLOAT64);
    if (ndim == 2 && cn_shape(tensor)[1] > 1) {
        cn_tensor *largest = cn_argmax(tensor), *classes = cn_astype(largest, CN_FLOAT64);
        cn_tensor_destroy(&largest);
        return classes;
    }
    return cn__fail_null(CN_ESHAPE, "cn_confusion_matrix: the %s need shape (rows,) or (rows, classes), got %s", what,
                         cn__shape_text(text, ndim, cn_shape(tensor)));
}

static int find_classes(const cn_tensor *classes, const char *what, int64_t limit, int64_t *n)
{
    const double *values = cn_data(classes);
    for (int64_t i = 0; i < cn_size(classes); i++) {
        double value = values[i];
        if (!(value >= 0 && value < (double)limit) || value != (double)(int64_t)value)
            return cn__fail(CN_EINVAL, "cn_confusion_matrix: row %lld of the %s is %g, which is not one of the classes "
                            "0 ... %lld", (long long)i, what, value, (long long)limit - 1);
        if ((int64_t)value >= *n) *n = (int64_t)value + 1;
    }
    return CN_OK;
}

static cn_tensor *count(const cn_tensor *labels, const cn_tensor *predictions, int64_t n)
{
    int64_t limit = n > 0 ? n : MOST_CLASSES, found = n;
    if (n < 0 || n > MOST_CLASSES)
        return cn__fail_null(CN_EINVAL, "cn_confusion_matrix: the number of classes must lie in 0 ... %d, got %lld",
                             MOST_CLASSES, (long long)n);
    if (cn_size(labels) != cn_size(predictions))
        return cn__fail_null(CN_ESHAPE, "cn_confusion_matrix: there are %lld labels but %lld predictions",
                             (long long)cn_size(labels), (long long)cn_size(predictions));
    if (find_classes(labels, "labels", limit, &found) < 0 ||
        find_classes(predictions, "predictions", limit, &found) < 0)
        return NULL;
    cn_tensor *matrix = cn_tensor_create(CN_INT64, 2, (int64_t[]){found, found});
    const double *truth = cn_data(labels), *said = cn_data(predictions);
    for (int64_t i = 0; matrix && i < cn_size(labels); i++)
        ((int64_t *)cn_data(matrix))[(int64_t)truth[i] * found + (int64_t)said[i]]++;
    return matrix;
}

cn_tensor *cn_confusion_matrix(const cn_tensor *labels, const cn_tensor *predictions, int64_t n)
{
    if (!labels || !predictions) {
        cn__null_tensor("cn_confusion_matrix");
        return NULL;
    }
    cn_tensor *truth = classes_of(labels, "labels"), *said = truth ? classes_of(predictions, "predictions") : NULL;
    cn_tensor *matrix = truth && said ? count(truth, said, n) : NULL;
    cn_tensor_destroy(&truth);
    cn_tensor_destroy(&said);
    return matrix;
}
