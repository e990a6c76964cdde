/* Where a weight's gradient goes, row by row while it is still in the cache: through an optimizer's update into the
 * weight, into a gradient buffer, or nowhere. */
#ifndef CN_KERNELS_SINK_H
#define CN_KERNELS_SINK_H

#include <stddef.h>
#include <stdint.h>

#define CN__MAX_SLOTS 3
#define CN__MAX_COEFFICIENTS 12

/* What an optimizer's update needs in one step; filled by cn__optimizer_class.begin_step. */
typedef struct cn__step {
    double coefficients[CN__MAX_COEFFICIENTS];
    int switches; /* meaning is the optimizer's own, e.g. nesterov */
} cn__step;

/* Moves n weights. All pointers are to `real` of the engine; slots[k][i] belongs to weight i. */
typedef void (*cn__update)(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                           const void *gradient);

typedef struct cn__sink {
    cn__update update; /* NULL: store the gradient */
    const cn__step *step;
    void *weight;                /* rows of `stride` numbers */
    void *slots[CN__MAX_SLOTS];  /* laid out like the weight */
    void *gradient;              /* laid out like the weight; used when update is NULL; may be NULL: drop it */
    int64_t stride;
} cn__sink;

#endif
