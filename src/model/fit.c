#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/turns.h"
#include "model/hooks.h"
#include "model/inspect_parts.h"
#include "model/progress.h"
#include "model/stratify.h"

#include <stdio.h>
#include <string.h>

/* What stays the same through one call of fit. */
typedef struct fitting {
    cn_model *model;
    const cn_fit_options *options;
    cn_fit_options own;                     /* options points here: batch_size may have to be found */
    cn__data train, validation;
    cn__data tail;                          /* train as validation_split sees it: class_weight is for training only */
    int64_t train_rows;                     /* of train; the rest validates when validation_split is used */
    int64_t pass_steps;                     /* batches of all of them */
    int64_t first_step;                     /* of a pass: the first batch of this epoch */
    int64_t ordered_pass;                   /* the one that `order` is of; -1: none yet */
    int64_t validation_first, validation_rows; /* 0 rows: no validation */
    int64_t validation_batch, validation_steps;
    uint32_t *division;                     /* rows that train, then those that validate; NULL: as they stand */
    const cn__data *validation_data;
    cn__running now;
    cn__log_line line;                      /* of the last epoch */
    uint32_t *order;                        /* the training rows of an epoch, NULL: as they stand */
    cn__progress progress;
} fitting;

static int64_t ceil_of(int64_t rows, int64_t divisor)
{
    return (rows + divisor - 1) / divisor;
}

static int check_options(const cn_fit_options *o)
{
    if (o->steps_per_epoch < 0 || o->validation_steps < 0)
        return cn__fail(CN_EINVAL, "%s must not be negative, got %lld",
                        o->steps_per_epoch < 0 ? "steps_per_epoch" : "validation_steps",
                        (long long)(o->steps_per_epoch < 0 ? o->steps_per_epoch : o->validation_steps));
    if (o->batch_size == 0 && !o->steps_per_epoch)
        return cn__fail(CN_EINVAL,
                        "batch_size must be at least 1, got 0; only steps_per_epoch could say how large batches are");
    if (o->batch_size < 0)
        return cn__fail(CN_EINVAL, "batch_size must be at least 1, got %lld", (long long)o->batch_size);
    if (o->epochs < 0) return cn__fail(CN_EINVAL, "epochs must not be negative, got %d", o->epochs);
    if (o->initial_epoch < 0)
        return cn__fail(CN_EINVAL, "initial_epoch must not be negative, got %d", o->initial_epoch);
    if (!(o->validation_split >= 0 && o->validation_split < 1))
        return cn__fail(CN_EINVAL, "validation_split must lie in 0 ... 1 (1 excluded), got %g", o->validation_split);
    if (o->validation_stratified && !(o->validation_split > 0))
        return cn__fail(CN_EINVAL, "validation_stratified says how validation_split is done, and that is not given");
    if (o->validation_freq < 1)
        return cn__fail(CN_EINVAL, "validation_freq must be at least 1, got %d", o->validation_freq);
    if (o->validation_batch_size < 0)
        return cn__fail(CN_EINVAL, "validation_batch_size must not be negative, got %lld",
                        (long long)o->validation_batch_size);
    if (o->verbose < 0 || o->verbose > 2)
        return cn__fail(CN_EINVAL, "verbose must be 0, 1 or 2, got %d", o->verbose);
    if (!o->validation_x != !o->validation_y)
        return cn__fail(CN_EINVAL, "validation_x and validation_y go together; one of them is missing");
    if (o->validation_sample_weight && !o->validation_x)
        return cn__fail(CN_EINVAL, "validation_sample_weight is for validation_x, which is missing; with "
                        "validation_split give sample_weight for all rows");
    return CN_OK;
}

/* A model without an input shape takes it from the first data, as Keras's does. */
static int build_from(cn_model *model, const cn_tensor *x)
{
    if (model->is_built || !x || cn_ndim(x) < 2) return CN_OK;
    CN_TRY(cn__model_build(model, cn_ndim(x) - 1, cn_shape(x) + 1));
    int status = cn__model_finish_compile(model);
    if (status < 0) cn__model_forget_compile(model); /* half of it is missing */
    return status;
}

/* The rows of each class, in the same share on both sides. */
static int stratify(fitting *f)
{
    int64_t n = f->train.rows, *classes = cn__alloc_raw((size_t)n, sizeof *classes, "classes");
    f->division = cn__alloc_raw((size_t)n, sizeof *f->division, "the split by class");
    int status = classes && f->division ? CN_OK : CN_ENOMEM;
    if (status == CN_OK && cn__model_rows_per_sample(f->model) != 1)
        status = cn__fail(CN_ESHAPE, "validation_stratified needs one class for each sample, but %s gives %lld",
                          cn__model_last(f->model)->name, (long long)cn__model_rows_per_sample(f->model));
    for (int64_t i = 0; i < n && status == CN_OK; i++) {
        classes[i] = cn__data_class(&f->train, i);
        if (classes[i] < 0 || classes[i] > INT32_MAX / 4)
            status = cn__fail(CN_EINVAL, "validation_stratified: the target of row %lld is no class 0, 1, ...",
                              (long long)i);
    }
    if (status == CN_OK)
        f->train_rows = cn__stratify(n, classes, f->options->validation_split, f->model->seed, f->division);
    cn__free(classes);
    return status < 0 ? status : f->train_rows < 0 ? (int)f->train_rows : CN_OK;
}

static int split(fitting *f)
{
    const cn_fit_options *o = f->options;
    f->train_rows = f->train.rows;
    if (o->validation_x) {
        CN_TRY(cn__data_open(f->model, o->validation_x, o->validation_y, &f->validation));
        if (cn__data_weigh(f->model, &f->validation, o->validation_sample_weight, NULL) < 0)
            return cn__fail_prefix("validation: ");
        f->validation_data = &f->validation;
        f->validation_rows = f->validation.rows;
    } else if (o->validation_split > 0) {
        if (o->validation_stratified) CN_TRY(stratify(f));
        else f->train_rows = cn__rows_to_train(f->train.rows, o->validation_split);
        if (f->train_rows < 0) return (int)f->train_rows;
        f->validation_first = f->train_rows;
        f->validation_rows = f->train.rows - f->train_rows;
        f->tail = f->train;
        if (o->class_weight) f->tail.weights = NULL;
        f->validation_data = &f->tail;
    }
    return CN_OK;
}

/* Batches of such a size that there are as many as steps_per_epoch or validation_steps asks for. */
static void choose_batch_sizes(fitting *f)
{
    cn_fit_options *o = &f->own;
    if (o->batch_size) return;
    if (!o->validation_batch_size && o->validation_steps)
        o->validation_batch_size = ceil_of(f->validation_rows, o->validation_steps);
    o->batch_size = ceil_of(f->train_rows, o->steps_per_epoch);
}

/* Room for the larger of the two kinds of batches. */
static int prepare_plan(fitting *f)
{
    const cn_fit_options *o = f->options;
    int64_t batch = o->batch_size < f->train_rows ? o->batch_size : f->train_rows;
    int64_t validation = o->validation_batch_size ? o->validation_batch_size : o->batch_size;
    f->validation_batch = validation < f->validation_rows ? validation : f->validation_rows;
    /* where all its rows are taken and it has no wish of its own, validation makes do with the room there is */
    if (!o->validation_batch_size && !o->validation_steps && f->validation_batch > batch) f->validation_batch = batch;
    f->validation_steps = f->validation_rows ? ceil_of(f->validation_rows, f->validation_batch) : 0;
    if (o->validation_steps && o->validation_steps < f->validation_steps) f->validation_steps = o->validation_steps;
    return cn__plan_prepare(f->model, f->validation_batch > batch ? f->validation_batch : batch, 1);
}

static int prepare(fitting *f, const cn_tensor *x, const cn_tensor *y)
{
    const cn_fit_options *o = f->options;
    CN_TRY(build_from(f->model, x));
    CN_TRY(cn__model_need_built(f->model));
    CN_TRY(cn__model_choose_loss(f->model, y));
    CN_TRY(cn__model_start_threads(f->model)); /* who find codes and divide the inputs */
    CN_TRY(cn__data_open(f->model, x, y, &f->train));
    CN_TRY(cn__frequent_find(f->model, &f->train));
    CN_TRY(cn__data_weigh(f->model, &f->train, o->sample_weight, o->class_weight));
    CN_TRY(split(f));
    choose_batch_sizes(f);
    f->pass_steps = ceil_of(f->train_rows, o->batch_size);
    f->ordered_pass = -1;
    f->now = (cn__running){.options = o, .sums = cn__sums_begin(f->model, 0), .train = &f->train,
                           .train_rows = f->train_rows, .validation_rows = f->validation_rows,
                           .epoch = o->initial_epoch, .steps = f->pass_steps};
    if (o->steps_per_epoch && o->steps_per_epoch < f->pass_steps) f->now.steps = o->steps_per_epoch;
    CN_TRY(prepare_plan(f));
    if (f->train.x.frequent) cn__plan_forget_copies(&f->model->plan, f->model->n_layers);
    if (o->shuffle || f->division) {
        f->order = cn__alloc_raw((size_t)f->train_rows, sizeof *f->order, "the order of the samples");
        if (!f->order) return CN_ENOMEM;
    }
    cn__progress_open(&f->progress, o->verbose, o->output);
    cn__history_destroy(&f->model->history);
    f->model->history = cn__history_create();
    return f->model->history ? CN_OK : CN_ENOMEM;
}

static int run_steps(fitting *f)
{
    cn_model *model = f->model;
    cn__running *now = &f->now;
    const cn_fit_options *o = f->options;
    double values[CN_MAX_METRICS + 1];
    cn_logs logs = {model->n_logs, model->log_names, values};
    while (now->step < now->steps && !model->stop_training) {
        int64_t step = now->step, first = (f->first_step + step) * o->batch_size, left = f->train_rows - first;
        cn__choice choice = {.picks = f->order ? f->order + first : NULL, .first = first,
                             .n = left < o->batch_size ? left : o->batch_size};
        if (f->order && step + 1 < now->steps && left >= 2 * o->batch_size) choice.next = choice.picks + o->batch_size;
        CN_HOOK(o->callbacks, on_train_batch_begin, model, step);
        if (cn__step_reads_panels(model, &f->train, choice.n)) CN_TRY(cn__panels_open(model, f->train.as_tiles));
        cn__train_batch(model, &f->train, &choice, &now->sums);
        CN_TRY(cn__step_status(model));
        now->step++;
        if (o->callbacks[0]) {
            now->choice = &choice;
            cn__logs_fill(model, &now->sums, values);
            CN_HOOK(o->callbacks, on_train_batch_end, model, step, &logs);
            CN_HOOK(o->callbacks, after_train_batch, model, step);
            now->choice = NULL;
        }
        if (cn__progress_wants(&f->progress, step + 1)) {
            cn__logs_fill(model, &now->sums, values);
            cn__progress_draw(&f->progress, step + 1, &logs);
        }
    }
    return CN_OK;
}

/* The size of the batches is fixed beforehand, so that the sums are added in an order that nothing else decides. */
static int validate(fitting *f, cn__sums *sums)
{
    cn_model *model = f->model;
    const cn_callback *const *callbacks = f->options->callbacks;
    double values[CN_MAX_METRICS + 1];
    cn_logs logs = {model->n_logs, model->log_names, values};
    int64_t batch = f->validation_batch, n = f->validation_rows, steps = f->validation_steps;
    CN_HOOK(callbacks, on_test_begin, model, steps);
    for (int64_t step = 0; step < steps; step++) {
        int64_t first = step * batch;
        CN_HOOK(callbacks, on_test_batch_begin, model, step);
        cn__choice rows = {.picks = f->division ? f->division + f->train_rows + first : NULL,
                           .first = f->validation_first + first, .n = n - first < batch ? n - first : batch};
        cn__evaluate_rows(model, f->validation_data, &rows, batch, sums);
        CN_TRY(cn__step_status(model));
        if (callbacks[0]) cn__logs_fill(model, sums, values);
        CN_HOOK(callbacks, on_test_batch_end, model, step, &logs);
    }
    CN_HOOK(callbacks, on_test_end, model, &logs);
    return CN_OK;
}

static int end_epoch(fitting *f)
{
    cn_model *model = f->model;
    cn__running *now = &f->now;
    cn__log_line *line = &f->line;
    cn__sums validation = cn__sums_begin(model, 1);
    int validates = f->validation_rows && (now->epoch + 1) % f->options->validation_freq == 0;
    if (validates) CN_TRY(validate(f, &validation));
    cn__log_line_fill(model, &now->sums, validates ? &validation : NULL, line);
    now->line = line;
    CN_HOOK(f->options->callbacks, on_epoch_end, model, now->epoch, &line->logs);
    now->line = NULL;
    CN_TRY(cn__history_add(model->history, now->epoch, &line->logs));
    int epoch = now->epoch++;
    now->step = now->is_begun = 0;
    now->sums = cn__sums_begin(model, 0);
    CN_HOOK(f->options->callbacks, after_epoch, model, epoch);
    return CN_OK;
}

/* Which batches this epoch has. Without steps_per_epoch it is one pass over the data. Otherwise it takes the next
 * batches of a pass that epochs share; what is left at its end is an epoch, too, and the next begins another pass. This
 * follows from the epoch's number alone, so a fit that resumes has nothing else to know. */
static int64_t choose_steps(fitting *f)
{
    cn__running *now = &f->now;
    int64_t wanted = f->options->steps_per_epoch, most = f->pass_steps, begun = now->epoch - f->options->initial_epoch;
    if (!wanted) wanted = most;
    int64_t epochs = ceil_of(most, wanted);
    f->first_step = begun % epochs * wanted;
    now->steps = most - f->first_step < wanted ? most - f->first_step : wanted;
    return f->options->initial_epoch + begun / epochs;
}

/* As Keras does, if it has come to that. */
static void warn_of_missing_batches(fitting *f)
{
    char sentence[256];
    const cn_fit_options *o = f->options;
    if (o->steps_per_epoch > f->now.steps) {
        snprintf(sentence, sizeof sentence, "steps_per_epoch is %lld, but of the data's %lld batches only %lld were "
                 "left: an epoch ends with them, and the next begins with the data anew", (long long)o->steps_per_epoch,
                 (long long)f->pass_steps, (long long)f->now.steps);
        cn_model_warn(f->model, sentence);
    }
    if (f->validation_rows && o->validation_steps > f->validation_steps) {
        snprintf(sentence, sizeof sentence,
                 "validation_steps is %lld, but the data to validate with has only %lld batches",
                 (long long)o->validation_steps, (long long)f->validation_steps);
        cn_model_warn(f->model, sentence);
    }
}

/* The training rows in the order of this pass. */
static void order_rows(fitting *f, int64_t pass)
{
    cn__random random;
    if (!f->order || pass == f->ordered_pass) return;
    f->ordered_pass = pass;
    cn__random_begin(&random, f->model->seed, CN__FOR_SHUFFLE, (uint32_t)pass);
    cn__ahead_forget(f->model);
    if (f->options->shuffle) cn__random_permutation(&random, (uint32_t)f->train_rows, f->order);
    for (int64_t i = 0; f->division && i < f->train_rows; i++)
        f->order[i] = f->division[f->options->shuffle ? (int64_t)f->order[i] : i];
}

static int run_epoch(fitting *f)
{
    cn_model *model = f->model;
    cn__running *now = &f->now;
    order_rows(f, choose_steps(f));
    warn_of_missing_batches(f);
    if (!now->is_begun) CN_HOOK(f->options->callbacks, on_epoch_begin, model, now->epoch);
    now->is_begun = 1;
    cn__progress_begin(&f->progress, now->steps, now->epoch, f->options->epochs);
    CN_TRY(run_steps(f));
    now->was_cut = model->stop_training;
    CN_TRY(end_epoch(f));
    cn__progress_end(&f->progress, &f->line.logs);
    return CN_OK;
}

/* Of classes, that is: numbers to be predicted may well be in order. */
static void warn_of_sorted_tail(const fitting *f, const cn_tensor *y)
{
    const cn_fit_options *o = f->options;
    const cn__loss_class *loss = cn__loss_class_of(&f->model->loss);
    cn_finding finding;
    if (!(o->validation_split > 0) || o->validation_x || o->validation_stratified) return;
    if (!loss->sparse && !strstr(loss->name, "entropy")) return;
    if (cn__inspect_tail(y, o->validation_split, &finding) > 0) cn_model_warn(f->model, finding.sentence);
}

static int run(fitting *f, const cn_tensor *y)
{
    cn_model *model = f->model;
    const cn_fit_options *o = f->options;
    model->running = &f->now;
    model->stop_training = 0;
    model->stop_reason[0] = '\0';
    cn__warnings_clear(model);
    warn_of_sorted_tail(f, y);
    CN_HOOK(o->callbacks, on_train_begin, model, o->epochs, f->now.steps);
    CN_HOOK(o->callbacks, after_train_begin, model);
    while (f->now.epoch < o->epochs && !model->stop_training) CN_TRY(run_epoch(f));
    cn__gradients_finish(model);
    CN_HOOK(o->callbacks, on_train_end, model, &f->line.logs);
    return CN_OK;
}

static int fit(cn_model *model, const cn_tensor *x, const cn_tensor *y, const cn_fit_options *options)
{
    CN_TRY(cn__model_need_compiled(model));
    if (!x || !y)
        return cn_error_status() < 0 ? cn_error_status()
                                     : cn__fail(CN_EINVAL, "cn_fit: %s is NULL", x ? "y" : "x");
    CN_TRY(check_options(options));
    fitting f = {.model = model, .own = *options};
    f.options = &f.own;
    int status = prepare(&f, x, y);
    if (status == CN_OK) {
        cn__turns turns;
        cn__turns_shorten(&turns);
        status = run(&f, y);
        cn__turns_restore(&turns);
        model->running = NULL;
        cn__lazy_settle(model);
        cn__panels_close(model);
    }
    cn__data_close(&f.train);
    cn__data_close(&f.validation);
    cn__free(f.order);
    cn__free(f.division);
    return status;
}

int cn_model_fit(cn_model *model, const cn_tensor *x, const cn_tensor *y, const cn_fit_options *options)
{
    const cn_fit_options defaults = {CN_FIT_DEFAULTS};
    if (!options) options = &defaults;
    int status = fit(model, x, y, options);
    cn__hooks_release(options->callbacks);
    return status;
}

const cn_history *cn_model_history(const cn_model *model)
{
    return model ? model->history : NULL;
}

void cn_model_stop_training(cn_model *model)
{
    if (model) model->stop_training = 1;
}

void cn_model_stop_training_because(cn_model *model, const char *reason)
{
    if (!model) return;
    model->stop_training = 1;
    snprintf(model->stop_reason, sizeof model->stop_reason, "%s", reason ? reason : "");
}

const char *cn_model_stop_reason(const cn_model *model)
{
    return model && model->stop_reason[0] ? model->stop_reason : NULL;
}
