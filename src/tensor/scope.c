/* A scope is a recorder that writes nothing down and owns what is made meanwhile. */
#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/record.h"

struct cn_scope {
    cn__recorder recorder;
};

cn_scope *cn_scope_begin(void)
{
    cn_scope *scope = cn__alloc(1, sizeof *scope, "a scope");
    if (scope) cn__record_begin(&scope->recorder);
    return scope;
}

void cn_scope_end(cn_scope **scope)
{
    if (!scope || !*scope) return;
    cn__record_end(&(*scope)->recorder);
    while ((*scope)->recorder.made) {
        cn_tensor *made = (*scope)->recorder.made;
        cn_tensor_destroy(&made);
    }
    cn__free(*scope);
    *scope = NULL;
}

cn_tensor *cn_keep(cn_tensor *tensor)
{
    if (!tensor) return cn__pass_null("cn_keep");
    if (tensor->owner || tensor->is_weak)
        return cn__fail_null(CN_EINVAL, "cn_keep: a view goes with the tensor it looks at; keep that one, or a "
                             "cn_copy");
    cn__record_disown(tensor);
    return tensor;
}
