#include "tensor/elementwise.h"

#include <cornu/operations.h>

#include "base/error.h"
#include "kernels/tensor_math.h"
#include "tensor/broadcast.h"
#include "tensor/dtype_rules.h"
#include "tensor/weak_number.h"

#include <stdint.h>

#define BLOCK 512 /* elements that are converted together; a block of each operand stays in the nearest cache */

/* --- one operation over the walk --- */

typedef struct job {
    cn__loop loop;
    int n;                  /* operands */
    cn_dtype computed;      /* what the loop reads */
    cn_dtype common;        /* what the operands are promoted to; numbers of Python are rounded to it */
    cn_dtype given;         /* what it writes */
    const cn_tensor *const *operands;
    cn_dtype target;        /* what the result is stored as */
} job;

/* A loop reads numbers where they lie if they are of its dtype and have no gaps, or are all the same one. */
static int reads_in_place(const job *j, const cn__walk *walk, int k)
{
    const cn_tensor *t = j->operands[k];
    int64_t bytes = (int64_t)cn_dtype_size(t->dtype);
    return t->dtype == j->computed && t->scale == 1 && (uintptr_t)walk->at[k] % (uintptr_t)bytes == 0 &&
           (walk->step[k] == 0 || walk->step[k] == bytes);
}

/* One number, converted once for the whole row. */
static void read_one(const job *j, int k, const char *at, char *block)
{
    char rounded[8];
    const cn_tensor *t = j->operands[k];
    if (t->is_weak) {
        cn__convert_row(t->dtype, 1, at, 0, 1, j->common, rounded);
        cn__convert_row(j->common, 1, rounded, 0, 1, j->computed, block);
    } else {
        cn__convert_row(t->dtype, t->scale, at, 0, 1, j->computed, block);
    }
}

static void run_row(const job *j, const cn__walk *walk)
{
    _Alignas(16) char blocks[CN__WALK_MAX][BLOCK * 8];
    const void *in[CN__WALK_MAX];
    int64_t step[CN__WALK_MAX];
    int64_t out_bytes = (int64_t)cn_dtype_size(j->target), piece = walk->length;
    char *out = walk->at[j->n];
    int writes_in_place = j->given == j->target && walk->step[j->n] == out_bytes &&
                          (uintptr_t)out % (uintptr_t)out_bytes == 0;
    int in_place[CN__WALK_MAX], all_in_place = writes_in_place;
    for (int k = 0; k < j->n; k++) {
        in_place[k] = reads_in_place(j, walk, k);
        step[k] = walk->step[k] != 0;
        if (step[k]) all_in_place &= in_place[k];
        else if (!in_place[k]) read_one(j, k, walk->at[k], blocks[k]);
        in[k] = in_place[k] ? walk->at[k] : blocks[k];
    }
    if (!all_in_place) piece = BLOCK;
    for (int64_t begin = 0; begin < walk->length; begin += piece) {
        int64_t n = walk->length - begin < piece ? walk->length - begin : piece;
        for (int k = 0; k < j->n; k++) {
            if (!step[k]) continue;
            const char *at = walk->at[k] + begin * walk->step[k];
            if (in_place[k]) in[k] = at;
            else cn__convert_row(j->operands[k]->dtype, j->operands[k]->scale, at, walk->step[k], n, j->computed,
                                 blocks[k]);
        }
        if (writes_in_place) {
            j->loop(n, in, step, out + begin * out_bytes);
        } else {
            char *block = blocks[CN__WALK_MAX - 1];
            j->loop(n, in, step, block);
            cn__scatter_row(j->given, block, n, j->target, out + begin * walk->step[j->n], walk->step[j->n]);
        }
    }
}

static void run(const job *j, cn_tensor *target)
{
    cn__walk walk;
    char *data[CN__WALK_MAX];
    int64_t strides[CN__WALK_MAX][CN_MAX_NDIM] = {{0}};
    for (int k = 0; k < j->n; k++) {
        data[k] = j->operands[k]->data;
        cn__broadcast_strides(j->operands[k], target->ndim, target->shape, strides[k]);
    }
    data[j->n] = target->data;
    cn__broadcast_strides(target, target->ndim, target->shape, strides[j->n]);
    if (!cn__walk_begin(&walk, j->n + 1, target->ndim, target->shape, data, (const int64_t(*)[CN_MAX_NDIM])strides))
        return;
    do run_row(j, &walk);
    while (cn__walk_next(&walk));
}

/* --- dtypes --- */

static int refuse_weak(const char *function, const cn_tensor *weak, cn_dtype dtype)
{
    return cn__fail(CN_EINVAL, "%s: the integer %lld is out of bounds for %s; convert the tensor with cn_astype first",
                    function, (long long)cn__weak_integer(weak), cn_dtype_name(dtype));
}

/* Python integers that the promoted dtype cannot hold: comparisons know the answer anyway, all else is refused. */
static int check_weak(const cn__elementwise *e, const char *function, const cn_tensor *const *operands,
                      cn_dtype *promoted)
{
    for (int k = 0; k < e->n_operands; k++) {
        const cn_tensor *t = operands[k];
        if (!t->is_weak || t->dtype != CN_INT64 || cn__dtype_holds(*promoted, cn__weak_integer(t))) continue;
        if (e->rule == CN__RULE_REAL || e->rule == CN__RULE_REAL_TEST || e->rule == CN__RULE_DIVIDE) continue;
        if (e->rule != CN__RULE_COMPARE) return refuse_weak(function, t, *promoted);
        *promoted = *promoted == CN_UINT64 ? CN_FLOAT64 : CN_INT64;
    }
    return 0;
}

/* The float for each operand, then the widest: int8 and uint8 give float16, though together they would be int16. */
static cn_dtype real_dtype_of_all(int n, const cn_tensor *const *operands)
{
    cn_dtype widest = CN_DTYPE_COUNT;
    int any_float = 0, any_int = 0, any_real = 0, all_bool = 1;
    for (int k = 0; k < n; k++) {
        cn_dtype dtype = cn__value_dtype(operands[k]);
        if (operands[k]->is_weak) {
            any_float |= cn__is_real(dtype);
            any_int |= !cn__is_real(dtype);
            continue;
        }
        any_real |= cn__is_real(dtype);
        all_bool &= dtype == CN_BOOL;
        widest = widest == CN_DTYPE_COUNT ? cn__real_dtype(dtype) : cn__promote(widest, cn__real_dtype(dtype));
    }
    return (any_float && !any_real) || (any_int && all_bool) ? CN_FLOAT64 : widest;
}

/* Chooses the loop. */
static int choose(const cn__elementwise *e, const char *function, const cn_tensor *const *operands, job *j)
{
    cn_dtype dtype = cn__promote_all(e->n_operands, operands);
    CN_TRY(check_weak(e, function, operands, &dtype));
    switch (e->rule) {
    case CN__RULE_NO_BOOL:
        if (dtype == CN_BOOL)
            return cn__fail(CN_EDTYPE, "%s is not for bools; use cn_tensor_logical_xor or cn_tensor_logical_not, or "
                            "cn_astype first", function);
        break;
    case CN__RULE_WHOLE:
    case CN__RULE_SHIFT:
        if (cn__is_real(dtype))
            return cn__fail(CN_EDTYPE, "%s is for integers and bools, not for %s", function, cn_dtype_name(dtype));
        if (dtype == CN_BOOL && e->rule == CN__RULE_SHIFT) dtype = CN_INT8;
        break;
    case CN__RULE_BOOL_INT8:
        if (dtype == CN_BOOL) dtype = CN_INT8;
        break;
    case CN__RULE_REAL:
    case CN__RULE_REAL_TEST: dtype = real_dtype_of_all(e->n_operands, operands); break;
    case CN__RULE_DIVIDE:
        if (!cn__is_real(dtype)) dtype = CN_FLOAT64;
        break;
    case CN__RULE_SAME:
    case CN__RULE_COMPARE: break;
    }
    int gives_bool = e->rule == CN__RULE_COMPARE || e->rule == CN__RULE_REAL_TEST;
    j->n = e->n_operands;
    j->operands = operands;
    j->common = dtype;
    j->computed = cn__loop_dtype(dtype);
    j->given = gives_bool ? CN_BOOL : j->computed;
    j->target = gives_bool ? CN_BOOL : dtype;
    j->loop = e->loops[cn__loop_number(j->computed)];
    /* exp, log and tanh are the engine's; a wrong CORNU_ISA is said here. */
    int bits = j->computed == CN_FLOAT32 ? 32 : 64;
    if (cn__is_real(j->computed) && !cn__tensor_math_find(bits)) return cn_error_status();
    return 0;
}

static int any_negative(const cn_tensor *tensor)
{
    if (tensor->size == 0 || cn__is_unsigned(tensor->dtype) || tensor->dtype == CN_BOOL) return 0;
    int64_t index[CN_MAX_NDIM] = {0};
    do {
        if (cn__tensor_value(tensor, cn__tensor_element(tensor, index)) < 0) return 1;
    } while (cn__next_index(tensor, tensor->ndim, index));
    return 0;
}

static int check_power(cn__elementwise_id id, const char *function, const job *j)
{
    if (id != CN__ELEMENTWISE_power || cn__is_real(j->computed) || !any_negative(j->operands[1])) return 0;
    return cn__fail(CN_EINVAL, "%s: integers have no negative integer powers; make one of them a float", function);
}

/* --- a new tensor --- */

static cn_tensor *record(const cn__elementwise *e, cn_tensor *output, const cn_tensor *const *operands)
{
    const cn_tensor *inputs[CN__WALK_MAX] = {0};
    if (!output || e->op == CN__OP_COUNT || !cn__is_recording()) return output;
    for (int k = 0; k < e->n_operands; k++) {
        inputs[k] = cn__strong(operands[k], output->dtype);
        if (inputs[k]) continue;
        cn_tensor_destroy(&output);
        return NULL;
    }
    return cn__record(output, &(cn__operation){.op = e->op, .n_inputs = e->n_operands, .inputs = inputs});
}

cn_tensor *cn__elementwise_apply(cn__elementwise_id id, const cn_tensor *const *operands)
{
    const cn__elementwise *e = &cn__elementwise_table[id];
    for (int k = 0; k < e->n_operands; k++)
        if (!operands[k]) return cn__pass_null(e->function);
    if (cn__differ_in_sign(id, operands)) return cn__compare_signs(id, operands);
    job j;
    int ndim;
    int64_t shape[CN_MAX_NDIM];
    if (cn__broadcast_shape(e->function, e->n_operands, operands, &ndim, shape) < 0) return NULL;
    if (choose(e, e->function, operands, &j) < 0 || check_power(id, e->function, &j) < 0) return NULL;
    cn_tensor *output = cn__tensor_create_raw(j.target, ndim, shape);
    if (output) run(&j, output);
    return record(e, output, operands);
}

#define ONE_OPERAND(name)                                                                                           \
    cn_tensor *cn_tensor_##name(const cn_tensor *x)                                                                 \
    {                                                                                                               \
        return cn__elementwise_apply(CN__ELEMENTWISE_##name, &x);                                                   \
    }
#define TWO_OPERANDS(name)                                                                                          \
    cn_tensor *cn_tensor_##name(const cn_tensor *a, const cn_tensor *b)                                             \
    {                                                                                                               \
        return cn__elementwise_apply(CN__ELEMENTWISE_##name, (const cn_tensor *[]){a, b});                          \
    }
#define DEFINE_1 ONE_OPERAND
#define DEFINE_2 TWO_OPERANDS
#define DEFINE(name, n, rule, op, b, i, r) DEFINE_##n(name)
CN__ELEMENTWISE_LIST(DEFINE)

/* --- in place --- */

static int kind_rank(cn_dtype dtype)
{
    if (dtype == CN_BOOL) return 0;
    return cn__is_real(dtype) ? 3 : cn__is_unsigned(dtype) ? 1 : 2;
}

/* Whether the two share memory otherwise than element by element. */
static int overlaps_askew(const cn_tensor *target, const cn_tensor *operand)
{
    const char *low[2], *high[2];
    const cn_tensor *both[] = {target, operand};
    for (int k = 0; k < 2; k++) {
        if (both[k]->size == 0) return 0;
        low[k] = both[k]->data;
        high[k] = both[k]->data + cn_dtype_size(both[k]->dtype);
        for (int i = 0; i < both[k]->ndim; i++) {
            int64_t reach = (both[k]->shape[i] - 1) * both[k]->strides[i];
            if (reach < 0) low[k] += reach;
            else high[k] += reach;
        }
    }
    if (high[0] <= low[1] || high[1] <= low[0]) return 0;
    int64_t strides[CN_MAX_NDIM];
    if (target->data != operand->data || target->dtype != operand->dtype || operand->ndim > target->ndim) return 1;
    cn__broadcast_strides(operand, target->ndim, target->shape, strides);
    for (int i = 0; i < target->ndim; i++)
        if (target->shape[i] > 1 && strides[i] != target->strides[i]) return 1;
    return 0;
}

int cn__writable(const char *function, const cn_tensor *target)
{
    if (target->is_weak) return cn__fail(CN_EINVAL, "%s: a number of cn_int or cn_float cannot be changed", function);
    if (target->scale != 1)
        return cn__fail(CN_EINVAL, "%s: a view scaled by %g is read-only; change the tensor behind it", function,
                        target->scale);
    for (int i = 0; i < target->ndim; i++)
        if (target->shape[i] > 1 && target->strides[i] == 0)
            return cn__fail(CN_EINVAL, "%s: a broadcast view is read-only; cn_copy it first", function);
    return 0;
}

int cn__stretches_to(const char *function, const cn_tensor *operand, const cn_tensor *target)
{
    int ndim;
    int64_t shape[CN_MAX_NDIM];
    char from[CN_SHAPE_TEXT_BYTES], to[CN_SHAPE_TEXT_BYTES];
    CN_TRY(cn__broadcast_shape(function, 2, (const cn_tensor *[]){target, operand}, &ndim, shape));
    int same = ndim == target->ndim;
    for (int i = 0; i < ndim && same; i++) same = shape[i] == target->shape[i];
    if (same) return 0;
    return cn__fail(CN_ESHAPE, "%s: values of shape %s do not fit into shape %s", function,
                    cn__shape_text(from, operand->ndim, operand->shape),
                    cn__shape_text(to, target->ndim, target->shape));
}

int cn__elementwise_inplace(const char *function, cn__elementwise_id id, cn_tensor *target, const cn_tensor *operand)
{
    const cn__elementwise *e = &cn__elementwise_table[id];
    if (!target || !operand) return cn__null_tensor(function);
    CN_TRY(cn__writable(function, target));
    CN_TRY(cn__stretches_to(function, operand, target));
    const cn_tensor *operands[] = {target, operand};
    job j;
    CN_TRY(choose(e, function, operands, &j));
    CN_TRY(check_power(id, function, &j));
    if (kind_rank(j.target) > kind_rank(target->dtype))
        return cn__fail(CN_EDTYPE, "%s: the result is %s, which a %s tensor cannot take; use cn_astype", function,
                        cn_dtype_name(j.target), cn_dtype_name(target->dtype));
    cn_tensor *copy = NULL;
    if (overlaps_askew(target, operand)) {
        copy = cn__copy_unrecorded(operand);
        if (!copy) return CN_ENOMEM;
        operands[1] = copy;
    }
    j.target = target->dtype;
    run(&j, target);
    cn_tensor_destroy(&copy);
    return 0;
}

#define IN_PLACE(name)                                                                                              \
    int cn_tensor_##name##_inplace(cn_tensor *target, const cn_tensor *operand)                                     \
    {                                                                                                               \
        return cn__elementwise_inplace("cn_tensor_" #name "_inplace", CN__ELEMENTWISE_##name, target, operand);     \
    }
IN_PLACE(add)
IN_PLACE(subtract)
IN_PLACE(multiply)
IN_PLACE(divide)
IN_PLACE(floor_divide)
IN_PLACE(remainder)
IN_PLACE(power)
