/* The three matrix products of a dense layer.
 *   x (B,I)  kernel (I,O), row r at r * kernel_stride  y, dy (B,O)  dx (B,I); all `real`, row-major, no overlap.
 *
 * Order of every sum, which is part of the promise of equal bits: one accumulator that starts at 0 and takes one fused
 * multiply-add per term, in ascending order of
 *   forward          y[b][o]  = sum_i x[b][i] kernel[i][o]      i
 *   backward_input   dx[b][i] = sum_o dy[b][o] kernel[i][o]     o
 *   backward_kernel  g[i][o]  = sum_b x[b][i] dy[b][o]          b
 *   backward_bias    g[o]     = sum_b dy[b][o]                  b  (plain additions)
 * The two products with inputs that are bytes have no order: they are exact (kernels/exact.h).
 * However a kernel cuts the work, it keeps that order, so any tiling, any vector width and any number of threads give
 * the same bits. Terms with x = 0 may be left out: fma(0, w, s) is s for every finite w. (A sum that is -0 and an
 * infinite or NaN weight are the only exceptions; the first becomes 0 in every layer's bias addition or comparison.) */
#ifndef CN_KERNELS_DENSE_H
#define CN_KERNELS_DENSE_H

#include "base/pool.h"
#include "kernels/batch.h"
#include "kernels/dense_choice.h"
#include "kernels/real.h"
#include "kernels/sink.h"

typedef struct cn__dense {
    cn__pool *pool;
    int64_t rows, inputs, outputs; /* B, I, O */
    const real *kernel;
    int64_t kernel_stride;
    int64_t kernel_panel; /* from one panel of `kernel_stride` columns to the next; 0: rows are whole. Only the products
                           * with bytes know panels: those with tiles of CN__IDLE_COLUMNS columns, those with lists any
                           * that is made of whole parts (CN__LIST_COLUMNS). */
} cn__dense;

/* Where column o of row 0 stands. */
static inline const real *cn__kernel_column(const cn__dense *d, int64_t o)
{
    return d->kernel_panel ? d->kernel + o / d->kernel_stride * d->kernel_panel + o % d->kernel_stride : d->kernel + o;
}

/* What follows a forward product while its numbers are at hand: y + bias (NULL: none), then max(y, 0), then rounding to
 * bfloat16, which only the products of mixed_bfloat16 know. */
typedef struct cn__finish {
    const real *bias;
    int relu, rounds;
} cn__finish;

#define cn__dense_choose_products CN_T(cn__dense_choose_products)
#define cn__dense_forward CN_T(cn__dense_forward)
#define cn__dense_forward_bytes CN_T(cn__dense_forward_bytes)
#define cn__dense_backward_input CN_T(cn__dense_backward_input)
#define cn__dense_backward_kernel CN_T(cn__dense_backward_kernel)
#define cn__dense_backward_kernel_bytes CN_T(cn__dense_backward_kernel_bytes)
#define cn__dense_backward_bias CN_T(cn__dense_backward_bias)

void cn__dense_forward(const cn__dense *d, const real *x, real *y);
/* `digits`, here and below: of each whole number that lists are summed in, 2, or 1 of short ones (kernels/exact.h). */
void cn__dense_forward_bytes(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y, int digits);
void cn__dense_backward_input(const cn__dense *d, const real *dy, real *dx);

/* The gradient goes row by row into the sink; with an update in it, the kernel moves. */
void cn__dense_backward_kernel(const cn__dense *d, const real *x, const real *dy, const cn__sink *sink);
void cn__dense_backward_kernel_bytes(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink,
                                     int digits);
void cn__dense_backward_bias(const cn__dense *d, const real *dy, const cn__sink *sink);

/* What the functions above that do not work on bytes will do; a cn__dense_choose. */
void cn__dense_choose_products(cn__pool *pool, int64_t rows, int64_t inputs, int64_t outputs, int64_t kernel_stride,
                               cn__dense_choice *choice);

#endif
