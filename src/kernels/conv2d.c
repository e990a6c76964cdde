#include "kernels/conv2d.h"

#include "kernels/conv2d_parts.h"

void cn__conv2d_rows(const cn__conv2d *c, const real *in, const real *packed, int64_t p, int64_t rows, real *out,
                     real *memory)
{
    if (cn__conv2d_can_list(c) && cn__conv2d_listed(c, in, packed, p, rows, out, memory)) return;
    cn__conv2d_dense(c, in, packed, p, rows, out, memory);
}
