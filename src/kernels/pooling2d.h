/* Maxima and means of windows of one picture.
 *   x, dx (H,W,C)  y, dy (P,Q,C); row-major. The window of (p,q) begins at row p * stride - before;
 * what lies outside the picture takes no part. Sums: means add their window row by row from 0, then divide; dx is 0
 * plus what each window gives, ascending p, q. */
#ifndef CN_KERNELS_POOLING2D_H
#define CN_KERNELS_POOLING2D_H

#include "kernels/real.h"

typedef struct cn__pooling2d {
    int64_t height, width, channels, out_height, out_width;
    int64_t size[2], stride[2], before[2];
} cn__pooling2d;

/* Where in its window a maximum was found takes a byte, or four where the window has more than 256 places. */
static inline int64_t cn__pooling2d_place_bytes(const cn__pooling2d *c)
{
    return c->size[0] * c->size[1] > 256 ? 4 : 1;
}

#define cn__max_pooling2d_forward CN_T(cn__max_pooling2d_forward)
#define cn__max_pooling2d_backward CN_T(cn__max_pooling2d_backward)
#define cn__average_pooling2d_forward CN_T(cn__average_pooling2d_forward)
#define cn__average_pooling2d_backward CN_T(cn__average_pooling2d_backward)

/* Row p of y. places (Q,C), each of cn__pooling2d_place_bytes: row * width of the window + column; the first of several
 * maxima, or the first NaN. */
void cn__max_pooling2d_forward(const cn__pooling2d *c, const real *x, int64_t p, real *y, void *places);
void cn__average_pooling2d_forward(const cn__pooling2d *c, const real *x, int64_t p, real *y);

/* All of dx. */
void cn__max_pooling2d_backward(const cn__pooling2d *c, const real *dy, const void *places, real *dx);
void cn__average_pooling2d_backward(const cn__pooling2d *c, const real *dy, real *dx);

#endif
