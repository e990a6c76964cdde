#include "model/stratify.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "tensor/tensor.h"

#include <cornu/model.h>
#include <math.h>
#include <stdlib.h>

#define MOST_CLASSES 10000000

int64_t cn__rows_to_train(int64_t n, double validation_split)
{
    int64_t train = (int64_t)floor((double)n * (1.0 - validation_split));
    if (train > 0 && train < n) return train;
    return cn__fail(CN_EINVAL,
                    "%lld samples are not enough for validation_split %g: %lld would train and %lld validate",
                    (long long)n, validation_split, (long long)train, (long long)(n - train));
}

typedef struct class_rows {
    int64_t class_, first, n; /* its rows are sorted[first ... first+n-1] */
    int64_t validating;       /* how many of them validate */
    int64_t remainder;        /* what rounding down has taken from it */
} class_rows;

static int by_remainder(const void *a, const void *b)
{
    const class_rows *x = a, *y = b;
    if (x->remainder != y->remainder) return x->remainder < y->remainder ? 1 : -1;
    return (x->class_ > y->class_) - (x->class_ < y->class_);
}

/* Sorts the rows by class, the rows of each in their order. */
static void sort_rows(int64_t n, const int64_t *classes, int64_t n_classes, class_rows *of, uint32_t *sorted)
{
    for (int64_t i = 0; i < n; i++) of[classes[i]].n++;
    for (int64_t c = 0, first = 0; c < n_classes; c++) {
        of[c].class_ = c;
        of[c].first = first;
        first += of[c].n;
        of[c].n = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        class_rows *own = &of[classes[i]];
        sorted[own->first + own->n++] = (uint32_t)i;
    }
}

static void share_out(int64_t n, int64_t n_validating, int64_t n_classes, class_rows *of)
{
    int64_t left = n_validating;
    for (int64_t c = 0; c < n_classes; c++) {
        of[c].validating = n_validating * of[c].n / n; /* below 2^62: both factors are below 2^31 */
        of[c].remainder = n_validating * of[c].n % n;
        left -= of[c].validating;
    }
    qsort(of, (size_t)n_classes, sizeof *of, by_remainder);
    for (int64_t c = 0; c < left; c++) of[c].validating++;
}

/* The first rows of a permutation of each class validate. `order` has room for n. */
static void draw(uint64_t seed, int64_t n_classes, const class_rows *of, const uint32_t *sorted, uint32_t *order,
                 uint8_t *validates)
{
    for (int64_t c = 0; c < n_classes; c++) {
        cn__random random;
        if (!of[c].n) continue;
        cn__random_begin(&random, seed, CN__FOR_SPLIT, (uint32_t)of[c].class_);
        cn__random_permutation(&random, (uint32_t)of[c].n, order);
        for (int64_t i = 0; i < of[c].validating; i++) validates[sorted[of[c].first + order[i]]] = 1;
    }
}

int64_t cn__stratify(int64_t n, const int64_t *classes, double validation_split, uint64_t seed, uint32_t *picks)
{
    int64_t train = cn__rows_to_train(n, validation_split), n_classes = 1;
    if (train < 0) return train;
    for (int64_t i = 0; i < n; i++) n_classes = classes[i] >= n_classes ? classes[i] + 1 : n_classes;
    class_rows *of = cn__alloc((size_t)n_classes, sizeof *of, "the split by class");
    uint32_t *sorted = cn__alloc((size_t)n, 2 * sizeof *sorted, "the split by class");
    uint8_t *validates = cn__alloc((size_t)n, 1, "the split by class");
    if (of && sorted && validates) {
        int64_t at[2] = {0, train};
        sort_rows(n, classes, n_classes, of, sorted);
        share_out(n, n - train, n_classes, of);
        draw(seed, n_classes, of, sorted, sorted + n, validates);
        for (int64_t i = 0; i < n; i++) picks[at[validates[i]]++] = (uint32_t)i;
    } else {
        train = CN_ENOMEM;
    }
    cn__free(of);
    cn__free(sorted);
    cn__free(validates);
    return train;
}

/* --- for users -------------------------------------------------------------------------------------------------- */

/* The classes of labels: numbers, or the places of the largest entries of rows. NULL after a failure. */
static int64_t *classes_of(const cn_tensor *labels)
{
    int64_t n = cn_len(labels), columns = n > 0 ? cn_size(labels) / n : 1;
    int64_t *classes = cn__alloc((size_t)n, sizeof *classes, "classes");
    cn_tensor *values = classes ? cn_astype(labels, CN_FLOAT64) : NULL;
    for (int64_t i = 0; values && i < n; i++) {
        const double *row = (const double *)cn_data(values) + i * columns;
        int64_t best = 0;
        for (int64_t j = 1; j < columns; j++) best = row[j] > row[best] ? j : best;
        double class_ = columns > 1 ? (double)best : row[0];
        classes[i] = (int64_t)class_;
        if (class_ >= 0 && class_ < MOST_CLASSES && class_ == floor(class_)) continue;
        cn__fail(CN_EINVAL, "label %g in row %lld is no class: a stratified split needs whole numbers 0, 1, ..., or "
                 "one-hot rows", class_, (long long)i);
        cn_tensor_destroy(&values);
    }
    if (!values) {
        cn__free(classes);
        return NULL;
    }
    cn_tensor_destroy(&values);
    return classes;
}

static cn_tensor *rows_tensor(const uint32_t *picks, int64_t n)
{
    cn_tensor *rows = cn_tensor_create(CN_INT64, 1, (int64_t[]){n});
    for (int64_t i = 0; rows && i < n; i++) ((int64_t *)cn_data(rows))[i] = picks[i];
    return rows;
}

int cn_split_stratified(const cn_tensor *labels, double validation_split, uint64_t seed, cn_tensor **train,
                        cn_tensor **validation)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (!train || !validation)
        return cn__fail(CN_EINVAL, "cn_split_stratified: there is nowhere to put the rows (NULL)");
    *train = *validation = NULL;
    if (!labels) return cn__null_tensor("cn_split_stratified");
    if (cn_ndim(labels) < 1 || cn_ndim(labels) > 2 || cn_size(labels) < 1 || cn_len(labels) > INT32_MAX)
        return cn__fail(CN_ESHAPE, "cn_split_stratified: labels need shape (n,), (n, 1) or (n, classes), got %s",
                        cn__shape_text(text, cn_ndim(labels), cn_shape(labels)));
    if (!(validation_split > 0 && validation_split < 1))
        return cn__fail(CN_EINVAL, "validation_split must lie in 0 ... 1 (both excluded), got %g", validation_split);
    int64_t n = cn_len(labels), *classes = classes_of(labels);
    uint32_t *picks = classes ? cn__alloc((size_t)n, sizeof *picks, "rows") : NULL;
    int64_t n_train = picks ? cn__stratify(n, classes, validation_split, seed, picks) : cn_error_status();
    if (n_train > 0) {
        *train = rows_tensor(picks, n_train);
        *validation = rows_tensor(picks + n_train, n - n_train);
        if (!*train || !*validation) {
            cn_tensor_destroy(train);
            cn_tensor_destroy(validation);
            n_train = CN_ENOMEM;
        }
    }
    cn__free(classes);
    cn__free(picks);
    return n_train > 0 ? CN_OK : (int)n_train;
}
