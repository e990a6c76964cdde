/* The products of a Conv2D for one picture.
 *   x (H,W,C)  kernel (K,F), row k at k * kernel_stride, k = (i * kw + j) * Cg + c  z, dz (P,Q,F)  dx (H,W,C)
 * with Cg = C / groups channels in each window, K = kh kw Cg; all `real`, row-major, no overlap. The window of (p,q)
 * begins at row p * stride - before, column q * stride - before; its rows and columns are `dilation` apart.
 *
 * Order of every sum, which is part of the promise of equal bits:
 *   forward  z[p,q,f] = sum_k x[k] kernel[k][f]: one accumulator from 0, one fused multiply-add per term, ascending k
 *   kernel   g[k][f] = sum_(p,q) x[k] dz[p,q,f]: one accumulator, one fused multiply-add per term, ascending picture, p,
 *            q, within a piece of the batch; then the sums of the pieces are added, ascending (cn__conv2d_pieces)
 *   bias     the same with plain additions of dz[p,q,f]
 *   dx       t[k] = sum_f dz[p,q,f] kernel[k][f] for each (p,q): one accumulator from 0, one fused multiply-add per term,
 *            ascending f; dx is 0 plus these t, ascending p, q
 * Terms with dz = 0, and those outside the picture, may be left out, as terms with x = 0 may in dense.h: for finite
 * numbers that changes no bit. */
#ifndef CN_KERNELS_CONV2D_H
#define CN_KERNELS_CONV2D_H

#include "kernels/real.h"

typedef struct cn__conv2d {
    int64_t height, width, channels;        /* H, W, C */
    int64_t out_height, out_width, filters; /* P, Q, F */
    int64_t size[2], stride[2], dilation[2], before[2];
    int64_t groups;
} cn__conv2d;

/* K */
static inline int64_t cn__conv2d_terms(const cn__conv2d *c)
{
    return c->size[0] * c->size[1] * (c->channels / c->groups);
}

/* K, filled up to whole cache lines of float32: one row of a turned kernel. */
static inline int64_t cn__conv2d_turned_stride(const cn__conv2d *c)
{
    return (cn__conv2d_terms(c) + 15) / 16 * 16;
}

/* Numbers of memory that a thread needs for either direction. */
static inline int64_t cn__conv2d_thread_size(const cn__conv2d *c)
{
    return 2 * cn__conv2d_turned_stride(c);
}

/* The kernel gradient is summed up in pieces, each some neighbouring pictures of the batch, so that threads can share
 * it. Their number depends on nothing but the shape; large kernels have fewer, as each piece needs a kernel's memory. */
static inline int64_t cn__conv2d_pieces(const cn__conv2d *c)
{
    int64_t fit = ((int64_t)1 << 22) / (cn__conv2d_turned_stride(c) * c->filters);
    return fit < 2 ? 2 : fit > 16 ? 16 : fit;
}

#define cn__conv2d_forward CN_T(cn__conv2d_forward)
#define cn__conv2d_turn_kernel CN_T(cn__conv2d_turn_kernel)
#define cn__conv2d_backward CN_T(cn__conv2d_backward)

/* Rows p ... p+rows-1 of z, without gaps. `memory`: cn__conv2d_thread_size numbers. */
void cn__conv2d_forward(const cn__conv2d *c, const real *x, const real *kernel, int64_t kernel_stride, int64_t p,
                        int64_t rows, real *z, real *memory);

/* Rows f ... f+n-1 of the turned kernel: turned[f * turned_stride + k] = kernel[k][f], zeros behind. */
void cn__conv2d_turn_kernel(const cn__conv2d *c, const real *kernel, int64_t kernel_stride, int64_t f, int64_t n,
                            real *turned);

/* Adds one picture to the gradient of its piece, gradient[f * turned_stride + k] and bias[f], and computes its dx (NULL:
 * nobody needs it). */
void cn__conv2d_backward(const cn__conv2d *c, const real *x, const real *dz, const real *turned, real *gradient,
                         real *bias, real *dx, real *memory);

#endif
