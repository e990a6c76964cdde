/* Calling a hook of every callback that has it; a failing hook ends the calling function with its status. */
#ifndef CN_MODEL_HOOKS_H
#define CN_MODEL_HOOKS_H

#include "base/error.h"

#include <cornu/callback.h>

static inline void cn__hook_failed(const cn_callback *callback, int i, const char *hook, int status)
{
    if (cn_error_status() != CN_OK) return;
    if (callback->name) cn__fail(status, "%s asked to stop in %s with status %d", callback->name, hook, status);
    else cn__fail(status, "callback %d asked to stop in %s with status %d", i, hook, status);
}

#define CN_HOOK(callbacks, hook, ...)                                                                               \
    do {                                                                                                            \
        for (int cn__i = 0; cn__i < CN_MAX_CALLBACKS && (callbacks)[cn__i]; cn__i++) {                              \
            const cn_callback *cn__c = (callbacks)[cn__i];                                                          \
            if (!cn__c->hook) continue;                                                                             \
            cn_error_clear();                                                                                       \
            int cn__status = cn__c->hook(cn__c->user, __VA_ARGS__);                                                 \
            if (cn__status >= 0) continue;                                                                          \
            cn__hook_failed(cn__c, cn__i, #hook, cn__status);                                                       \
            return cn__status;                                                                                      \
        }                                                                                                           \
    } while (0)

/* Gives the callbacks back that were taken over. */
static inline void cn__hooks_release(const cn_callback *const *callbacks)
{
    for (int i = 0; i < CN_MAX_CALLBACKS && callbacks[i]; i++) {
        int again = 0;
        for (int j = 0; j < i; j++) again |= callbacks[j] == callbacks[i];
        if (!again && callbacks[i]->destroy) callbacks[i]->destroy(callbacks[i]->user);
    }
}

#endif
