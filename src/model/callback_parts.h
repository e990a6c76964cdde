/* What the built-in callbacks have in common: memory, refusals, messages, monitored values. */
#ifndef CN_MODEL_CALLBACK_PARTS_H
#define CN_MODEL_CALLBACK_PARTS_H

#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

#include <cornu/built_in_callbacks.h>

/* Zeroed memory for a callback whose struct begins with a cn_callback: user, name and a plain destroy are set. NULL with
 * CN_ENOMEM. */
void *cn__callback_create(size_t bytes, const char *name);

/* The callback that says in every fit, evaluate and predict what cn_error_message() says now. */
cn_callback *cn__callback_refused(void);

/* Writes to the stream of the running fit's progress. */
void cn__callback_say(const cn_model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds "learning_rate" to the logs, with the precision that the model computes in. */
int cn__callback_log_rate(cn_model *model);

/* --- monitored values --- */

typedef struct cn__monitor {
    const char *callback; /* for sentences */
    char *name;
    int direction;        /* -1: should fall, 1: should rise, 0: found at the first value */
    double min_delta;     /* at least 0 */
} cn__monitor;

/* mode NULL means "auto". Errors: CN_EINVAL (mode, min_delta), CN_ENOMEM. */
int cn__monitor_open(cn__monitor *monitor, const char *callback, const char *name, const char *mode, double min_delta);
void cn__monitor_close(cn__monitor *monitor);

/* For on_train_begin: fails if the value belongs to a validation that this fit does not have. */
int cn__monitor_check(const cn__monitor *monitor, const cn_model *model);

/* Reads the value and, the first time, finds the direction. CN__MONITOR_RESTS where this epoch had no validation
 * (validation_freq), so that there is nothing to judge. Errors: CN_ENAME (not in the logs), CN_EINVAL (mode "auto"
 * and nobody knows). */
#define CN__MONITOR_RESTS 1
int cn__monitor_read(cn__monitor *monitor, const cn_logs *logs, double *value);

/* 1 if value is better than reference by more than min_delta. NaN is better than nothing and worse than everything:
 * a reference of NaN means that there is none yet. */
int cn__monitor_is_better(const cn__monitor *monitor, double value, double reference);

#endif
