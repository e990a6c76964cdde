/* Inside of activations: one file each. */
#ifndef CN_LAYERS_ACTIVATION_H
#define CN_LAYERS_ACTIVATION_H

#include <stdint.h>

/* Works on `rows` rows of `columns` numbers without gaps. y may be z, dz may be dy. */
typedef struct cn__activation_math {
    void (*forward)(int64_t rows, int64_t columns, const void *z, void *y);
    /* dz = dL/dz from dy = dL/dy; z is NULL unless the class says needs_input */
    void (*backward)(int64_t rows, int64_t columns, const void *z, const void *y, const void *dy, void *dz);
} cn__activation_math;

typedef struct cn__activation_class {
    const char *name;
    int needs_input; /* backward reads z, so the layer has to keep it */
    int by_row;      /* mixes the numbers of a row (softmax); then one column makes no sense */
} cn__activation_class;

/* The table of activations. */
#define CN__ACTIVATION_LIST(X)                                                                                      \
    X(linear)                                                                                                       \
    X(relu)                                                                                                         \
    X(sigmoid)                                                                                                      \
    X(tanh)                                                                                                         \
    X(softmax)

#define CN__ACTIVATION_ID(name) CN__ACTIVATION_##name,
enum { CN__ACTIVATION_LIST(CN__ACTIVATION_ID) CN__ACTIVATION_COUNT };
#undef CN__ACTIVATION_ID

#define CN__ACTIVATION_DECLARE(name) extern const cn__activation_class cn__activation_##name;
CN__ACTIVATION_LIST(CN__ACTIVATION_DECLARE)
#undef CN__ACTIVATION_DECLARE

extern const cn__activation_class *const cn__activation_classes[CN__ACTIVATION_COUNT];

/* Index of a name, NULL meaning linear; CN_ENAME with a suggestion. */
int cn__activation_find(const char *owner, const char *name, int *index);

#endif
