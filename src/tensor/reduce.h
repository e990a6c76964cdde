/* Sums and their like over some axes. */
#ifndef CN_TENSOR_REDUCE_H
#define CN_TENSOR_REDUCE_H

#include "tensor/tensor.h"

typedef enum cn__fold { CN__FOLD_SUM, CN__FOLD_PROD, CN__FOLD_MAX, CN__FOLD_MIN } cn__fold;

/* Axes that a call names, each once, counted from the front. */
typedef struct cn__axes {
    int n;
    int list[CN_MAX_NDIM];   /* ascending */
    int named[CN_MAX_NDIM];  /* 1 for each axis in the list */
} cn__axes;

/* axes NULL means all. Error: CN_EINVAL, an axis out of range or named twice. */
int cn__axes_read(const char *function, const cn_tensor *x, int n_axes, const int *axes, cn__axes *out);

/* One axis counted from the front, or CN_EINVAL with a sentence. */
int cn__axis_read(const char *function, int axis, int ndim, const char *shape_text);
int cn__axis_of(const char *function, const cn_tensor *x, int axis);

/* Shape without the axes, or with 1 in their place. Returns ndim. */
int cn__reduced_shape(const cn_tensor *x, const cn__axes *axes, int keepdims, int64_t *shape);

/* Folds x over the axes into out, row-major without gaps: computed in int64, uint64 or float64, which is also the dtype
 * of out. Order: the elements that go into one result are numbered in row-major order; number i is added to partial
 * result i mod 8, and these eight are added in pairs: ((0+1)+(2+3))+((4+5)+(6+7)). */
void cn__fold_axes(cn__fold fold, const cn_tensor *x, const cn__axes *axes, cn_dtype computed, void *out);

#endif
