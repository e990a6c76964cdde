#include "autodiff/tape.h"

#include <cornu/operations.h>

cn_tensor *cn__sum_to(cn_tensor *g, const cn_tensor *like)
{
    if (!g) return NULL;
    int axes[CN_MAX_NDIM], n = 0, extra = g->ndim - like->ndim;
    for (int i = 0; i < g->ndim; i++)
        if (i < extra || (like->shape[i - extra] == 1 && g->shape[i] != 1)) axes[n++] = i;
    if (!n) return g;
    return cn_tensor_reshape(cn_tensor_sum(g, n, axes, 0), like->ndim, like->shape);
}
