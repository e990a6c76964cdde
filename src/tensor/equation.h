/* Equations in Einstein's notation, "ij,jk->ik" or "...i,...i->...", for einsum and its gradient. */
#ifndef CN_TENSOR_EQUATION_H
#define CN_TENSOR_EQUATION_H

#include "tensor/tensor.h"

/* Letters, one for each axis. The axes of "..." have letters, too, which the text does not use. */
typedef struct cn__equation {
    int n_operands;
    char letters[2][CN_MAX_NDIM + 1]; /* of each operand */
    char output[CN_MAX_NDIM + 1];
} cn__equation;

/* Reads the equation for these operands. Errors: CN_EINVAL (the text), CN_ESHAPE (fewer axes than letters). */
int cn__equation_read(const char *text, int n_operands, const cn_tensor *const *operands, cn__equation *equation);

#endif
