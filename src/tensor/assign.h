/* Writing numbers into parts of tensors. */
#ifndef CN_TENSOR_ASSIGN_H
#define CN_TENSOR_ASSIGN_H

#include "tensor/tensor.h"

/* Copies values, which must stretch to the target's shape, converting them as cn_astype does. `target` may be an
 * outline of a part. The two must not overlap. */
void cn__copy_into(const cn_tensor *target, const cn_tensor *values);

/* The outline cut to [begin, end) with a step along one axis. */
cn_tensor cn__part_of(const cn_tensor *tensor, int axis, int64_t begin, int64_t end, int64_t step);

/* A C-contiguous copy in a dtype that no tape hears of, or NULL. */
cn_tensor *cn__converted(const cn_tensor *tensor, cn_dtype dtype);

#endif
