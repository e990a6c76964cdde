/* What the built-in callbacks have in common: memory, refusals, messages, monitored values. */
#ifndef CN_MODEL_CALLBACK_PARTS_H
#define CN_MODEL_CALLBACK_PARTS_H

#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

#include <cornu/built_in_callbacks.h>
#include <limits.h>

/* Zeroed memory for a callback whose struct begins with a cn_callback: user, name and a plain destroy are set. NULL
 * with CN_ENOMEM. */
void *cn__callback_create(size_t bytes, const char *name);

/* The callback that says in every fit, evaluate and predict what cn_error_message() says now. */
cn_callback *cn__callback_refused(void);

/* Writes to the stream of the running fit's progress. */
void cn__callback_say(const cn_model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds "learning_rate" to the logs, with the precision that the model computes in. */
int cn__callback_log_rate(cn_model *model);

/* The number that people know an epoch by, which a callback has noted counted from 0. 0: none, as a checkpoint that
 * somebody made up may say. */
static inline int cn__epoch_from_one(int64_t noted)
{
    return noted >= 0 && noted < INT_MAX ? (int)noted + 1 : 0;
}

/* --- monitored values --- */

typedef struct cn__monitor {
    const char *callback; /* for sentences */
    char *name;
    int direction;        /* -1: should fall, 1: should rise, 0: cn__monitor_begin finds it */
    double min_delta;     /* at least 0 */
    const char *without;  /* what happens while the value is missing */
} cn__monitor;

/* mode NULL means "auto". `without` says what the callback does while the value is missing. Errors: CN_EINVAL (mode,
 * min_delta), CN_ENOMEM. */
int cn__monitor_open(cn__monitor *monitor, const char *callback, const char *name, const char *mode, double min_delta,
                     const char *without);
void cn__monitor_close(cn__monitor *monitor);

/* For on_train_begin: with mode "auto" finds the direction. Errors, which Keras has after the first epoch only:
 * CN_ENAME (mode "auto", and the model has no such value), CN_EINVAL (mode "auto", and nobody knows the direction). */
int cn__monitor_begin(cn__monitor *monitor, const cn_model *model);

/* Reads the value. CN__MONITOR_RESTS where this epoch had no validation (validation_freq), so that there is nothing to
 * judge; CN__MONITOR_MISSING, with a warning, where the value is not in the logs. */
enum { CN__MONITOR_RESTS = 1, CN__MONITOR_MISSING };
int cn__monitor_read(const cn__monitor *monitor, cn_model *model, const cn_logs *logs, double *value);

/* 1 if value is better than reference by more than min_delta. NaN is better than nothing and worse than everything:
 * a reference of NaN means that there is none yet. */
int cn__monitor_is_better(const cn__monitor *monitor, double value, double reference);

#endif
