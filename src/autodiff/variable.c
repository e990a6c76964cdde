#include "autodiff/tape.h"

#include "base/error.h"

cn_tensor *cn_variable(const cn_tensor *initial)
{
    if (!initial) {
        cn__null_tensor("cn_variable");
        return NULL;
    }
    if (!cn__has_gradient(initial))
        return cn__fail_null(CN_EDTYPE, "cn_variable: a variable of %s could not be trained; convert the values with "
                                        "cn_astype(tensor, CN_FLOAT32) first", cn_dtype_name(initial->dtype));
    cn__recorder *paused = cn__record_pause();
    cn_tensor *variable = cn_copy(initial);
    cn__record_resume(paused);
    if (variable) variable->is_variable = 1;
    return variable;
}
