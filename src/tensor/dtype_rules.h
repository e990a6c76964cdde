/* Which dtype a result has: NumPy 2's rules. Source: numpy.org/doc/stable/reference/arrays.promotion.html (NEP 50). */
#ifndef CN_TENSOR_DTYPE_RULES_H
#define CN_TENSOR_DTYPE_RULES_H

#include "tensor/tensor.h"

/* The smallest dtype that both fit in: int8 and uint8 give int16, int64 and uint64 give float64, int32 and float32 give
 * float64. Source: numpy.promote_types. */
cn_dtype cn__promote(cn_dtype a, cn_dtype b);

/* The same over all operands. Numbers made by cn_int and cn_float only count as far as Python's do: an int adapts
 * to any number, a float to any float. */
cn_dtype cn__promote_all(int n, const cn_tensor *const *operands);

/* What numpy.sqrt and its like give for a dtype: itself for floats, else the smallest float that holds it. */
cn_dtype cn__real_dtype(cn_dtype dtype);

/* What numpy.sum and numpy.prod give: integers and bools grow to 64 bits. */
cn_dtype cn__sum_dtype(cn_dtype dtype);

/* Loops exist for five dtypes; the others are converted block by block. Wrapping round gives narrow integers the same
 * results from 64 bits, and NumPy itself computes float16 in float32. */
cn_dtype cn__loop_dtype(cn_dtype dtype);
enum { CN__LOOP_DTYPES = 5 };
/* Its place in tables of loops: bool, int64, uint64, float32, float64. */
int cn__loop_number(cn_dtype loop_dtype);

int cn__is_integer(cn_dtype dtype); /* bool is none */
int cn__is_unsigned(cn_dtype dtype);

/* Whether an integer dtype holds the number; reals hold all. */
int cn__dtype_holds(cn_dtype dtype, int64_t number);

#endif
