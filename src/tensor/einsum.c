/* Einstein's sums over one or two tensors: each letter names an axis, letters that the result lacks are summed over. */
#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/dtype_rules.h"
#include "tensor/equation.h"
#include "tensor/product.h"
#include "tensor/record.h"

#include <string.h>

/* One operand with every letter once: a letter that stands twice is walked along the diagonal. */
static int take_diagonals(const char *text, const cn_tensor *x, char *letters, cn_tensor *seen)
{
    char shape[CN_SHAPE_TEXT_BYTES];
    *seen = cn__tensor_outline(x);
    if ((int)strlen(letters) != x->ndim)
        return cn__fail(CN_ESHAPE, "cn_tensor_einsum: \"%s\": \"%s\" names %d axes, but shape %s has %d", text,
                        letters, (int)strlen(letters), cn__shape_text(shape, x->ndim, x->shape), x->ndim);
    seen->ndim = 0;
    for (int i = 0; i < x->ndim; i++) {
        char *first = memchr(letters, letters[i], (size_t)seen->ndim);
        int at = first ? (int)(first - letters) : seen->ndim++;
        if (first && x->shape[i] != seen->shape[at])
            return cn__fail(CN_ESHAPE, "cn_tensor_einsum: \"%s\": the axes %c of shape %s have %lld and %lld entries",
                            text, letters[i], cn__shape_text(shape, x->ndim, x->shape), (long long)seen->shape[at],
                            (long long)x->shape[i]);
        letters[at] = letters[i];
        seen->shape[at] = x->shape[i];
        seen->strides[at] = (first ? seen->strides[at] : 0) + x->strides[i];
    }
    letters[seen->ndim] = '\0';
    seen->size = 1;
    for (int i = 0; i < seen->ndim; i++) seen->size *= seen->shape[i];
    return 0;
}

/* An axis of one entry stretches to the other operand's: it takes no part in the product. */
static void drop_stretched(cn_tensor *seen, char *letters, const cn_tensor *other, const char *other_letters)
{
    int kept = 0;
    for (int i = 0; letters[i]; i++) {
        const char *there = strchr(other_letters, letters[i]);
        if (seen->shape[i] == 1 && there && other->shape[there - other_letters] != 1) continue;
        letters[kept] = letters[i];
        seen->shape[kept] = seen->shape[i];
        seen->strides[kept++] = seen->strides[i];
    }
    letters[kept] = '\0';
    seen->ndim = kept;
}

/* Sums over the letters that neither the other operand nor the result has, in the dtype of the result: einsum keeps it
 * where sum would make it 64 bits wide. */
static cn_tensor *sum_own_letters(const cn_tensor *x, cn_dtype dtype, char *letters, const char *other,
                                  const char *output)
{
    int axes[CN_MAX_NDIM], n = 0, kept = 0;
    for (int i = 0; letters[i]; i++) {
        if (!strchr(other, letters[i]) && !strchr(output, letters[i])) axes[n++] = i;
        else letters[kept++] = letters[i];
    }
    letters[kept] = '\0';
    cn_tensor *converted = cn_astype(x, dtype);
    return n ? cn_astype(cn_tensor_sum(converted, n, axes, 0), dtype) : converted;
}

/* Axes of x in the order of three groups of letters, each group one axis. */
static cn_tensor *as_stack(const cn_tensor *x, const char *letters, const char *groups[3])
{
    int order[CN_MAX_NDIM], at = 0;
    int64_t shape[3] = {1, 1, 1};
    for (int g = 0; g < 3; g++)
        for (const char *l = groups[g]; *l; l++) {
            int axis = (int)(strchr(letters, *l) - letters);
            order[at++] = axis;
            shape[g] *= x->shape[axis];
        }
    return cn_tensor_reshape(cn_tensor_transpose(x, order), 3, shape);
}

/* In its result the axes stand in the order batch, own letters of a, own letters of b. */
static cn_tensor *multiply(const char *text, const cn_tensor *const *x, const cn__equation *e, char *order)
{
    char batch[CN_MAX_NDIM + 1] = "", own[2][CN_MAX_NDIM + 1] = {"", ""}, summed[CN_MAX_NDIM + 1] = "";
    int64_t shape[CN_MAX_NDIM];
    int ndim = 0;
    for (int k = 0; k < 2; k++)
        for (const char *l = e->letters[k]; *l; l++) {
            const char *shared = strchr(e->letters[!k], *l);
            char *group = !shared ? own[k] : strchr(e->output, *l) ? batch : summed;
            if (shared && k == 1) continue;
            group[strlen(group)] = *l;
            int64_t n = x[k]->shape[l - e->letters[k]], other = shared ? x[!k]->shape[shared - e->letters[!k]] : n;
            if (n != other)
                return cn__fail_null(CN_ESHAPE, "cn_tensor_einsum: \"%s\": axis %.*s has %lld entries in one tensor "
                                     "and %lld in the other", text, strchr(text, *l) ? 1 : 3,
                                     strchr(text, *l) ? l : "...", (long long)n, (long long)other);
        }
    if (strlen(batch) + strlen(own[0]) + strlen(own[1]) > CN_MAX_NDIM)
        return cn__fail_null(CN_EINVAL, "cn_tensor_einsum: \"%s\": the product has more than %d axes", text,
                             CN_MAX_NDIM);
    strcat(strcat(strcpy(order, batch), own[0]), own[1]);
    for (const char *l = order; *l; l++) {
        int k = strchr(e->letters[0], *l) ? 0 : 1;
        shape[ndim++] = x[k]->shape[strchr(e->letters[k], *l) - e->letters[k]];
    }
    cn_tensor *left = as_stack(x[0], e->letters[0], (const char *[]){batch, own[0], summed});
    cn_tensor *right = as_stack(x[1], e->letters[1], (const char *[]){batch, summed, own[1]});
    cn_tensor *product = left && right ? cn__matmul_tensors("cn_tensor_einsum", left, right) : NULL;
    if (product) cn__reshape_fresh(product, ndim, shape);
    return product;
}

/* Everything made on the way belongs to the caller's scope. */
static cn_tensor *compute(const char *text, cn__equation *e, const cn_tensor *const *operands)
{
    char order[2 * CN_MAX_NDIM + 1] = "";
    cn_tensor seen[2];
    cn_dtype dtype = cn__promote_all(e->n_operands, operands);
    const cn_tensor *x[2] = {NULL, NULL};
    for (int k = 0; k < e->n_operands; k++)
        if (take_diagonals(text, operands[k], e->letters[k], &seen[k]) < 0) return NULL;
    for (int k = 0; k < e->n_operands && e->n_operands == 2; k++)
        drop_stretched(&seen[k], e->letters[k], &seen[!k], e->letters[!k]);
    for (int k = 0; k < e->n_operands; k++) {
        x[k] = sum_own_letters(&seen[k], dtype, e->letters[k], e->n_operands == 2 ? e->letters[!k] : "", e->output);
        if (!x[k]) return NULL;
    }
    const cn_tensor *product = x[0];
    if (e->n_operands == 2) product = multiply(text, x, e, order);
    else strcpy(order, e->letters[0]);
    int axes[CN_MAX_NDIM];
    for (int i = 0; product && i < product->ndim; i++) axes[i] = (int)(strchr(order, e->output[i]) - order);
    return cn_copy(product ? cn_tensor_transpose(product, axes) : NULL);
}

cn_tensor *cn_tensor_einsum(const char *text, const cn_tensor *a, const cn_tensor *b)
{
    cn__equation e;
    const cn_tensor *operands[] = {a, b};
    if (!text) return cn__fail_null(CN_EINVAL, "cn_tensor_einsum needs an equation, which is NULL");
    if (!a) return cn__pass_null("cn_tensor_einsum");
    const char *comma = strchr(text, ','), *arrow = strchr(text, '>');
    if (comma && !b && (!arrow || comma < arrow)) return cn__pass_null("cn_tensor_einsum");
    if (cn__equation_read(text, b ? 2 : 1, operands, &e) < 0) return NULL;
    cn__recorder *paused = cn__record_pause();
    cn_scope *scope = cn_scope_begin();
    cn_tensor *output = scope ? compute(text, &e, operands) : NULL;
    if (output) cn__record_disown(output);
    cn_scope_end(&scope);
    cn__record_resume(paused);
    return cn__record(output, &(cn__operation){.op = CN__OP_einsum, .n_inputs = e.n_operands, .inputs = operands,
                                               .text = text});
}
