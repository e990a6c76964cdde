/* Inside of activations: one file each. An activation is written as a text, with arguments in brackets where it takes
 * some: "relu", "leaky_relu(negative_slope=0.1)". Names, arguments and defaults are those of keras.activations. */
#ifndef CN_LAYERS_ACTIVATION_H
#define CN_LAYERS_ACTIVATION_H

#include "base/field.h"

#include <stdint.h>

/* Every argument that any activation takes. */
typedef struct cn__activation_options {
    double negative_slope, max_value, threshold, default_value, alpha, b;
    int approximate;
    int axis; /* of those that mix the numbers of a row: from 1, as 0 is the batch; -1: the last one */
} cn__activation_options;

/* Works on `rows` rows of `columns` numbers without gaps; y has the columns of z, but half as many after glu.
 * y may be z, dz may be dy. */
typedef struct cn__activation_math {
    void (*forward)(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z, void *y);
    /* dz = dL/dz from dy = dL/dy; z is NULL unless cn__activation_needs_input */
    void (*backward)(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z, const void *y,
                     const void *dy, void *dz);
} cn__activation_math;

typedef struct cn__activation_class {
    const char *name, *alias; /* "silu", "swish"; alias may be NULL */
    const cn__field *fields;  /* of cn__activation_options; Keras's order */
    int n_fields;
    cn__activation_options defaults;
    int needs_input;            /* backward reads z, so the layer has to keep it */
    int arguments_need_input;   /* ... unless all arguments have their defaults */
    int by_row;                 /* mixes the numbers of a row (softmax); then one column makes no sense */
    int halves;                 /* a row of y has half the columns of z (glu); y is not z then */
    int (*check)(const char *owner, const cn__activation_options *options); /* CN_EINVAL; NULL: all finite */
} cn__activation_class;

/* The table of activations. */
#define CN__ACTIVATION_LIST(X)                                                                                      \
    X(linear)                                                                                                       \
    X(relu)                                                                                                         \
    X(sigmoid)                                                                                                      \
    X(tanh)                                                                                                         \
    X(softmax)                                                                                                      \
    X(elu)                                                                                                          \
    X(selu)                                                                                                         \
    X(celu)                                                                                                         \
    X(gelu)                                                                                                         \
    X(silu)                                                                                                         \
    X(softplus)                                                                                                     \
    X(softsign)                                                                                                     \
    X(exponential)                                                                                                  \
    X(hard_sigmoid)                                                                                                 \
    X(hard_silu)                                                                                                    \
    X(relu6)                                                                                                        \
    X(leaky_relu)                                                                                                   \
    X(mish)                                                                                                         \
    X(log_softmax)                                                                                                  \
    X(log_sigmoid)                                                                                                  \
    X(squareplus)                                                                                                   \
    X(hard_tanh)                                                                                                    \
    X(tanh_shrink)                                                                                                  \
    X(soft_shrink)                                                                                                  \
    X(hard_shrink)                                                                                                  \
    X(threshold)                                                                                                    \
    X(sparse_plus)                                                                                                  \
    X(sparse_sigmoid)                                                                                               \
    X(sparsemax)                                                                                                    \
    X(glu)

#define CN__ACTIVATION_ID(name) CN__ACTIVATION_##name,
enum { CN__ACTIVATION_LIST(CN__ACTIVATION_ID) CN__ACTIVATION_COUNT };
#undef CN__ACTIVATION_ID

#define CN__ACTIVATION_DECLARE(name) extern const cn__activation_class cn__activation_##name;
CN__ACTIVATION_LIST(CN__ACTIVATION_DECLARE)
#undef CN__ACTIVATION_DECLARE

extern const cn__activation_class *const cn__activation_classes[CN__ACTIVATION_COUNT];

/* Index and arguments of what a text names, NULL meaning linear. Errors, with the owner's name in front: CN_ENAME with
 * a suggestion, CN_EINVAL. */
int cn__activation_find(const char *owner, const char *text, int *index, cn__activation_options *options);

/* What activations with the argument axis have in common: their field, and the check of it. */
extern const cn__field cn__activation_axis[1];
int cn__activation_check_axis(const char *owner, const cn__activation_options *options);

/* 1 if all arguments have their defaults: relu(max_value=6) is no plain relu. */
int cn__activation_is_plain(int index, const cn__activation_options *options);

/* 1 if backward reads z. */
int cn__activation_needs_input(int index, const cn__activation_options *options);

#endif
