#include "kernels/dense.h"

#if CN_REAL_BITS == 32

#include "kernels/amx_bytes.h"
#include "kernels/dense_lists.h"
#include "kernels/dense_sparse.h"

/* What a batch is made of decides who multiplies it. */
void cn__dense_forward_bytes(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y, int digits)
{
#if CN__AMX_BYTES
    if (x->sample_tiles) {
        cn__amx_bytes_forward(d, x, finish, y);
        return;
    }
#endif
    if (x->used || x->lists) cn__dense_sparse_forward(d, x, finish, y);
    else cn__dense_lists_forward(d, x, finish, y, digits);
}

void cn__dense_backward_kernel_bytes(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink,
                                     int digits)
{
#if CN__AMX_BYTES
    if (x->sample_tiles) {
        cn__amx_bytes_backward_kernel(d, x, dy, sink);
        return;
    }
#endif
    if (x->used || x->lists) cn__dense_sparse_backward_kernel(d, x, dy, sink);
    else cn__dense_lists_backward_kernel(d, x, dy, sink, digits);
}

#else

/* The float64 engine makes no batches of bytes (kernels/gather.c), so nobody calls these. */
void cn__dense_forward_bytes(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y, int digits)
{
    (void)d;
    (void)x;
    (void)finish;
    (void)y;
    (void)digits;
}

void cn__dense_backward_kernel_bytes(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink,
                                     int digits)
{
    (void)d;
    (void)x;
    (void)dy;
    (void)sink;
    (void)digits;
}

#endif
