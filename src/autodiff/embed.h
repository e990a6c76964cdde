/* Operations that only gradients need. */
#ifndef CN_AUTODIFF_EMBED_H
#define CN_AUTODIFF_EMBED_H

#include "tensor/tensor.h"

/* Zeros of that shape with `part` at the ranges: the inverse of cn_tensor_slice. */
cn_tensor *cn__embed(const cn_tensor *part, int ndim, const int64_t *shape, int n_ranges, const cn_range *ranges);

/* Zeros of that shape to which part is added along an axis where the integer indices say, several times if they repeat:
 * the inverse of cn_tensor_take (is_along 0) and of cn_tensor_take_along_axis (1). Negative indices count from the end;
 * they must be in range. */
cn_tensor *cn__scatter_add(const cn_tensor *part, const cn_tensor *indices, int axis, int is_along, int ndim,
                           const int64_t *shape);

#endif
