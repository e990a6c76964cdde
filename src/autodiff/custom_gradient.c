#include "autodiff/tape.h"

#include "base/error.h"

cn_tensor *cn_stop_gradient(const cn_tensor *tensor)
{
    if (!tensor) {
        cn__null_tensor("cn_stop_gradient");
        return NULL;
    }
    cn__recorder *paused = cn__record_pause();
    cn_tensor *constant = cn_copy(tensor);
    cn__record_resume(paused);
    if (constant) cn__record_made(constant);
    return constant;
}

cn_tensor *cn_custom_gradient(const cn_tensor *value, int n_inputs, const cn_tensor *const *inputs,
                              cn_gradient_function function, void *context)
{
    if (!value) {
        cn__null_tensor("cn_custom_gradient");
        return NULL;
    }
    if (!function || n_inputs < 1 || !inputs)
        return cn__fail_null(CN_EINVAL, "cn_custom_gradient: it needs a function, and at least one input");
    for (int i = 0; i < n_inputs; i++)
        if (!inputs[i]) return cn__fail_null(CN_EINVAL, "cn_custom_gradient: input %d is NULL", i);
    cn__custom custom = {function, context};
    return cn__record(cn_stop_gradient(value), &(cn__operation){.op = CN__OP_custom, .n_inputs = n_inputs,
                                                                .inputs = inputs, .rule = &custom});
}
