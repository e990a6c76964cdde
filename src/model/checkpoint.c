#include "model/checkpoint.h"

#include "base/checksum.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/save.h"
#include "train/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MOST_ARRAYS 256
#define HISTORY "fit/history/"
#define SUMS "fit/sums"
#define STOP_REASON "fit.stop_reason"
enum { EPOCH, STEP, IS_BEGUN, HAS_ENDED, POSITION_COUNT };

/* --- which fit it is -------------------------------------------------------------------------------------------- */

static const struct {
    const char *key;    /* in the metadata */
    const char *phrase; /* "its %s, this one's %s" */
} same[CN__SAME_COUNT] = {
    {"fit.seed", "it is of a run with seed %s, this one has %s"},
    {"fit.batch_size", "it is of a run with batch_size %s, this one has %s"},
    {"fit.shuffle", "it is of a run with shuffle %s, this one has %s"},
    {"fit.samples", "it is of a run with %s training samples, this one has %s"},
    {"fit.validation_samples", "it is of a run with %s validation samples, this one has %s"},
    {"fit.learning_rate", "it is of a run that began with learning rate %s, this one with %s"},
    {"fit.data", "it is of a run with other training data (checksum %s, here %s)"},
    {"fit.callbacks", "it is of a run with the callbacks %s, this one has %s"},
};

static uint32_t source_checksum(uint32_t sum, const cn__source *source)
{
    static const size_t bytes[] = {[CN__STORED_U8] = 1, [CN__STORED_I32] = 4, [CN__STORED_I64] = 8,
                                   [CN__STORED_F32] = 4, [CN__STORED_F64] = 8};
    if (!source->data) return sum;
    sum = cn__checksum(sum, &source->scale, sizeof source->scale);
    return cn__checksum(sum, source->data, (size_t)(source->rows * source->columns) * bytes[source->stored]);
}

static uint32_t data_checksum(const cn_model *model, const cn__data *data)
{
    int64_t rows = cn__weights_per_sample(model);
    uint32_t sum = source_checksum(0, &data->x);
    sum = source_checksum(sum, &data->y);
    if (data->labels)
        sum = cn__checksum(sum, data->labels, (size_t)(data->rows * data->y.columns) * sizeof *data->labels);
    if (data->weights) sum = cn__checksum(sum, data->weights, (size_t)(data->rows * rows) * sizeof *data->weights);
    return sum;
}

void cn__fit_identify(const cn_model *model, cn__fit_identity *identity)
{
    const cn__running *now = model->running;
    const size_t room = sizeof identity->texts[0];
    char(*texts)[sizeof identity->texts[0]] = identity->texts;
    snprintf(texts[CN__SAME_SEED], room, "%" PRIu64, model->seed);
    int used = snprintf(texts[CN__SAME_BATCH_SIZE], room, "%" PRId64, now->options->batch_size);
    if (now->options->steps_per_epoch)
        snprintf(texts[CN__SAME_BATCH_SIZE] + used, room - (size_t)used,
                 " in %" PRId64 " steps_per_epoch from epoch %d on", now->options->steps_per_epoch,
                 now->options->initial_epoch);
    snprintf(texts[CN__SAME_SHUFFLE], room, "%d", now->options->shuffle);
    snprintf(texts[CN__SAME_SAMPLES], room, "%" PRId64, now->train_rows);
    used = snprintf(texts[CN__SAME_VALIDATION], room, "%" PRId64 "%s", now->validation_rows,
                    now->options->validation_stratified ? " stratified" : "");
    if (now->options->validation_steps)
        snprintf(texts[CN__SAME_VALIDATION] + used, room - (size_t)used, " in at most %" PRId64 " batches of %" PRId64,
                 now->options->validation_steps, now->options->validation_batch_size);
    snprintf(texts[CN__SAME_RATE], room, "%.17g", cn__optimizer_learning_rate(model->optimizer, 0));
    snprintf(texts[CN__SAME_DATA], room, "%08" PRIx32, data_checksum(model, now->train));
    snprintf(texts[CN__SAME_CALLBACKS], room, "none");
    size_t length = 0;
    for (int i = 0; i < CN_MAX_CALLBACKS && now->options->callbacks[i]; i++) {
        const cn_callback *callback = now->options->callbacks[i];
        if (!callback->state) continue;
        snprintf(texts[CN__SAME_CALLBACKS] + length, room - length, "%s%.32s", length ? ", " : "",
                 callback->name ? callback->name : "one without a name");
        length = strlen(texts[CN__SAME_CALLBACKS]);
    }
}

/* --- blocks of memory that are stored as they are --------------------------------------------------------------- */

typedef struct block {
    char name[64];
    void *memory;
    size_t bytes;
} block;

/* The sums of the epoch, the state of the metrics and that of each callback. */
static int list_blocks(const cn_model *model, block blocks[MOST_ARRAYS])
{
    cn__running *now = model->running;
    int n = 1, number = 0;
    blocks[0] = (block){SUMS, &now->sums, sizeof now->sums};
    if (model->metric_state_size)
        blocks[n++] = (block){"fit/metrics", model->metric_states[0],
                              (size_t)model->metric_state_size * sizeof *model->metric_states[0]};
    for (int i = 0; i < CN_MAX_CALLBACKS && now->options->callbacks[i]; i++) {
        const cn_callback *callback = now->options->callbacks[i];
        if (!callback->state) continue;
        for (int part = 0; n < MOST_ARRAYS; part++) {
            size_t bytes = 0;
            void *memory = callback->state(callback->user, (cn_model *)model, part, &bytes);
            if (!memory) break;
            snprintf(blocks[n].name, sizeof blocks[n].name, "callback/%d/%d", number, part);
            blocks[n].memory = memory;
            blocks[n++].bytes = bytes;
        }
        number++;
    }
    return n;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

typedef struct gathering {
    int n;
    cn__array arrays[MOST_ARRAYS];
    char names[MOST_ARRAYS][128];
} gathering;

static void gather(gathering *g, const char *name, const char *name_end, cn_dtype dtype, int64_t count,
                   const void *data)
{
    if (g->n == MOST_ARRAYS) return; /* history holds 64 names, callbacks have one or two blocks each */
    snprintf(g->names[g->n], sizeof g->names[0], "%.60s%.60s", name, name_end);
    g->arrays[g->n] = (cn__array){.name = g->names[g->n], .dtype = dtype, .ndim = 1, .shape = {count}, .data = data};
    g->n++;
}

static int write_all(const cn_model *model, const cn__fit_identity *identity, const char *path, gathering *g,
                     int64_t *epochs)
{
    const cn__running *now = model->running;
    const cn_history *history = model->history;
    block blocks[MOST_ARRAYS];
    int has_ended = model->stop_training && now->step == 0, n = cn_history_epochs(history);
    int64_t position[POSITION_COUNT] = {now->epoch, now->step, now->is_begun, has_ended};
    gather(g, "fit/position", "", CN_INT64, POSITION_COUNT, position);
    gather(g, "fit/learning_rate", "", CN_FLOAT64, 1, &model->learning_rate);
    for (int i = 0; i < n; i++) epochs[i] = cn_history_epoch(history, i);
    gather(g, "fit/epochs", "", CN_INT64, n, epochs);
    for (int i = 0; cn_history_name(history, i); i++)
        gather(g, HISTORY, cn_history_name(history, i), CN_FLOAT64, n,
               cn_history_get(history, cn_history_name(history, i)));
    int n_blocks = list_blocks(model, blocks);
    for (int i = 0; i < n_blocks; i++)
        gather(g, blocks[i].name, "", CN_UINT8, (int64_t)blocks[i].bytes, blocks[i].memory);
    cn__note notes[CN__SAME_COUNT + 1];
    for (int i = 0; i < CN__SAME_COUNT; i++) notes[i] = (cn__note){same[i].key, identity->texts[i]};
    notes[CN__SAME_COUNT] = (cn__note){STOP_REASON, model->stop_reason};
    int n_notes = CN__SAME_COUNT + (has_ended && model->stop_reason[0]);
    return cn__save_with_more(model, path, 1, &(cn__more){g->n, g->arrays, n_notes, notes});
}

int cn__checkpoint_write(const cn_model *model, const cn__fit_identity *identity, const char *path)
{
    gathering *g = cn__alloc(1, sizeof *g, "the checkpoint");
    int64_t *epochs = cn__alloc((size_t)cn_history_epochs(model->history), sizeof *epochs, "the checkpoint");
    int status = g && epochs ? write_all(model, identity, path, g, epochs) : CN_ENOMEM;
    cn__free(g);
    cn__free(epochs);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

/* A one-dimensional array of that type and length; count -1: any length. */
static int find_row(cn__safetensors *file, const char *name, cn_dtype dtype, int64_t count, cn__array *array)
{
    CN_TRY(cn__safetensors_find(file, name, array));
    if (array->dtype == dtype && array->ndim == 1 && (count < 0 || array->shape[0] == count)) return CN_OK;
    return cn__fail(CN_EFORMAT, "\"%s\" in it is not what it should be; was it written by another version of Cornu?",
                    name);
}

static int check_identity(cn__safetensors *file, const cn__fit_identity *identity)
{
    for (int i = 0; i < CN__SAME_COUNT; i++) {
        const char *text = cn__safetensors_metadata(file, same[i].key);
        char sentence[900];
        if (!text) return cn__fail(CN_EFORMAT, "it is a model, but no checkpoint of a training");
        if (!strcmp(text, identity->texts[i])) continue;
        /* the phrase is one of the table's, with two %s */
        const char *first = strstr(same[i].phrase, "%s"), *second = strstr(first + 2, "%s");
        snprintf(sentence, sizeof sentence, "%.*s%.300s%.*s%.300s%s", (int)(first - same[i].phrase), same[i].phrase,
                 text, (int)(second - first - 2), first + 2, identity->texts[i], second + 2);
        return cn__fail(CN_ESTATE, "%s", sentence);
    }
    return CN_OK;
}

/* The configuration in the file holds the learning rate of its moment. */
static int check_model(cn_model *model, cn__safetensors *file, double learning_rate)
{
    double rate = model->learning_rate;
    model->learning_rate = learning_rate;
    int status = cn__save_agrees(model, file);
    model->learning_rate = rate;
    return status;
}

static int read_history(cn_model *model, cn__safetensors *file, const cn__array *epochs)
{
    int64_t n = epochs->shape[0];
    cn_history *history = cn__history_create();
    int status = history ? CN_OK : CN_ENOMEM;
    for (int64_t e = 0; e < n && status == CN_OK; e++) {
        const char *names[CN__MOST_LOGS * 2];
        double values[CN__MOST_LOGS * 2];
        cn_logs logs = {0, names, values};
        for (int i = 0; i < cn__safetensors_count(file) && logs.count < CN__MOST_LOGS * 2 && status == CN_OK; i++) {
            cn__array array;
            status = cn__safetensors_at(file, i, &array);
            if (status < 0 || strncmp(array.name, HISTORY, strlen(HISTORY))) continue;
            if (array.dtype != CN_FLOAT64 || array.ndim != 1 || array.shape[0] != n) continue;
            names[logs.count] = array.name + strlen(HISTORY);
            values[logs.count++] = ((const double *)array.data)[e];
        }
        if (status == CN_OK) status = cn__history_add(history, (int)((const int64_t *)epochs->data)[e], &logs);
    }
    if (status < 0) {
        cn__history_destroy(&history);
        return status;
    }
    cn__history_destroy(&model->history);
    model->history = history;
    return CN_OK;
}

static int check_position(const cn__running *now, const int64_t *position)
{
    int64_t least = now->options->steps_per_epoch ? now->options->initial_epoch : 0;
    if (position[EPOCH] >= least && position[EPOCH] <= INT32_MAX && position[STEP] >= 0 && position[STEP] <= now->steps)
        return CN_OK;
    return cn__fail(CN_EFORMAT, "it claims to stand at epoch %lld, batch %lld", (long long)position[EPOCH],
                    (long long)position[STEP]);
}

/* Of training, and of no more rows than an epoch has. */
static int check_sums(const cn__running *now, cn__safetensors *file)
{
    cn__array stored;
    cn__sums sums;
    CN_TRY(find_row(file, SUMS, CN_UINT8, sizeof sums, &stored));
    memcpy(&sums, stored.data, sizeof sums);
    if (sums.testing == 0 && sums.rows >= 0 && sums.rows <= now->steps * now->options->batch_size) return CN_OK;
    return cn__fail(CN_EFORMAT, "\"%s\" in it is not of a training like this one", SUMS);
}

/* Everything is checked before anything is changed. */
static int read_all(cn_model *model, const cn__fit_identity *identity, cn__safetensors *file)
{
    cn__running *now = model->running;
    cn__array position, rate, epochs, stored;
    block blocks[MOST_ARRAYS];
    CN_TRY(cn__save_check(file));
    CN_TRY(check_identity(file, identity));
    CN_TRY(find_row(file, "fit/position", CN_INT64, POSITION_COUNT, &position));
    CN_TRY(find_row(file, "fit/learning_rate", CN_FLOAT64, 1, &rate));
    CN_TRY(find_row(file, "fit/epochs", CN_INT64, -1, &epochs));
    CN_TRY(check_model(model, file, *(const double *)rate.data));
    const int64_t *at = position.data;
    CN_TRY(check_position(now, at));
    CN_TRY(check_sums(now, file));
    int n = list_blocks(model, blocks);
    for (int i = 0; i < n; i++)
        CN_TRY(find_row(file, blocks[i].name, CN_UINT8, (int64_t)blocks[i].bytes, &stored));
    CN_TRY(read_history(model, file, &epochs));
    CN_TRY(cn__save_read_into(model, file));
    for (int i = 0; i < n; i++) {
        CN_TRY(cn__safetensors_find(file, blocks[i].name, &stored));
        if (blocks[i].bytes) memcpy(blocks[i].memory, stored.data, blocks[i].bytes);
    }
    model->learning_rate = *(const double *)rate.data;
    now->epoch = (int)at[EPOCH];
    now->step = at[STEP];
    now->is_begun = at[IS_BEGUN] != 0;
    const char *reason = cn__safetensors_metadata(file, STOP_REASON);
    if (at[HAS_ENDED] && reason) cn_model_stop_training_because(model, reason);
    else if (at[HAS_ENDED]) cn_model_stop_training(model);
    return CN_OK;
}

int cn__checkpoint_read(cn_model *model, const cn__fit_identity *identity, const char *path)
{
    cn__safetensors *file;
    CN_TRY(cn__safetensors_read(path, &file));
    int status = read_all(model, identity, file);
    cn__safetensors_destroy(&file);
    return status < 0 ? cn__fail_prefix("%s: ", path) : CN_OK;
}
