/* Numbers made by cn_int and cn_float, seen from inside. */
#ifndef CN_TENSOR_WEAK_NUMBER_H
#define CN_TENSOR_WEAK_NUMBER_H

#include "tensor/tensor.h"

/* The number that cn_int was given. */
int64_t cn__weak_integer(const cn_tensor *number);

/* The operand itself, or for a weak number a scalar tensor of that dtype which outlives its ring; NULL when there is no
 * memory. Only while a tape records, to which that tensor then belongs. */
const cn_tensor *cn__strong(const cn_tensor *operand, cn_dtype dtype);

#endif
