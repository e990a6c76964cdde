/* Reductions: the gradient is spread over the axes that were reduced. */
#include "autodiff/tape.h"

#include "base/error.h"
#include "base/memory.h"

#include <cornu/operations.h>
#include <string.h>

#define X (b->operation->inputs[0])
#define Z (b->output)
#define G (b->g)

/* A result of the reduction with its reduced axes back as axes of one entry, so that it broadcasts to the input. */
static cn_tensor *kept(const cn__backward *b, const cn_tensor *result)
{
    int64_t shape[CN_MAX_NDIM];
    for (int i = 0; i < X->ndim; i++) shape[i] = X->shape[i];
    for (int i = 0; i < b->operation->n_axes; i++) shape[b->operation->axes[i]] = 1;
    return cn_tensor_reshape(result, X->ndim, shape);
}

static int64_t n_reduced(const cn__backward *b)
{
    int64_t n = 1;
    for (int i = 0; i < b->operation->n_axes; i++) n *= X->shape[b->operation->axes[i]];
    return n;
}

static cn_tensor *spread(const cn__backward *b, const cn_tensor *result)
{
    return cn_tensor_broadcast_to(kept(b, result), X->ndim, X->shape);
}

static int of_sum(const cn__backward *b)
{
    CN__GIVE(b, 0, spread(b, G));
    return 0;
}

static int of_mean(const cn__backward *b)
{
    CN__GIVE(b, 0, spread(b, cn_tensor_divide(G, cn_float((double)n_reduced(b)))));
    return 0;
}

/* Equal extremes share the gradient, as in TensorFlow. */
static int of_extreme(const cn__backward *b)
{
    const cn_tensor *is_it = cn_astype(cn_tensor_equal(X, kept(b, Z)), cn__value_dtype(G));
    const cn_tensor *count = cn_tensor_sum(is_it, b->operation->n_axes, b->operation->axes, 1);
    CN__GIVE(b, 0, cn_tensor_divide(cn_tensor_multiply(is_it, kept(b, G)), count));
    return 0;
}

/* --- var and std --- */

/* dx = g * 2 (x - mean) / (n - ddof) */
static cn_tensor *of_variance(const cn__backward *b, const cn_tensor *g)
{
    const cn_tensor *mean = cn_tensor_mean(X, b->operation->n_axes, b->operation->axes, 1);
    double divisor = (double)n_reduced(b) - b->operation->real;
    return cn_tensor_multiply(cn_tensor_multiply(cn_tensor_subtract(X, mean), cn_float(2 / divisor)), kept(b, g));
}

static int of_var(const cn__backward *b)
{
    CN__GIVE(b, 0, of_variance(b, G));
    return 0;
}

static int of_std(const cn__backward *b)
{
    CN__GIVE(b, 0, of_variance(b, cn_tensor_divide(G, cn_tensor_multiply(Z, cn_float(2)))));
    return 0;
}

/* --- prod --- */

/* Every second entry of the last axis, from `first` on. */
static cn_tensor *every_second(const cn_tensor *x, int64_t first)
{
    cn_range ranges[CN_MAX_NDIM];
    if (!x) return NULL;
    for (int i = 0; i < x->ndim - 1; i++) ranges[i] = (cn_range)CN_ALL;
    ranges[x->ndim - 1] = (cn_range){first, CN_END, 2};
    return cn_tensor_slice(x, x->ndim, ranges);
}

/* For each entry of the last axis the product of all others, without dividing, so zeros are no exception: neighbours
 * are multiplied in pairs, the same is done for the pairs, and each entry takes what its pair got times its
 * neighbour. */
static cn_tensor *product_of_others(const cn_tensor *x)
{
    if (!x) return NULL;
    int last = x->ndim - 1;
    int64_t n = x->shape[last], shape[CN_MAX_NDIM];
    for (int i = 0; i <= last; i++) shape[i] = x->shape[i];
    if (n <= 1) return cn_tensor_full(cn__value_dtype(x), x->ndim, shape, 1);
    if (n % 2) { /* a 1 more, dropped again at the end */
        shape[last] = 1;
        const cn_tensor *one = cn_tensor_full(cn__value_dtype(x), x->ndim, shape, 1);
        const cn_tensor *others = product_of_others(cn_tensor_concatenate(CN_TENSORS(x, one), last));
        cn_range ranges[CN_MAX_NDIM];
        for (int i = 0; i < last; i++) ranges[i] = (cn_range)CN_ALL;
        ranges[last] = (cn_range){0, n, 1};
        return others ? cn_tensor_slice(others, x->ndim, ranges) : NULL;
    }
    const cn_tensor *even = every_second(x, 0), *odd = every_second(x, 1);
    const cn_tensor *pairs = product_of_others(cn_tensor_multiply(even, odd));
    const cn_tensor *of_even = cn_tensor_multiply(pairs, odd), *of_odd = cn_tensor_multiply(pairs, even);
    return cn_tensor_reshape(cn_tensor_stack(CN_TENSORS(of_even, of_odd), last + 1), x->ndim, shape);
}

/* The reduced axes are brought to the end and made one. */
static cn_tensor *product_of_others_over(const cn__backward *b)
{
    int to_end[CN_MAX_NDIM], back[CN_MAX_NDIM] = {0}, n = 0;
    int64_t moved_shape[CN_MAX_NDIM];
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < X->ndim; i++) {
            int is_reduced = 0;
            for (int k = 0; k < b->operation->n_axes; k++) is_reduced |= b->operation->axes[k] == i;
            if (is_reduced == pass) to_end[n++] = i;
        }
    for (int i = 0; i < X->ndim; i++) {
        back[to_end[i]] = i;
        moved_shape[i] = X->shape[to_end[i]];
    }
    int rest = X->ndim - b->operation->n_axes;
    int64_t joined[CN_MAX_NDIM];
    for (int i = 0; i < rest; i++) joined[i] = moved_shape[i];
    joined[rest] = n_reduced(b);
    const cn_tensor *x = cn_tensor_reshape(cn_tensor_transpose(X, to_end), rest + 1, joined);
    return cn_tensor_transpose(cn_tensor_reshape(product_of_others(x), X->ndim, moved_shape), back);
}

static int of_prod(const cn__backward *b)
{
    if (X->ndim == 0 || b->operation->n_axes == 0) CN__GIVE(b, 0, G);
    else CN__GIVE(b, 0, cn_tensor_multiply(kept(b, G), product_of_others_over(b)));
    return 0;
}

/* --- cumsum: each entry is in all sums from its own on --- */

static int of_cumsum(const cn__backward *b)
{
    int axis = b->operation->axes[0];
    CN__GIVE(b, 0, cn_tensor_flip(cn_tensor_cumsum(cn_tensor_flip(G, CN_AXES(axis)), axis), CN_AXES(axis)));
    return 0;
}

/* --- cumprod: y_j = x_0 ... x_j, so dy_j/dx_i is what stands before x_i times what stands between x_i and the end ---
 *
 * before_i s_i with s_i = g_i + x_{i+1} s_{i+1}. Nothing is divided by x, which may be 0. */

/* s, with the axis in front; parts has room for as many tensors as the axis has entries. */
static cn_tensor *sums_behind(const cn_tensor *x, const cn_tensor *g, const cn_tensor **parts)
{
    int64_t n = x->shape[0];
    for (int64_t i = n - 1; i >= 0; i--) {
        parts[i] = cn_index(g, i);
        if (i < n - 1) parts[i] = cn_tensor_add(parts[i], cn_tensor_multiply(cn_index(x, i + 1), parts[i + 1]));
        if (!parts[i]) return NULL;
    }
    return cn_tensor_stack((int)n, parts, 0);
}

static int of_cumprod(const cn__backward *b)
{
    int axis = b->operation->axes[0];
    const cn_tensor *x = cn_tensor_swapaxes(b->operation->inputs[0], 0, axis), *g = cn_tensor_swapaxes(G, 0, axis);
    int64_t shape[CN_MAX_NDIM];
    if (!x || !g) return cn_error_status();
    if (x->size == 0) {
        CN__GIVE(b, 0, G);
        return 0;
    }
    memcpy(shape, x->shape, sizeof shape);
    shape[0] = 1;
    const cn_tensor *one = cn_tensor_full(cn__value_dtype(x), x->ndim, shape, 1);
    const cn_tensor *before = cn_tensor_concatenate(CN_TENSORS(one, cn_slice(cn_tensor_cumprod(x, 0), {0, -1})), 0);
    const cn_tensor **parts = cn__alloc((size_t)x->shape[0], sizeof *parts, "the gradient of cumprod");
    if (!parts) return CN_ENOMEM;
    cn_tensor *sums = sums_behind(x, g, parts);
    cn__free(parts);
    CN__GIVE(b, 0, cn_tensor_swapaxes(cn_tensor_multiply(before, sums), 0, axis));
    return 0;
}

const cn__gradient_line cn__gradient_reduction[] = {
    {CN__OP_sum, of_sum},
    {CN__OP_mean, of_mean},
    {CN__OP_max, of_extreme},
    {CN__OP_min, of_extreme},
    {CN__OP_var, of_var},
    {CN__OP_std, of_std},
    {CN__OP_prod, of_prod},
    {CN__OP_cumsum, of_cumsum},
    {CN__OP_cumprod, of_cumprod},
    {CN__OP_COUNT, NULL},
};
