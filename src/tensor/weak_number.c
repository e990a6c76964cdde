/* Python's numbers. They live in a ring per thread, so nobody has to destroy them and a slot is used again after
 * RING more. */
#include "tensor/weak_number.h"

#include <cornu/operations.h>

#include <string.h>

#define RING 64 /* the header promises it */

static _Thread_local struct slot {
    cn_tensor tensor;
    union {
        int64_t integer;
        double real;
    } value;
} ring[RING];
static _Thread_local unsigned next;

static struct slot *take(cn_dtype dtype)
{
    struct slot *slot = &ring[next++ % RING];
    while (slot->tensor.views) {
        cn_tensor *view = slot->tensor.views;
        cn_tensor_destroy(&view);
    }
    memset(&slot->tensor, 0, sizeof slot->tensor);
    atomic_flag_clear(&slot->tensor.lock);
    slot->tensor.dtype = dtype;
    slot->tensor.size = 1;
    slot->tensor.scale = 1;
    slot->tensor.is_weak = 1;
    slot->tensor.data = (char *)&slot->value;
    return slot;
}

const cn_tensor *cn_int(int64_t value)
{
    struct slot *slot = take(CN_INT64);
    slot->value.integer = value;
    return &slot->tensor;
}

const cn_tensor *cn_float(double value)
{
    struct slot *slot = take(CN_FLOAT64);
    slot->value.real = value;
    return &slot->tensor;
}

int64_t cn__weak_integer(const cn_tensor *number)
{
    int64_t value;
    memcpy(&value, number->data, sizeof value);
    return value;
}

const cn_tensor *cn__strong(const cn_tensor *operand, cn_dtype dtype)
{
    if (!operand->is_weak) return operand;
    cn_tensor *copy = cn_tensor_create(dtype, 0, NULL);
    if (copy) cn__tensor_convert(operand, dtype, copy->data);
    return copy;
}
