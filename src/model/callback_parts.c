#include "model/callback_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- memory ----------------------------------------------------------------------------------------------------- */

static void destroy_plain(void *user)
{
    cn__free(user);
}

void *cn__callback_create(size_t bytes, const char *name)
{
    cn_callback *callback = cn__alloc(1, bytes, name);
    if (callback) *callback = (cn_callback){.user = callback, .name = name, .destroy = destroy_plain};
    return callback;
}

void cn_callback_destroy(const cn_callback **callback)
{
    if (!callback || !*callback) return;
    if ((*callback)->destroy) (*callback)->destroy((*callback)->user);
    *callback = NULL;
}

/* --- refusals --------------------------------------------------------------------------------------------------- */

/* A list of callbacks ends at the first NULL, so a constructor that returned NULL would silently shorten it. */
static _Thread_local struct {
    int status;
    char sentence[1024];
} refusal;

static int refuse(void)
{
    return cn__fail(refusal.status, "%s", refusal.sentence);
}

static int refuse_training(void *user, cn_model *model, int epochs, int64_t steps)
{
    (void)user, (void)model, (void)epochs, (void)steps;
    return refuse();
}

static int refuse_steps(void *user, cn_model *model, int64_t steps)
{
    (void)user, (void)model, (void)steps;
    return refuse();
}

cn_callback *cn__callback_refused(void)
{
    static cn_callback refused = {
        .on_train_begin = refuse_training, .on_test_begin = refuse_steps, .on_predict_begin = refuse_steps};
    refusal.status = cn_error_status() < 0 ? cn_error_status() : CN_EINVAL;
    snprintf(refusal.sentence, sizeof refusal.sentence, "%s", cn_error_message());
    return &refused;
}

/* --- messages --------------------------------------------------------------------------------------------------- */

void cn__callback_say(const cn_model *model, const char *format, ...)
{
    FILE *stream = model->running && model->running->options->output ? model->running->options->output : stdout;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stream, format, arguments);
    va_end(arguments);
    fflush(stream);
}

int cn__callback_log_rate(cn_model *model)
{
    double rate = cn_model_get_learning_rate(model);
    return cn_model_log(model, "learning_rate", model->engine->bits == 32 ? (double)(float)rate : rate);
}

/* --- monitored values ------------------------------------------------------------------------------------------- */

int cn__monitor_open(cn__monitor *monitor, const char *callback, const char *name, const char *mode, double min_delta,
                     const char *without)
{
    *monitor = (cn__monitor){.callback = callback, .min_delta = fabs(min_delta), .without = without};
    if (!name || !*name) return cn__fail(CN_EINVAL, "%s: monitor is empty; name a value such as val_loss", callback);
    if (!mode) mode = "auto";
    if (!strcmp(mode, "min")) monitor->direction = -1;
    else if (!strcmp(mode, "max")) monitor->direction = 1;
    else if (strcmp(mode, "auto"))
        return cn__fail(CN_EINVAL, "%s: mode must be auto, min or max, got \"%.32s\"", callback, mode);
    if (!(monitor->min_delta < INFINITY))
        return cn__fail(CN_EINVAL, "%s: min_delta must be a finite number, got %g", callback, min_delta);
    monitor->name = cn__strdup(name, callback);
    return monitor->name ? CN_OK : CN_ENOMEM;
}

void cn__monitor_close(cn__monitor *monitor)
{
    cn__free(monitor->name);
    monitor->name = NULL;
}

static const char *without_val(const char *name)
{
    return strncmp(name, "val_", 4) ? name : name + 4;
}

static int ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), part = strlen(end);
    return length >= part && !strcmp(name + length - part, end);
}

/* Source: the attribute _direction of the classes in keras/src/metrics. */
static int direction_of(const char *name)
{
    static const char *const rise[] = {"accuracy", "acc", "auc", "precision", "recall", "f1_score", "fbeta_score",
                                       "r2_score", "cosine_similarity", "correlation", "iou",
                                       "sensitivity", "specificity"};
    static const char *const fall[] = {"loss", "error", "crossentropy", "hinge", "poisson", "kl_divergence", "logcosh",
                                       "log_cosh", "huber", "mse", "mae", "mape", "msle", "rmse",
                                       "cross_entropy", "dice", "tversky"};
    name = without_val(name);
    for (size_t i = 0; i < sizeof fall / sizeof *fall; i++)
        if (ends_in(name, fall[i])) return -1;
    for (size_t i = 0; i < sizeof rise / sizeof *rise; i++)
        if (ends_in(name, rise[i])) return 1;
    return 0;
}

/* 1 if an epoch of this model can have a value of that name. */
static int model_logs(const cn_model *model, const char *name)
{
    for (int i = 0; i < 2 * model->n_logs; i++)
        if (!strcmp(model->log_names[i], name)) return 1;
    return 0;
}

static void list_names(int count, const char *const *names, char *text, size_t room)
{
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, room - used, "%s%s", used ? ", " : "", names[i]);
    }
}

int cn__monitor_begin(cn__monitor *monitor, const cn_model *model)
{
    char there_is[512];
    if (monitor->direction) return CN_OK;
    if (!model_logs(model, monitor->name)) {
        list_names(model->running->validation_rows ? 2 * model->n_logs : model->n_logs, model->log_names, there_is,
                   sizeof there_is);
        return cn__fail(CN_ENAME, "%s: there is no \"%s\" among the values of an epoch: %s", monitor->callback,
                        monitor->name, there_is);
    }
    monitor->direction = direction_of(monitor->name);
    if (monitor->direction) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: nobody knows whether \"%s\" should rise or fall; pass mode max or min",
                    monitor->callback, monitor->name);
}

static void warn_missing(const cn__monitor *monitor, cn_model *model, const char *there_is)
{
    char sentence[1024];
    int needs_validation = without_val(monitor->name) != monitor->name && !model->running->validation_rows;
    int used = snprintf(sentence, sizeof sentence, "%s: there is no \"%s\" among the values of an epoch: %s; %s",
                        monitor->callback, monitor->name, there_is, monitor->without);
    if (needs_validation && used < (int)sizeof sentence)
        snprintf(sentence + used, sizeof sentence - (size_t)used, "; give fit a validation_split or monitor \"%s\"",
                 without_val(monitor->name));
    cn_model_warn(model, sentence);
}

int cn__monitor_read(const cn__monitor *monitor, cn_model *model, const cn_logs *logs, double *value)
{
    char there_is[512];
    int at = 0, has_validation = 0;
    while (at < logs->count && strcmp(logs->names[at], monitor->name)) at++;
    for (int i = 0; i < logs->count; i++) has_validation |= without_val(logs->names[i]) != logs->names[i];
    if (at < logs->count) {
        *value = logs->values[at];
        return CN_OK;
    }
    int is_epoch = model->running->line != NULL, may_come = is_epoch && model->running->validation_rows > 0;
    if (may_come && !has_validation && without_val(monitor->name) != monitor->name) return CN__MONITOR_RESTS;
    list_names(logs->count, logs->names, there_is, sizeof there_is);
    warn_missing(monitor, model, there_is);
    return CN__MONITOR_MISSING;
}

int cn__monitor_is_better(const cn__monitor *monitor, double value, double reference)
{
    if (isnan(value)) return 0;
    if (isnan(reference)) return 1;
    return monitor->direction < 0 ? value + monitor->min_delta < reference : value - monitor->min_delta > reference;
}
