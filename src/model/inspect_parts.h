/* The parts of cn_inspect_data: what is looked at, and the list of findings they write into. */
#ifndef CN_MODEL_INSPECT_PARTS_H
#define CN_MODEL_INSPECT_PARTS_H

#include <cornu/inspect.h>

/* --- inspect.c --- */

/* The numbers of a tensor, row-major without gaps: its own, or a copy of a view's. */
typedef struct cn__rows {
    const void *data;
    void *copy;          /* what has to be freed, or NULL */
    cn_dtype dtype;
    double scale;        /* value = stored number x scale */
    int64_t n;           /* rows */
    int64_t features;    /* numbers in a row */
    const cn_tensor *tensor;
} cn__rows;

/* Element i in row-major order, scale applied. */
static inline double cn__rows_value(const cn__rows *rows, int64_t i)
{
    switch (rows->dtype) {
    case CN_UINT8: return (double)((const uint8_t *)rows->data)[i] * rows->scale;
    case CN_INT32: return (double)((const int32_t *)rows->data)[i] * rows->scale;
    case CN_INT64: return (double)((const int64_t *)rows->data)[i] * rows->scale;
    case CN_FLOAT32: return (double)((const float *)rows->data)[i] * rows->scale;
    case CN_FLOAT64: return ((const double *)rows->data)[i] * rows->scale;
    default: break; /* open_rows makes one of these five */
    }
    return 0;
}

typedef struct cn__findings {
    cn_finding *list;
    int capacity, count;
    unsigned kinds; /* bit k: one of kind k is there */
} cn__findings;

/* Adds one, unless one of its kind is there already: a mistake made with training and test data alike is one mistake.
 * What does not fit is counted. */
void cn__findings_add(cn__findings *findings, cn_finding_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- inspect_inputs.c: scaled twice, not scaled, not finite, constant --- */

/* `what` is "inputs" or "test inputs". */
void cn__inspect_inputs(const cn__rows *x, const char *what, cn__findings *findings);

/* --- inspect_labels.c: range, kind, sorted --- */

/* `what` is "labels" or "test labels". Looks at their order if `check_order`. */
void cn__inspect_labels(const cn__rows *y, const char *what, const cn_inspect_options *options, int check_order,
                        cn__findings *findings);

/* --- inspect_validation.c: the rows that validation_split takes, sorted by class --- */

void cn__inspect_validation(const cn__rows *y, const cn_inspect_options *options, cn__findings *findings);

/* That alone, for fit: 1 with the finding, 0 if there is nothing to say. Error: CN_ENOMEM. */
int cn__inspect_tail(const cn_tensor *y, double validation_split, cn_finding *finding);

/* --- inspect_rows.c: test rows in the training set --- */

/* Nothing is said when the two differ in dtype, scale or features: then equal bytes mean nothing. Error: CN_ENOMEM. */
int cn__inspect_test_in_train(const cn__rows *train, const cn__rows *test, cn__findings *findings);

#endif
