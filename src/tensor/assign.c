#include "tensor/assign.h"

#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/broadcast.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"

#define BLOCK 512

void cn__copy_into(const cn_tensor *target, const cn_tensor *values)
{
    cn__walk walk;
    double block[BLOCK]; /* of the target's dtype */
    char *data[] = {target->data, values->data};
    int64_t strides[2][CN_MAX_NDIM] = {{0}}, bytes = (int64_t)cn_dtype_size(target->dtype);
    cn__broadcast_strides(target, target->ndim, target->shape, strides[0]);
    cn__broadcast_strides(values, target->ndim, target->shape, strides[1]);
    if (!cn__walk_begin(&walk, 2, target->ndim, target->shape, data, (const int64_t(*)[CN_MAX_NDIM])strides)) return;
    do {
        if (walk.step[0] == bytes) { /* straight to where they belong */
            cn__convert_row(values->dtype, values->scale, walk.at[1], walk.step[1], walk.length, target->dtype,
                            walk.at[0]);
            continue;
        }
        for (int64_t i = 0; i < walk.length; i += BLOCK) {
            int64_t n = walk.length - i < BLOCK ? walk.length - i : BLOCK;
            cn__convert_row(values->dtype, values->scale, walk.at[1] + i * walk.step[1], walk.step[1], n, target->dtype,
                            block);
            cn__scatter_row(target->dtype, block, n, target->dtype, walk.at[0] + i * walk.step[0], walk.step[0]);
        }
    } while (cn__walk_next(&walk));
}

cn_tensor cn__part_of(const cn_tensor *tensor, int axis, int64_t begin, int64_t end, int64_t step)
{
    cn_tensor part = cn__tensor_outline(tensor);
    part.shape[axis] = (end - begin + step - 1) / step;
    part.data += begin * tensor->strides[axis];
    part.strides[axis] = tensor->strides[axis] * step;
    part.size = 1;
    for (int i = 0; i < part.ndim; i++) part.size *= part.shape[i];
    return part;
}

cn_tensor *cn__converted(const cn_tensor *tensor, cn_dtype dtype)
{
    cn__recorder *paused = cn__record_pause();
    cn_tensor *copy = cn_astype(tensor, dtype);
    cn__record_resume(paused);
    return copy;
}

int cn_tensor_assign(cn_tensor *target, const cn_tensor *values)
{
    if (!target || !values) return cn__null_tensor("cn_tensor_assign");
    CN_TRY(cn__writable("cn_tensor_assign", target));
    CN_TRY(cn__stretches_to("cn_tensor_assign", values, target));
    /* Both may look at the same numbers. */
    cn_tensor *copy = cn__copy_unrecorded(values);
    if (!copy) return CN_ENOMEM;
    cn__copy_into(target, copy);
    cn_tensor_destroy(&copy);
    return 0;
}

int cn_tensor_assign_where(cn_tensor *target, const cn_tensor *mask, const cn_tensor *values)
{
    if (!target || !mask || !values) return cn__null_tensor("cn_tensor_assign_where");
    CN_TRY(cn__writable("cn_tensor_assign_where", target));
    CN_TRY(cn__stretches_to("cn_tensor_assign_where", mask, target));
    CN_TRY(cn__stretches_to("cn_tensor_assign_where", values, target));
    cn__recorder *paused = cn__record_pause();
    cn_tensor *wanted = cn_astype(values, target->dtype), *mixed = cn_tensor_where(mask, wanted, target);
    cn__record_resume(paused);
    if (mixed) cn__copy_into(target, mixed);
    int status = mixed ? 0 : cn_error_status();
    cn_tensor_destroy(&wanted);
    cn_tensor_destroy(&mixed);
    return status;
}
