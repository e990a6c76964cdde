/* Several tensors walked together in one shape, each axis of size 1 or missing stretched, as NumPy broadcasts. */
#ifndef CN_TENSOR_BROADCAST_H
#define CN_TENSOR_BROADCAST_H

#include "tensor/tensor.h"

#define CN__WALK_MAX 4

/* The shape that all operands stretch to. Error: CN_ESHAPE, with a sentence that names both shapes and the axis. */
int cn__broadcast_shape(const char *function, int n, const cn_tensor *const *operands, int *ndim, int64_t *shape);

/* Strides of a tensor seen in that shape, 0 along stretched axes. The tensor must fit. */
void cn__broadcast_strides(const cn_tensor *tensor, int ndim, const int64_t *shape, int64_t *strides);

/* Goes through n arrays of one shape row by row, in row-major order. Neighbouring axes that all arrays walk evenly are
 * merged, so arrays without gaps are one row. */
typedef struct cn__walk {
    int n, ndim;            /* arrays; axes outside the row */
    int64_t length;         /* elements in a row */
    int64_t step[CN__WALK_MAX]; /* bytes from one element of the row to the next */
    char *at[CN__WALK_MAX]; /* first element of the row */
    int64_t shape[CN_MAX_NDIM], index[CN_MAX_NDIM];
    int64_t strides[CN__WALK_MAX][CN_MAX_NDIM];
} cn__walk;

/* data[i] is the first element of array i. Returns 0 if there is no element at all. */
int cn__walk_begin(cn__walk *walk, int n, int ndim, const int64_t *shape, char *const *data,
                   const int64_t (*strides)[CN_MAX_NDIM]);
/* To the next row; 0 after the last. */
int cn__walk_next(cn__walk *walk);

#endif
