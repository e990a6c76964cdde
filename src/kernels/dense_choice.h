/* Which loops compute the products of a dense layer. Nobody needs this to compute: it is what the functions that decide
 * (cn__matmul_run, cn__dense_forward, cn__dense_backward_kernel) say about themselves. */
#ifndef CN_KERNELS_DENSE_CHOICE_H
#define CN_KERNELS_DENSE_CHOICE_H

#include "base/pool.h"

typedef enum cn__product {
    CN__PRODUCT_BLOCKS,      /* copies blocks of both factors into the caches' order */
    CN__PRODUCT_FEW_ROWS,    /* reads the right factor where it lies */
    CN__PRODUCT_FEW_COLUMNS, /* reads the left factor where it lies */
    CN__PRODUCT_NARROW,      /* both factors where they lie: few outputs */
    CN__PRODUCT_ONE_ROW      /* walks the non-zeros of a single row */
} cn__product;

typedef struct cn__dense_choice {
    cn__product forward, backward_input, backward_kernel;
    int64_t forward_parts, backward_input_parts, backward_kernel_parts; /* for the team; 1: one thread computes alone */
    int64_t strip_rows, strip_columns; /* the piece of the kernel's gradient that is made at once */
} cn__dense_choice;

/* For a layer (rows, inputs) . (inputs, outputs) whose gradient feeds an update. `pool` is the team at work. */
typedef void (*cn__dense_choose)(cn__pool *pool, int64_t rows, int64_t inputs, int64_t outputs, int64_t kernel_stride,
                                 cn__dense_choice *choice);

#endif
