/* Operations that move numbers and compute none: the gradient goes back the way they came. */
#include "autodiff/tape.h"

#include "autodiff/embed.h"

#include <cornu/operations.h>

#define X (b->operation->inputs[0])
#define G (b->g)

static int of_reshape(const cn__backward *b)
{
    CN__GIVE(b, 0, cn_tensor_reshape(G, X->ndim, X->shape));
    return 0;
}

static int of_transpose(const cn__backward *b)
{
    int back[CN_MAX_NDIM] = {0};
    for (int i = 0; i < X->ndim; i++) back[b->operation->axes[i]] = i;
    CN__GIVE(b, 0, cn_tensor_transpose(G, back));
    return 0;
}

static int of_slice(const cn__backward *b)
{
    CN__GIVE(b, 0, cn__embed(G, X->ndim, X->shape, b->operation->n_ranges, b->operation->ranges));
    return 0;
}

/* A position is a range of one entry whose axis was dropped. */
static int of_index(const cn__backward *b)
{
    cn_range ranges[CN_MAX_NDIM];
    int64_t shape[CN_MAX_NDIM];
    int n = b->operation->n_axes;
    for (int i = 0; i < X->ndim; i++) shape[i] = i < n ? 1 : X->shape[i];
    for (int i = 0; i < n; i++)
        ranges[i] = (cn_range){b->operation->numbers[i], b->operation->numbers[i] + 1, 1};
    CN__GIVE(b, 0, cn__embed(cn_tensor_reshape(G, X->ndim, shape), X->ndim, X->shape, n, ranges));
    return 0;
}

/* The inverse of slice. */
static int of_embed(const cn__backward *b)
{
    CN__GIVE(b, 0, cn_tensor_slice(G, b->operation->n_ranges, b->operation->ranges));
    return 0;
}

/* The caller of every rule sums over what was stretched. */
static int of_broadcast_to(const cn__backward *b)
{
    CN__GIVE(b, 0, G);
    return 0;
}

/* Entries first ... first + n - 1 of one axis, all of the others. */
static cn_tensor *cut(const cn_tensor *g, int axis, int64_t first, int64_t n)
{
    cn_range ranges[CN_MAX_NDIM];
    for (int i = 0; i < axis; i++) ranges[i] = (cn_range)CN_ALL;
    ranges[axis] = (cn_range){first, first + n, 1};
    return cn_tensor_slice(g, axis + 1, ranges);
}

static int of_concatenate(const cn__backward *b)
{
    int axis = b->operation->axes[0];
    int64_t first = 0;
    for (int i = 0; i < b->operation->n_inputs; i++) {
        int64_t n = b->operation->inputs[i]->shape[axis];
        CN__GIVE(b, i, cut(G, axis, first, n));
        first += n;
    }
    return 0;
}

static int of_stack(const cn__backward *b)
{
    int axis = b->operation->axes[0];
    for (int i = 0; i < b->operation->n_inputs; i++)
        CN__GIVE(b, i, cn_tensor_reshape(cut(G, axis, i, 1), X->ndim, X->shape));
    return 0;
}

static int of_pad(const cn__backward *b)
{
    cn_range ranges[CN_MAX_NDIM];
    for (int i = 0; i < X->ndim; i++) {
        int64_t before = b->operation->numbers[2 * i];
        ranges[i] = (cn_range){before, before + X->shape[i], 1};
    }
    CN__GIVE(b, 0, cn_tensor_slice(G, X->ndim, ranges));
    return 0;
}

/* --- repeated: the gradients of all copies are summed --- */

/* Sums over the copies along one axis of g: `times` blocks of `n` entries (apart 0), or n blocks of `times`
 * (apart 1). */
static cn_tensor *sum_copies(const cn_tensor *g, int axis, int64_t n, int64_t times, int apart)
{
    int64_t shape[CN_MAX_NDIM], split[4] = {1, times, n, 1};
    if (!g || times == 1) return (cn_tensor *)g;
    for (int i = 0; i < g->ndim; i++) {
        shape[i] = i == axis ? n : g->shape[i];
        if (i < axis) split[0] *= g->shape[i];
        if (i > axis) split[3] *= g->shape[i];
    }
    if (apart) {
        split[1] = n;
        split[2] = times;
    }
    const cn_tensor *sum = cn_tensor_sum(cn_tensor_reshape(g, 4, split), CN_AXES(apart ? 2 : 1), 0);
    return cn_tensor_reshape(sum, g->ndim, shape);
}

static int of_tile(const cn__backward *b)
{
    cn_tensor *sum = G;
    int missing = G->ndim - X->ndim;
    for (int i = 0; i < G->ndim; i++)
        sum = sum_copies(sum, i, i < missing ? 1 : X->shape[i - missing], b->operation->numbers[i], 0);
    CN__GIVE(b, 0, cn_tensor_reshape(sum, X->ndim, X->shape));
    return 0;
}

static int of_repeat(const cn__backward *b)
{
    int axis = b->operation->axes[0];
    CN__GIVE(b, 0, sum_copies(G, axis, X->shape[axis], b->operation->numbers[axis], 1));
    return 0;
}

/* --- turned round, moved, picked from the diagonal --- */

static int of_flip(const cn__backward *b)
{
    CN__GIVE(b, 0, cn_tensor_flip(G, b->operation->n_axes, b->operation->axes));
    return 0;
}

static int of_roll(const cn__backward *b)
{
    CN__GIVE(b, 0, cn_tensor_roll(G, -b->operation->numbers[0], b->operation->axes[0]));
    return 0;
}

/* Entry k goes to row k + down and column k + right: a column for each, then empty rows around them. */
static int of_diagonal(const cn__backward *b)
{
    int row = X->ndim - 2, column = X->ndim - 1;
    int64_t offset = b->operation->numbers[0], down = offset < 0 ? -offset : 0, right = offset > 0 ? offset : 0;
    int64_t length = G->shape[G->ndim - 1];
    const cn_tensor *columns = cn_tensor_eye(cn__value_dtype(G), length, X->shape[column], right);
    const cn_tensor *rows = cn_tensor_multiply(cn_tensor_expand_dims(G, -1), columns);
    cn_range ranges[CN_MAX_NDIM];
    for (int i = 0; i < row; i++) ranges[i] = (cn_range)CN_ALL;
    ranges[row] = (cn_range){down, down + length, 1};
    CN__GIVE(b, 0, cn__embed(rows, X->ndim, X->shape, row + 1, ranges));
    return 0;
}

const cn__gradient_line cn__gradient_shape[] = {
    {CN__OP_reshape, of_reshape},
    {CN__OP_transpose, of_transpose},
    {CN__OP_slice, of_slice},
    {CN__OP_index, of_index},
    {CN__OP_embed, of_embed},
    {CN__OP_broadcast_to, of_broadcast_to},
    {CN__OP_concatenate, of_concatenate},
    {CN__OP_stack, of_stack},
    {CN__OP_pad, of_pad},
    {CN__OP_tile, of_tile},
    {CN__OP_repeat, of_repeat},
    {CN__OP_flip, of_flip},
    {CN__OP_roll, of_roll},
    {CN__OP_diagonal, of_diagonal},
    {CN__OP_COUNT, NULL},
};
