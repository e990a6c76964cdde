/* Sums of products over axes. */
#ifndef CN_TENSOR_PRODUCT_H
#define CN_TENSOR_PRODUCT_H

#include "tensor/tensor.h"

/* The matrix product of the last two axes, those before them broadcast; both tensors have at least two axes. No tape
 * hears of it. */
cn_tensor *cn__matmul_tensors(const char *function, const cn_tensor *a, const cn_tensor *b);

/* Sums over pairs of axes, n of them, counted from the front; the axes left over of a, then of b. No tape hears of
 * it. */
cn_tensor *cn__contract(const char *function, const cn_tensor *a, const cn_tensor *b, int n, const int *axes_a,
                        const int *axes_b);

/* Gives a tensor without gaps that nobody has seen yet another shape of the same size. */
void cn__reshape_fresh(cn_tensor *tensor, int ndim, const int64_t *shape);

#endif
