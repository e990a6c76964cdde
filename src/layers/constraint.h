/* Constraints: what weights are brought back to after each step. Names, arguments and defaults are Keras's
 * (keras/src/constraints); norms are Euclidean, taken over `axis`, and 1e-7 is added to a norm that is divided by.
 *
 *   max_norm(max_value=2, axis=0)                              w * min(norm, max_value) / norm
 *   min_max_norm(min_value=0, max_value=1, rate=1, axis=0)     w * (rate * clip(norm) + (1 - rate) * norm) / norm
 *   unit_norm(axis=0)                                          w / norm
 *   non_neg                                                    max(w, 0)
 *
 * axis is one number or several in brackets: [0, 1, 2] for each filter of a Conv2D kernel. Negative axes count from the
 * end. */
#ifndef CN_LAYERS_CONSTRAINT_H
#define CN_LAYERS_CONSTRAINT_H

#include <stdint.h>

#define CN__CONSTRAINT_LIST(X)                                                                                      \
    X(max_norm)                                                                                                     \
    X(min_max_norm)                                                                                                 \
    X(unit_norm)                                                                                                    \
    X(non_neg)

#define CN__CONSTRAINT_ID(name) CN__CONSTRAINT_##name,
enum { CN__CONSTRAINT_LIST(CN__CONSTRAINT_ID) CN__CONSTRAINT_COUNT };
#undef CN__CONSTRAINT_ID

extern const char *const cn__constraint_names[CN__CONSTRAINT_COUNT];

typedef struct cn__constraint {
    int kind; /* CN__CONSTRAINT_max_norm, ..., or CN__CONSTRAINT_COUNT for none */
    double min_value, max_value, rate;
    uint32_t axes; /* bit a: the norm is taken over axis a */
} cn__constraint;

/* What `text` says, NULL meaning none; `owner` and `role` ("kernel_constraint") are for the message. ndim: axes of the
 * weight, 0 while it is not known. Errors: CN_ENAME, CN_EINVAL. */
int cn__constraint_find(const char *owner, const char *role, const char *text, int ndim, cn__constraint *constraint);

#endif
