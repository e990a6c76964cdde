/* Calling a hook of every callback that has it; a failing hook ends the calling function with its status. */
#ifndef CN_MODEL_HOOKS_H
#define CN_MODEL_HOOKS_H

#include "base/error.h"

#include <cornu/callback.h>

#define CN_HOOK(callbacks, hook, ...)                                                                               \
    do {                                                                                                            \
        for (int cn__i = 0; cn__i < CN_MAX_CALLBACKS && (callbacks)[cn__i]; cn__i++) {                              \
            const cn_callback *cn__c = (callbacks)[cn__i];                                                          \
            if (!cn__c->hook) continue;                                                                             \
            cn_error_clear();                                                                                       \
            int cn__status = cn__c->hook(cn__c->user, __VA_ARGS__);                                                 \
            if (cn__status >= 0) continue;                                                                          \
            if (cn_error_status() == CN_OK)                                                                         \
                cn__fail(cn__status, "callback %d asked to stop in " #hook " with status %d", cn__i, cn__status);   \
            return cn__status;                                                                                      \
        }                                                                                                           \
    } while (0)

#endif
