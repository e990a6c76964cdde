/* Correlations of pictures with kernels, for Conv2D.
 *
 *   in (H,W,C)  kernel (kh,kw,C/groups,F)  out (P,Q,F);  all `real`, row-major, no overlap
 *
 * Pictures are taken as if they had `before` rows and columns of zeros in front and as many as needed behind, and
 * spread - 1 of them between any two of their own. The window of (p,q) begins at row p * stride, column q * stride of
 * that, and its rows and columns are `dilation` apart. Group g of the filters sees group g of the channels.
 *
 * The input gradient of a Conv2D is such a correlation too, of dz with the kernel turned round (cn__conv2d_turned).
 *
 * Order of every sum, which is part of the promise of equal bits; one accumulator that starts at 0 and takes one fused
 * multiply-add per term:
 *   out[p,q,f] = sum_(i,j,c) in[...] kernel[i,j,c,f]        ascending i, j, c
 *   dx[h,w,c] = sum_(p,q,f) dz[p,q,f] kernel[i,j,c,f]       ascending p, q, f: the same order, turned
 *   g[i,j,c,f] = sum_(p,q) in[...] dz[p,q,f]                ascending picture, p, q, within a piece of the batch; then
 *                                                           the sums of the pieces are added (cn__conv2d_pieces)
 *   dbias[f] = sum_(p,q) dz[p,q,f]                          likewise, with plain additions
 * Terms with a zero in the picture or in dz may be left out, as in dense.h: for finite numbers that changes no bit.
 * This is where most of the time is won: 81 % of MNIST's pixels are 0, about half of what a relu gives, and 3/4 and
 * more of the gradient below a MaxPooling2D. */
#ifndef CN_KERNELS_CONV2D_H
#define CN_KERNELS_CONV2D_H

#include "kernels/real.h"

#include <stddef.h>

typedef struct cn__conv2d {
    int64_t height, width, channels;        /* H, W, C */
    int64_t out_height, out_width, filters; /* P, Q, F */
    int64_t size[2], stride[2], dilation[2], before[2], spread[2];
    int64_t groups;
    int turned; /* the kernel is that of the correlation whose input gradient this is */
    int rounds; /* mixed_bfloat16: the kernel is rounded when it is packed */
} cn__conv2d;

/* The correlation of dz that gives dx. */
static inline cn__conv2d cn__conv2d_turned(const cn__conv2d *c)
{
    cn__conv2d t = {.height = c->out_height, .width = c->out_width, .channels = c->filters, .out_height = c->height,
                    .out_width = c->width, .filters = c->channels, .groups = c->groups, .turned = 1,
                    .rounds = c->rounds};
    for (int axis = 0; axis < 2; axis++) {
        t.size[axis] = c->size[axis];
        t.stride[axis] = 1;
        t.dilation[axis] = c->dilation[axis];
        t.spread[axis] = c->stride[axis];
        t.before[axis] = c->dilation[axis] * (c->size[axis] - 1) - c->before[axis];
    }
    return t;
}

static inline int64_t cn__conv2d_whole_vectors(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* Terms of one sum of `out`. */
static inline int64_t cn__conv2d_terms(const cn__conv2d *c)
{
    return c->size[0] * c->size[1] * (c->channels / c->groups);
}

/* Columns of the picture that one row of windows covers, zeros around it included. */
static inline int64_t cn__conv2d_reach(const cn__conv2d *c, int axis)
{
    int64_t windows = axis ? c->out_width : c->out_height;
    return (windows - 1) * c->stride[axis] + c->dilation[axis] * (c->size[axis] - 1) + 1;
}

/* 1 if windows read zeros that are not in memory. */
static inline int cn__conv2d_needs_zeros(const cn__conv2d *c)
{
    for (int axis = 0; axis < 2; axis++) {
        int64_t n = axis ? c->width : c->height;
        if (c->before[axis] || c->spread[axis] > 1 || cn__conv2d_reach(c, axis) > n) return 1;
    }
    return 0;
}

/* --- the kernel in the order in which the loops read it --- */

/* Numbers of a packed kernel: one copy for the dense loops and one for lists of non-zeros. */
static inline int64_t cn__conv2d_packed_size(const cn__conv2d *c)
{
    return 2 * cn__conv2d_terms(c) * c->groups * cn__conv2d_whole_vectors(c->filters / c->groups);
}

/* Rows i * kw + j = first ... first+n-1 of both copies. */
#define cn__conv2d_pack CN_T(cn__conv2d_pack)
void cn__conv2d_pack(const cn__conv2d *c, const real *kernel, int64_t kernel_stride, int64_t first, int64_t n,
                     real *packed);

/* --- correlation --- */

/* The same for all engines: numbers of memory that any of the functions below needs. */
int64_t cn__conv2d_memory(const cn__conv2d *c);

/* Rows p ... p+rows-1 of out, without gaps; `in` is the whole picture. */
#define cn__conv2d_rows CN_T(cn__conv2d_rows)
void cn__conv2d_rows(const cn__conv2d *c, const real *in, const real *packed, int64_t p, int64_t rows, real *out,
                     real *memory);

/* --- kernel gradient --- */

/* The kernel gradient is summed up in pieces, each some neighbouring pictures of the batch, so that threads can share
 * it. Their number depends on nothing but the shape; large kernels have fewer, as each piece needs a kernel's
 * memory. */
static inline int64_t cn__conv2d_pieces(const cn__conv2d *c)
{
    int64_t fit = ((int64_t)1 << 22) / (cn__conv2d_terms(c) * c->filters);
    return fit < 2 ? 2 : fit > 16 ? 16 : fit;
}

/* Numbers in the sum of one piece; they begin as zeros. Their order is the business of the functions below, but for the
 * last ones, which are the bias gradient. */
int64_t cn__conv2d_sums_size(const cn__conv2d *c);

/* 1 if a picture like this dz is better taken as lists of its non-zeros. All pictures of a call are taken alike. */
#define cn__conv2d_wants_lists CN_T(cn__conv2d_wants_lists)
int cn__conv2d_wants_lists(const cn__conv2d *c, const real *dz);

/* Adds one picture to the sums of its piece. */
#define cn__conv2d_add_gradient CN_T(cn__conv2d_add_gradient)
void cn__conv2d_add_gradient(const cn__conv2d *c, const real *in, const real *dz, int lists, real *sums, real *memory);

/* Row k = (i * kw + j) * C / groups + c of the gradient, F numbers. */
#define cn__conv2d_gradient_row CN_T(cn__conv2d_gradient_row)
void cn__conv2d_gradient_row(const cn__conv2d *c, const real *sums, int lists, int64_t k, real *row);

#endif
