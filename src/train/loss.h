/* Inside of losses: one file each, numbers first, description below `#if CN_ONCE`.
 * Source of the formulas: keras/src/losses/losses.py. */
#ifndef CN_TRAIN_LOSS_H
#define CN_TRAIN_LOSS_H

#include "base/field.h"

#include <stdint.h>

/* All arguments that any loss has; each names its own in `fields`. */
typedef struct cn__loss_options {
    const char *reduction, *axis; /* axis: "-1", "(1, 2)"; NULL: the default */
    double label_smoothing, alpha, beta, gamma, delta, q, margin;
    int from_logits, apply_class_balancing, remove_diagonal;
    int64_t ignore_class; /* CN__NO_CLASS: none */
} cn__loss_options;
#define CN__NO_CLASS INT64_MIN

/* One batch of outputs and what they should have been. Pointers are to `real` of the engine, row-major. */
typedef struct cn__scores {
    int64_t rows, columns;
    const cn__loss_options *options;
    const void *target;    /* (rows, columns); NULL for sparse losses */
    const int32_t *labels; /* (rows), of sequences (rows, length); NULL for others. Outside 0 ... columns-1 only where
                            * the loss ignores them, or where they only tell equal from different */
    const void *output;    /* (rows, columns): what the model gave, or its logits */
    void *probabilities;   /* (rows, columns): written when output holds logits */
    void *row_loss;        /* (rows): written */
    void *gradient;        /* (rows, columns): d(sum over rows of the loss / divisor)/d(output), NULL: not wanted */
    int64_t divisor;       /* 1, or the number of rows that the mean is taken over */
    const double *weights; /* (rows): for metrics and for losses whose rows go together; NULL: all 1 */
    int seen;              /* what `look` of the loss has seen in the whole batch */
    int moved;             /* rows run over other axes than the last one: the caller named them */
    int64_t classes;       /* where moved: size of the last axis, by which Keras divides label_smoothing. 0: columns */
    int64_t steps, length; /* of sequences: a row is `steps` rows of columns / steps numbers, with `length` labels */
    void *room;            /* of sequences: (rows, cn__loss_room) */
} cn__scores;

/* Rows are measured one by one, so that threads may share them, unless the class says `whole_batch` or
 * `rows_together`. */
typedef struct cn__loss_math {
    void (*measure)(const cn__scores *scores);             /* output holds what the model gave */
    void (*measure_from_logits)(const cn__scores *scores); /* output holds logits; NULL: not offered */
    int (*look)(const cn__scores *scores);                 /* at all rows first, for `seen`; NULL: not needed */
} cn__loss_math;

typedef struct cn__loss_class {
    const char *name, *alias, *alias_2; /* compared without case and underscores */
    const cn__field *fields;
    int n_fields;
    cn__loss_options defaults;
    int sparse;               /* targets are integer labels */
    int whole_batch;          /* one number for all rows, which every row_loss holds; for each row where scores are
                               * moved */
    int rows_together;        /* a row's number depends on other rows; rows that cost nothing are not counted */
    int labels_are_free;      /* labels are any whole numbers, not places of columns */
    int sequence;             /* a row is a whole sequence: outputs (n, steps, K), labels (n, length) */
    int look_first;           /* rows depend on what `look` sees in the whole batch */
    const char *logits_after; /* activation whose input can be used instead of its output; NULL: none */
    int (*check)(const cn__loss_options *options); /* may be NULL */
} cn__loss_class;

#define CN__LOSS_LIST(X)                                                                                            \
    X(categorical_crossentropy)                                                                                     \
    X(sparse_categorical_crossentropy)                                                                              \
    X(binary_crossentropy)                                                                                          \
    X(categorical_focal_crossentropy)                                                                               \
    X(binary_focal_crossentropy)                                                                                    \
    X(categorical_generalized_cross_entropy)                                                                        \
    X(mean_squared_error)                                                                                           \
    X(mean_absolute_error)                                                                                          \
    X(mean_absolute_percentage_error)                                                                               \
    X(mean_squared_logarithmic_error)                                                                               \
    X(huber)                                                                                                        \
    X(log_cosh)                                                                                                     \
    X(kl_divergence)                                                                                                \
    X(poisson)                                                                                                      \
    X(cosine_similarity)                                                                                            \
    X(hinge)                                                                                                        \
    X(squared_hinge)                                                                                                \
    X(categorical_hinge)                                                                                            \
    X(dice)                                                                                                         \
    X(tversky)                                                                                                      \
    X(circle)                                                                                                       \
    X(ctc)

#define CN__LOSS_ID(name) CN__LOSS_##name,
enum { CN__LOSS_LIST(CN__LOSS_ID) CN__LOSS_COUNT };
#undef CN__LOSS_ID

#define CN__LOSS_DECLARE(name) extern const cn__loss_class cn__loss_##name;
CN__LOSS_LIST(CN__LOSS_DECLARE)
#undef CN__LOSS_DECLARE

extern const cn__loss_class *const cn__loss_classes[CN__LOSS_COUNT];

/* How the numbers of the rows become one. */
typedef enum cn__reduction {
    CN__REDUCTION_SUM_OVER_BATCH_SIZE, /* also called mean: sum of weight x loss / number of rows */
    CN__REDUCTION_SUM,
    CN__REDUCTION_MEAN_WITH_SAMPLE_WEIGHT, /* sum of weight x loss / sum of weights */
    CN__REDUCTION_NONE
} cn__reduction;

/* Axes as somebody wrote them; negative ones count from the end. */
#define CN__MOST_AXES 8
typedef struct cn__axis_list {
    int n; /* 0: none were given */
    int at[CN__MOST_AXES];
} cn__axis_list;

/* From "-1", "(1, 2)" or NULL. Error: CN_EINVAL with the owner's name. */
int cn__axis_list_read(const char *owner, const char *text, cn__axis_list *axes);

/* A loss with its arguments. */
typedef struct cn__loss {
    int index;    /* in cn__loss_classes */
    int by_shape; /* "crossentropy": the shapes choose which one (cn__loss_set_shape) */
    cn__reduction reduction;
    cn__loss_options options;
    cn__axis_list axes;
} cn__loss;

/* From text such as "huber(delta=2)". Errors: CN_ENAME, CN_EINVAL, CN_ENOMEM; then there is nothing to close. */
int cn__loss_open(cn__loss *loss, const char *text);
int cn__loss_open_spec(cn__loss *loss, const cn__spec *spec);
/* Accepts one that is all zero. */
void cn__loss_close(cn__loss *loss);

static inline const cn__loss_class *cn__loss_class_of(const cn__loss *loss)
{
    return cn__loss_classes[loss->index];
}

/* "crossentropy" becomes the binary, sparse or categorical one; others stay what they are. labels: targets are class
 * numbers. Returns 1 if it has become another one. */
int cn__loss_set_shape(cn__loss *loss, int64_t columns, int labels);

/* Numbers of room that a row of a sequence loss needs. */
static inline int64_t cn__loss_room(int64_t steps, int64_t length)
{
    return (steps + 2) * (2 * length + 1) + steps; /* all paths, two steps of rests, a logarithm for each step */
}

/* Whether all numbers behind the first 0 are 0. */
int cn__labels_are_packed(int64_t n, const int32_t *labels);

/* 1 if a batch's loss is not the mean of what its rows would give alone, so that the size of batches matters. */
int cn__loss_needs_batches(const cn__loss *loss);

/* 1 for the name "crossentropy", which cn__loss_find does not know: the shapes choose the loss. */
int cn__loss_is_by_shape(const char *name);

/* 1 if there is a loss of that name. */
int cn__loss_find(const char *name, int *index);

/* cn__same_name, for names that may be NULL. */
int cn__same_keras_name(const char *a, const char *b);

/* Checks for the descriptions of losses: `owner` is the loss. */
int cn__loss_check_smoothing(const char *owner, const cn__loss_options *options);
int cn__loss_check_focal(const char *owner, const cn__loss_options *options); /* alpha, gamma and smoothing */

#define CN__LOSS_FIELD_AXIS {"axis", CN__FIELD_TEXT, offsetof(cn__loss_options, axis)}
#define CN__LOSS_FIELD_REDUCTION {"reduction", CN__FIELD_TEXT, offsetof(cn__loss_options, reduction)}
#define CN__LOSS_REDUCTION "sum_over_batch_size"

#endif
