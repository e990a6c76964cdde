/* Products of tensors: z = sum of x * y over some axes. The gradient of one factor is dz times the other, summed over
 * the axes that the factor does not have. */
#include "autodiff/tape.h"
#include "base/error.h"
#include "tensor/equation.h"

#include <cornu/operations.h>
#include <stdio.h>
#include <string.h>

#define X (b->operation->inputs[0])
#define Y (b->operation->inputs[1])
#define G (b->g)

/* --- matmul --- */

/* The same numbers with an axis of one entry put in at `axis`. */
static const cn_tensor *with_axis(const cn_tensor *tensor, int axis)
{
    int64_t shape[CN_MAX_NDIM];
    if (!tensor) return NULL;
    for (int i = 0; i <= tensor->ndim && i < CN_MAX_NDIM; i++)
        shape[i] = i < axis ? tensor->shape[i] : i == axis ? 1 : tensor->shape[i - 1];
    return cn_tensor_reshape(tensor, tensor->ndim + 1, shape);
}

static const cn_tensor *swapped(const cn_tensor *tensor)
{
    int axes[CN_MAX_NDIM];
    if (!tensor) return NULL;
    for (int i = 0; i < tensor->ndim; i++) axes[i] = i;
    axes[tensor->ndim - 2] = tensor->ndim - 1;
    axes[tensor->ndim - 1] = tensor->ndim - 2;
    return cn_tensor_transpose(tensor, axes);
}

/* A factor's gradient, summed over the stacks that it was repeated for, in the factor's own shape. */
static cn_tensor *in_shape_of(const cn_tensor *factor, const cn_tensor *matrix, cn_tensor *gradient)
{
    return gradient && matrix ? cn_tensor_reshape(cn__sum_to(gradient, matrix), factor->ndim, factor->shape) : NULL;
}

/* Vectors are rows on the left and columns on the right, as in the product itself. */
static int of_matmul(const cn__backward *b)
{
    const cn_tensor *x = X->ndim == 1 ? with_axis(X, 0) : X, *y = Y->ndim == 1 ? with_axis(Y, 1) : Y, *g = G;
    if (Y->ndim == 1) g = with_axis(g, g->ndim);
    if (X->ndim == 1 && g) g = with_axis(g, g->ndim - 1);
    CN__GIVE(b, 0, in_shape_of(X, x, cn_tensor_matmul(g, swapped(y))));
    CN__GIVE(b, 1, in_shape_of(Y, y, cn_tensor_matmul(swapped(x), g)));
    return 0;
}

/* --- tensordot --- */

/* Axes of an operand that are not among the n contracted ones, in order; returns how many. */
static int free_axes(const cn_tensor *tensor, int n, const int *contracted, int *axes)
{
    int count = 0;
    for (int i = 0; i < tensor->ndim; i++) {
        int is_free = 1;
        for (int k = 0; k < n; k++) is_free &= contracted[k] != i;
        if (is_free) axes[count++] = i;
    }
    return count;
}

/* The gradient of one factor: g times the other over the other's free axes, which stand in g from `first` on. What
 * comes out has the factor's free axes and then the contracted ones in the order of the other's axes. */
static cn_tensor *factor_gradient(const cn_tensor *g, int first, const cn_tensor *factor, const int *contracted,
                                  const cn_tensor *other, const int *other_contracted, int n)
{
    int other_free[CN_MAX_NDIM] = {0}, own_free[CN_MAX_NDIM] = {0}, in_g[CN_MAX_NDIM] = {0}, back[CN_MAX_NDIM] = {0};
    int n_other = free_axes(other, n, other_contracted, other_free), n_own = free_axes(factor, n, contracted, own_free);
    for (int i = 0; i < n_other; i++) in_g[i] = first + i;
    const cn_tensor *product = cn_tensor_tensordot(g, other, n_other, in_g, other_free);
    for (int i = 0; i < n_own; i++) back[own_free[i]] = i;
    for (int k = 0; k < n; k++) {
        int rank = 0; /* the contracted axes of the other that are left stand in ascending order */
        for (int j = 0; j < n; j++) rank += other_contracted[j] < other_contracted[k];
        back[contracted[k]] = n_own + rank;
    }
    return cn_tensor_transpose(product, back);
}

static int of_tensordot(const cn__backward *b)
{
    const cn__operation *o = b->operation;
    int unused[CN_MAX_NDIM], n_own = free_axes(X, o->n_axes, o->axes, unused);
    CN__GIVE(b, 0, factor_gradient(G, n_own, X, o->axes, Y, o->other_axes, o->n_axes));
    CN__GIVE(b, 1, factor_gradient(G, 0, Y, o->other_axes, X, o->axes, o->n_axes));
    return 0;
}

/* numpy.dot of more than vectors: the last axis of x with the last but one of y. */
static int of_dot(const cn__backward *b)
{
    if (X->ndim == 0 || Y->ndim == 0) {
        CN__GIVE(b, 0, cn_tensor_multiply(G, Y));
        CN__GIVE(b, 1, cn_tensor_multiply(G, X));
        return 0;
    }
    int x_axis = X->ndim - 1, y_axis = Y->ndim > 1 ? Y->ndim - 2 : 0;
    CN__GIVE(b, 0, factor_gradient(G, X->ndim - 1, X, &x_axis, Y, &y_axis, 1));
    CN__GIVE(b, 1, factor_gradient(G, 0, Y, &y_axis, X, &x_axis, 1));
    return 0;
}

/* --- einsum --- */

/* The gradient of operand k over its letters, each once: sums over all letters that it lacks. Letters that only it has
 * were summed over, so there the gradient is the same along the axis; axes of one entry were stretched. */
static cn_tensor *over_letters(const cn__backward *b, const cn__equation *e, int k, const char *letters)
{
    const char *other = e->letters[!k], *output = e->output;
    char shared[CN_MAX_NDIM + 1] = "", text[4 * CN_MAX_NDIM];
    int64_t with_ones[CN_MAX_NDIM], whole[CN_MAX_NDIM];
    const cn_tensor *x = b->operation->inputs[k];
    int ndim = (int)strlen(letters);
    for (int i = 0; i < ndim; i++) {
        whole[i] = x->shape[strchr(e->letters[k], letters[i]) - e->letters[k]];
        const char *there = strchr(other, letters[i]);
        int is_whole = there && b->operation->inputs[!k]->shape[there - other] == whole[i];
        int is_shared = whole[i] != 1 && (is_whole || strchr(output, letters[i]));
        with_ones[i] = is_shared ? whole[i] : 1;
        if (is_shared) shared[strlen(shared)] = letters[i];
    }
    int two = b->operation->n_inputs == 2;
    snprintf(text, sizeof text, "%s%s%s->%s", output, two ? "," : "", two ? other : "", shared);
    const cn_tensor *g = cn_tensor_einsum(text, G, two ? b->operation->inputs[!k] : NULL);
    return cn_tensor_broadcast_to(cn_tensor_reshape(g, ndim, with_ones), ndim, whole);
}

/* A letter that stands twice means a diagonal: its second axis is made by multiplying with the identity. */
static cn_tensor *operand_gradient(const cn__backward *b, const cn__equation *e, int k)
{
    const cn_tensor *x = b->operation->inputs[k];
    const char *all = e->letters[k];
    char letters[CN_MAX_NDIM + 1] = "";
    int64_t shape[CN_MAX_NDIM];
    for (int i = 0; i < x->ndim; i++) {
        int is_first = strchr(all, all[i]) == all + i;
        shape[i] = is_first ? x->shape[i] : 1;
        if (is_first) letters[strlen(letters)] = all[i];
    }
    cn_tensor *g = cn_tensor_reshape(over_letters(b, e, k, letters), x->ndim, shape);
    for (int i = 0; i < x->ndim; i++) {
        int first = (int)(strchr(all, all[i]) - all);
        if (first == i) continue;
        int64_t n = x->shape[i], beside[CN_MAX_NDIM];
        for (int j = 0; j < x->ndim; j++) beside[j] = j == i || j == first ? n : 1;
        g = cn_tensor_multiply(g, cn_tensor_reshape(cn_tensor_eye(cn__value_dtype(x), n, n, 0), x->ndim, beside));
    }
    return g;
}

static int of_einsum(const cn__backward *b)
{
    cn__equation e;
    CN_TRY(cn__equation_read(b->operation->text, b->operation->n_inputs, b->operation->inputs, &e));
    for (int k = 0; k < b->operation->n_inputs; k++) CN__GIVE(b, k, operand_gradient(b, &e, k));
    return 0;
}

const cn__gradient_line cn__gradient_matmul[] = {
    {CN__OP_matmul, of_matmul},
    {CN__OP_dot, of_dot},
    {CN__OP_tensordot, of_tensordot},
    {CN__OP_einsum, of_einsum},
    {CN__OP_COUNT, NULL},
};
