/* Numbers picked by their positions: each gradient is added where its number came from. */
#include "autodiff/tape.h"

#include "autodiff/embed.h"

#include <cornu/operations.h>

#define X (b->operation->inputs[0])
#define INDICES (b->operation->inputs[1])
#define AXIS (b->operation->axes[0])
#define G (b->g)

static int of_take(const cn__backward *b)
{
    CN__GIVE(b, 0, cn__scatter_add(G, INDICES, AXIS, 0, X->ndim, X->shape));
    return 0;
}

static int of_take_along_axis(const cn__backward *b)
{
    CN__GIVE(b, 0, cn__scatter_add(G, INDICES, AXIS, 1, X->ndim, X->shape));
    return 0;
}

static int of_scatter_add(const cn__backward *b)
{
    int is_along = b->operation->keepdims;
    CN__GIVE(b, 0, is_along ? cn_tensor_take_along_axis(G, INDICES, AXIS) : cn_tensor_take(G, INDICES, AXIS));
    return 0;
}

/* Where a number went is its rank: argsort of argsort. */
static int of_sort(const cn__backward *b)
{
    const cn_tensor *order = cn_tensor_argsort(X, AXIS);
    CN__GIVE(b, 0, cn_tensor_take_along_axis(G, cn_tensor_argsort(order, AXIS), AXIS));
    return 0;
}

const cn__gradient_line cn__gradient_gather[] = {
    {CN__OP_take, of_take},
    {CN__OP_take_along_axis, of_take_along_axis},
    {CN__OP_scatter_add, of_scatter_add},
    {CN__OP_sort, of_sort},
    {CN__OP_COUNT, NULL},
};
