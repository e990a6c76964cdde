#include "tensor/broadcast.h"

#include "base/error.h"

#include <string.h>

static int do_not_fit(const char *function, const cn_tensor *a, const cn_tensor *b, int axis, int64_t of_a,
                      int64_t of_b)
{
    char text_a[CN_SHAPE_TEXT_BYTES], text_b[CN_SHAPE_TEXT_BYTES];
    return cn__fail(CN_ESHAPE, "%s: shapes %s and %s do not broadcast: axis %d counted from the end has %lld and %lld "
                    "entries; they must be equal, or one of them 1", function,
                    cn__shape_text(text_a, a->ndim, a->shape), cn__shape_text(text_b, b->ndim, b->shape), axis,
                    (long long)of_a, (long long)of_b);
}

int cn__broadcast_shape(const char *function, int n, const cn_tensor *const *operands, int *ndim, int64_t *shape)
{
    const cn_tensor *who[CN_MAX_NDIM]; /* gave this size to the axis */
    *ndim = 0;
    for (int i = 0; i < n; i++)
        if (operands[i]->ndim > *ndim) *ndim = operands[i]->ndim;
    for (int axis = 1; axis <= *ndim; axis++) {
        int64_t *size = &shape[*ndim - axis];
        *size = 1;
        for (int i = 0; i < n; i++) {
            const cn_tensor *t = operands[i];
            int64_t own = axis <= t->ndim ? t->shape[t->ndim - axis] : 1;
            if (own == *size || own == 1) continue;
            if (*size != 1) return do_not_fit(function, who[axis - 1], t, -axis, *size, own);
            *size = own;
            who[axis - 1] = t;
        }
    }
    return 0;
}

void cn__broadcast_strides(const cn_tensor *tensor, int ndim, const int64_t *shape, int64_t *strides)
{
    int missing = ndim - tensor->ndim;
    for (int i = 0; i < ndim; i++) {
        int stretched = i < missing || (tensor->shape[i - missing] == 1 && shape[i] != 1);
        strides[i] = stretched ? 0 : tensor->strides[i - missing];
    }
}

static void drop_axis(cn__walk *walk, int axis)
{
    walk->ndim--;
    for (int i = axis; i < walk->ndim; i++) walk->shape[i] = walk->shape[i + 1];
    for (int k = 0; k < walk->n; k++)
        for (int i = axis; i < walk->ndim; i++) walk->strides[k][i] = walk->strides[k][i + 1];
}

static int merges_with_next(const cn__walk *walk, int axis)
{
    for (int k = 0; k < walk->n; k++)
        if (walk->strides[k][axis] != walk->strides[k][axis + 1] * walk->shape[axis + 1]) return 0;
    return 1;
}

int cn__walk_begin(cn__walk *walk, int n, int ndim, const int64_t *shape, char *const *data,
                   const int64_t (*strides)[CN_MAX_NDIM])
{
    *walk = (cn__walk){.n = n, .ndim = ndim, .length = 1};
    for (int i = 0; i < ndim; i++) {
        if (shape[i] == 0) return 0;
        walk->shape[i] = shape[i];
    }
    for (int k = 0; k < n; k++) {
        walk->at[k] = data[k];
        memcpy(walk->strides[k], strides[k], sizeof walk->strides[k]);
    }
    for (int i = walk->ndim - 1; i >= 0; i--) {
        if (walk->shape[i] == 1) {
            drop_axis(walk, i);
        } else if (i + 1 < walk->ndim && merges_with_next(walk, i)) {
            walk->shape[i + 1] *= walk->shape[i];
            drop_axis(walk, i);
        }
    }
    if (walk->ndim == 0) return 1;
    walk->ndim--;
    walk->length = walk->shape[walk->ndim];
    for (int k = 0; k < n; k++) walk->step[k] = walk->strides[k][walk->ndim];
    return 1;
}

int cn__walk_next(cn__walk *walk)
{
    for (int i = walk->ndim - 1; i >= 0; i--) {
        for (int k = 0; k < walk->n; k++) walk->at[k] += walk->strides[k][i];
        if (++walk->index[i] < walk->shape[i]) return 1;
        for (int k = 0; k < walk->n; k++) walk->at[k] -= walk->strides[k][i] * walk->shape[i];
        walk->index[i] = 0;
    }
    return 0;
}
