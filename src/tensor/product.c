#include "tensor/product.h"

#include <cornu/operations.h>

#include "base/error.h"
#include "base/pool.h"
#include "kernels/tensor_math.h"
#include "tensor/assign.h"
#include "tensor/broadcast.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"
#include "tensor/reduce.h"

#include <string.h>

/* From this many multiply-adds on, copies of the operands and a team of threads are worth their while. */
#define TEAM_WORK 1e6

/* --- matrices of one type --- */

/* Integers wrap round as NumPy's; uint64 serves int64 too. Strides in elements. */
static void multiply_integers(int64_t m, int64_t n, int64_t k, const uint64_t *a, int64_t a_row, int64_t a_column,
                              const uint64_t *b, int64_t b_row, int64_t b_column, uint64_t *c)
{
    memset(c, 0, (size_t)(m * n) * sizeof *c);
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++) {
            uint64_t factor = a[i * a_row + l * a_column];
            for (int64_t j = 0; j < n; j++) c[i * n + j] += factor * b[l * b_row + j * b_column];
        }
}

typedef struct job {
    const cn__tensor_math *math; /* NULL: integers */
    cn__pool *pool;
    int64_t bytes, m, n, k;
    int64_t a_row, a_column, b_row, b_column; /* in elements */
} job;

static void multiply(const job *j, const char *a, const char *b, char *c)
{
    if (j->math)
        j->math->matmul(j->pool, j->m, j->n, j->k, a, j->a_row, j->a_column, b, j->b_row, j->b_column, c, j->n);
    else
        multiply_integers(j->m, j->n, j->k, (const uint64_t *)(const void *)a, j->a_row, j->a_column,
                          (const uint64_t *)(const void *)b, j->b_row, j->b_column, (uint64_t *)(void *)c);
}

/* The operand where it lies if it is plainly of that dtype, else a copy without gaps. */
static const cn_tensor *usable(const cn_tensor *x, cn_dtype dtype, cn_tensor **copy)
{
    int64_t bytes = (int64_t)cn_dtype_size(dtype);
    int plain = x->dtype == dtype && x->scale == 1 && (uintptr_t)x->data % (uintptr_t)bytes == 0;
    for (int i = 0; i < x->ndim; i++) plain &= x->strides[i] % bytes == 0;
    return plain ? x : (*copy = cn__converted(x, dtype));
}

/* A stack of matrices times one matrix is one taller matrix times it. */
static void flatten_stack(cn_tensor *a, const cn_tensor *b, cn_tensor *c)
{
    if (b->ndim != 2 || a->ndim == 2 || !cn_is_contiguous(a)) return;
    int64_t rows = 1;
    for (int i = 0; i + 1 < a->ndim; i++) rows *= a->shape[i];
    cn__reshape_fresh(a, 2, (const int64_t[]){rows, a->shape[a->ndim - 1]});
    cn__reshape_fresh(c, 2, (const int64_t[]){rows, c->shape[c->ndim - 1]});
}

static int multiply_stacks(const cn_tensor *a_given, const cn_tensor *b, const cn_tensor *output)
{
    cn_tensor a = cn__tensor_outline(a_given), c = cn__tensor_outline(output);
    if (c.size == 0) return 0;
    flatten_stack(&a, b, &c);
    int batch = c.ndim - 2;
    int64_t bytes = (int64_t)cn_dtype_size(c.dtype);
    job j = {.bytes = bytes, .m = c.shape[batch], .n = c.shape[batch + 1], .k = a.shape[a.ndim - 1],
             .a_row = a.strides[a.ndim - 2] / bytes, .a_column = a.strides[a.ndim - 1] / bytes,
             .b_row = b->strides[b->ndim - 2] / bytes, .b_column = b->strides[b->ndim - 1] / bytes};
    if (cn__is_real(c.dtype)) {
        j.math = cn__tensor_math_find(c.dtype == CN_FLOAT32 ? 32 : 64);
        if (!j.math) return cn_error_status();
        if ((double)j.m * (double)j.n * (double)j.k >= TEAM_WORK) {
            j.pool = cn__pool_create(cn__cpu_threads());
            if (!j.pool) return cn_error_status();
        }
    }
    /* Broadcast and walked like any other operation, over the stacks alone. */
    cn_tensor stack_a = a, stack_b = cn__tensor_outline(b);
    int64_t strides[3][CN_MAX_NDIM] = {{0}};
    char *data[] = {a.data, b->data, c.data};
    stack_a.ndim -= 2;
    stack_b.ndim -= 2;
    cn__broadcast_strides(&stack_a, batch, c.shape, strides[0]);
    cn__broadcast_strides(&stack_b, batch, c.shape, strides[1]);
    memcpy(strides[2], c.strides, sizeof strides[2]);
    cn__walk walk;
    cn__walk_begin(&walk, 3, batch, c.shape, data, (const int64_t(*)[CN_MAX_NDIM])strides);
    do {
        for (int64_t i = 0; i < walk.length; i++)
            multiply(&j, walk.at[0] + i * walk.step[0], walk.at[1] + i * walk.step[1], walk.at[2] + i * walk.step[2]);
    } while (cn__walk_next(&walk));
    cn__pool_destroy(&j.pool);
    return 0;
}

/* --- matmul --- */

static int check_inner(const char *function, const cn_tensor *a, const cn_tensor *b)
{
    char text_a[CN_SHAPE_TEXT_BYTES], text_b[CN_SHAPE_TEXT_BYTES];
    if (a->shape[a->ndim - 1] == b->shape[b->ndim - 2]) return 0;
    return cn__fail(CN_ESHAPE, "%s: shapes %s and %s do not fit: axis %d of the first has %lld entries and axis %d of "
                    "the second %lld", function, cn__shape_text(text_a, a->ndim, a->shape),
                    cn__shape_text(text_b, b->ndim, b->shape), a->ndim - 1, (long long)a->shape[a->ndim - 1],
                    b->ndim - 2, (long long)b->shape[b->ndim - 2]);
}

cn_tensor *cn__matmul_tensors(const char *function, const cn_tensor *a, const cn_tensor *b)
{
    cn_tensor stack_a = cn__tensor_outline(a), stack_b = cn__tensor_outline(b);
    int64_t shape[CN_MAX_NDIM];
    int ndim;
    if (check_inner(function, a, b) < 0) return NULL;
    stack_a.ndim -= 2;
    stack_b.ndim -= 2;
    if (cn__broadcast_shape(function, 2, (const cn_tensor *[]){&stack_a, &stack_b}, &ndim, shape) < 0) return NULL;
    shape[ndim] = a->shape[a->ndim - 2];
    shape[ndim + 1] = b->shape[b->ndim - 1];
    cn_dtype dtype = cn__promote_all(2, (const cn_tensor *[]){a, b});
    cn_dtype computed = dtype == CN_BOOL ? CN_INT64 : cn__loop_dtype(dtype);
    cn_tensor *copies[2] = {0};
    const cn_tensor *left = usable(a, computed, &copies[0]), *right = usable(b, computed, &copies[1]);
    cn_tensor *output = left && right ? cn__tensor_create_raw(computed, ndim + 2, shape) : NULL;
    if (output && multiply_stacks(left, right, output) < 0) cn_tensor_destroy(&output);
    cn_tensor_destroy(&copies[0]);
    cn_tensor_destroy(&copies[1]);
    if (output && dtype != computed) {
        cn_tensor *wide = output;
        output = cn__converted(wide, dtype);
        cn_tensor_destroy(&wide);
        if (output) cn__record_made(output);
    }
    return output;
}

void cn__reshape_fresh(cn_tensor *tensor, int ndim, const int64_t *shape)
{
    tensor->ndim = ndim;
    memmove(tensor->shape, shape, (size_t)ndim * sizeof *shape);
    cn__strides_fill(tensor->strides, ndim, tensor->shape, cn_dtype_size(tensor->dtype));
}

/* A vector on the left is a row, one on the right a column. */
static cn_tensor as_matrix(const cn_tensor *x, int is_left)
{
    cn_tensor matrix = cn__tensor_outline(x);
    if (x->ndim != 1) return matrix;
    matrix.ndim = 2;
    matrix.shape[is_left] = x->shape[0];
    matrix.strides[is_left] = x->strides[0];
    matrix.shape[!is_left] = 1;
    matrix.strides[!is_left] = (int64_t)cn_dtype_size(x->dtype);
    return matrix;
}

cn_tensor *cn_tensor_matmul(const cn_tensor *a, const cn_tensor *b)
{
    static const char function[] = "cn_tensor_matmul";
    if (!a || !b) return cn__pass_null(function);
    if (a->ndim == 0 || b->ndim == 0)
        return cn__fail_null(CN_ESHAPE, "%s is for tensors with axes; use cn_tensor_multiply for a scalar", function);
    cn_tensor left = as_matrix(a, 1), right = as_matrix(b, 0);
    cn_tensor *output = cn__matmul_tensors(function, &left, &right);
    if (output && (a->ndim == 1 || b->ndim == 1)) {
        int64_t shape[CN_MAX_NDIM];
        int ndim = 0, last = output->ndim - 1;
        for (int i = 0; i <= last; i++)
            if (!(i == last - 1 && a->ndim == 1) && !(i == last && b->ndim == 1)) shape[ndim++] = output->shape[i];
        cn__reshape_fresh(output, ndim, shape);
    }
    return cn__record(output, &(cn__operation){.op = CN__OP_matmul, .n_inputs = 2,
                                               .inputs = (const cn_tensor *[]){a, b}});
}

/* --- tensordot, dot, outer --- */

/* The tensor as a matrix: the summed axes last (first_summed 0) or first, each group in one axis; a copy if need be. */
static cn_tensor *group_axes(const cn_tensor *x, int n, const int *summed, int summed_first)
{
    int order[CN_MAX_NDIM], named[CN_MAX_NDIM] = {0}, at = 0;
    int64_t rows = 1, inner = 1;
    for (int i = 0; i < n; i++) {
        named[summed[i]] = 1;
        inner *= x->shape[summed[i]];
    }
    if (summed_first) for (int i = 0; i < n; i++) order[at++] = summed[i];
    for (int i = 0; i < x->ndim; i++) {
        if (named[i]) continue;
        order[at++] = i;
        rows *= x->shape[i];
    }
    if (!summed_first) for (int i = 0; i < n; i++) order[at++] = summed[i];
    int64_t shape[] = {summed_first ? inner : rows, summed_first ? rows : inner};
    cn_tensor *ordered = cn_tensor_transpose(x, order);
    int is_matrix = x->ndim == 2 && n == 1; /* with any strides, no copy */
    return is_matrix ? ordered : cn_tensor_reshape(ordered, 2, shape);
}

cn_tensor *cn__contract(const char *function, const cn_tensor *a, const cn_tensor *b, int n, const int *axes_a,
                        const int *axes_b)
{
    int64_t shape[2 * CN_MAX_NDIM];
    char text_a[CN_SHAPE_TEXT_BYTES], text_b[CN_SHAPE_TEXT_BYTES];
    int ndim = 0, named_a[CN_MAX_NDIM] = {0}, named_b[CN_MAX_NDIM] = {0};
    for (int i = 0; i < n; i++) {
        named_a[axes_a[i]]++;
        named_b[axes_b[i]]++;
        if (a->shape[axes_a[i]] == b->shape[axes_b[i]] && named_a[axes_a[i]] == 1 && named_b[axes_b[i]] == 1) continue;
        return cn__fail_null(CN_ESHAPE, "%s: axis %d of shape %s and axis %d of shape %s cannot be summed over "
                             "together: they have %lld and %lld entries%s", function, axes_a[i],
                             cn__shape_text(text_a, a->ndim, a->shape), axes_b[i],
                             cn__shape_text(text_b, b->ndim, b->shape), (long long)a->shape[axes_a[i]],
                             (long long)b->shape[axes_b[i]],
                             named_a[axes_a[i]] > 1 || named_b[axes_b[i]] > 1 ? ", or are named twice" : "");
    }
    for (int i = 0; i < a->ndim; i++)
        if (!named_a[i]) shape[ndim++] = a->shape[i];
    for (int i = 0; i < b->ndim; i++)
        if (!named_b[i]) shape[ndim++] = b->shape[i];
    if (ndim > CN_MAX_NDIM)
        return cn__fail_null(CN_EINVAL, "%s: the result would have %d axes, more than %d", function, ndim, CN_MAX_NDIM);
    cn__recorder *paused = cn__record_pause();
    cn_scope *scope = cn_scope_begin();
    cn_tensor *left = scope ? group_axes(a, n, axes_a, 0) : NULL, *right = scope ? group_axes(b, n, axes_b, 1) : NULL;
    cn_tensor *output = left && right ? cn__matmul_tensors(function, left, right) : NULL;
    if (output) cn__record_disown(output);
    cn_scope_end(&scope);
    cn__record_resume(paused);
    if (output) cn__reshape_fresh(output, ndim, shape);
    if (output) cn__record_made(output);
    return output;
}

cn_tensor *cn_tensor_tensordot(const cn_tensor *a, const cn_tensor *b, int n, const int *axes_a, const int *axes_b)
{
    static const char function[] = "cn_tensor_tensordot";
    cn__operation operation = {.op = CN__OP_tensordot, .n_inputs = 2, .inputs = (const cn_tensor *[]){a, b},
                               .n_axes = n};
    if (!a || !b) return cn__pass_null(function);
    if (n < 0 || n > CN_MAX_NDIM || !axes_a != !axes_b)
        return cn__fail_null(CN_EINVAL, "%s: %d pairs of axes, or one list of them is NULL", function, n);
    for (int i = 0; i < n; i++) {
        operation.axes[i] = cn__axis_of(function, a, axes_a ? axes_a[i] : i - n);
        operation.other_axes[i] = cn__axis_of(function, b, axes_b ? axes_b[i] : i);
        if (operation.axes[i] < 0 || operation.other_axes[i] < 0) return NULL;
    }
    return cn__record(cn__contract(function, a, b, n, operation.axes, operation.other_axes), &operation);
}

cn_tensor *cn_tensor_dot(const cn_tensor *a, const cn_tensor *b)
{
    static const char function[] = "cn_tensor_dot";
    if (!a || !b) return cn__pass_null(function);
    if (a->ndim == 0 || b->ndim == 0) return cn_tensor_multiply(a, b);
    int last = a->ndim - 1, other = b->ndim > 1 ? b->ndim - 2 : 0;
    return cn__record(cn__contract(function, a, b, 1, &last, &other),
                      &(cn__operation){.op = CN__OP_dot, .n_inputs = 2, .inputs = (const cn_tensor *[]){a, b}});
}

cn_tensor *cn_tensor_outer(const cn_tensor *a, const cn_tensor *b)
{
    if (!a || !b) return cn__pass_null("cn_tensor_outer");
    cn_tensor *column = cn_tensor_reshape(a, 2, (const int64_t[]){-1, 1});
    cn_tensor *row = cn_tensor_reshape(b, 2, (const int64_t[]){1, -1});
    cn_tensor *product = column && row ? cn_tensor_multiply(column, row) : NULL;
    cn_tensor_destroy(&column);
    cn_tensor_destroy(&row);
    return product;
}
