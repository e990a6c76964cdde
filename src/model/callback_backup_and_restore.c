#include "base/file.h"
#include "model/callback_parts.h"
#include "model/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct backup {
    cn_callback callback;
    cn_backup_and_restore_options options;
    char *path, *previous; /* previous: NULL without double_checkpoint */
    cn__fit_identity identity;
    int64_t batches; /* since the last checkpoint */
} backup;

static int after_train_begin(void *user, cn_model *model)
{
    backup *b = user;
    cn__fit_identify(model, &b->identity);
    cn__output_sweep(b->path);
    b->batches = 0;
    const char *path = b->path;
    int status = CN_ENOTFOUND;
    if (cn__file_exists(path)) status = cn__checkpoint_read(model, &b->identity, path);
    int is_of_no_use = status == CN_ENOTFOUND || status == CN_EFORMAT || status == CN_EIO;
    if (is_of_no_use && b->previous && cn__file_exists(b->previous)) {
        path = b->previous;
        status = cn__checkpoint_read(model, &b->identity, path);
    }
    if (status == CN_ENOTFOUND) return CN_OK;
    CN_TRY(status);
    if (b->options.verbose)
        cn__callback_say(model, "Resuming from %s: epoch %d, batch %lld.\n", path, model->running->epoch + 1,
                         (long long)model->running->step);
    return CN_OK;
}

/* A checkpoint with numbers that are none would be of no use, and the one before it would be lost. */
static int write(backup *b, const cn_model *model, double loss)
{
    if (!isfinite(loss)) return CN_OK;
    b->batches = 0;
    if (b->previous && cn__file_exists(b->path)) CN_TRY(cn__file_rename(b->path, b->previous));
    return cn__checkpoint_write(model, &b->identity, b->path);
}

static int after_train_batch(void *user, cn_model *model, int64_t batch)
{
    backup *b = user;
    (void)batch;
    b->batches++;
    int is_due = b->options.save_freq && b->batches >= b->options.save_freq;
    if (!is_due && !model->stop_training) return CN_OK;
    return write(b, model, model->running->sums.loss);
}

static int after_epoch(void *user, cn_model *model, int epoch)
{
    backup *b = user;
    (void)epoch;
    if (model->running->was_cut) return CN_OK; /* written at its last batch; what followed belongs to the cut */
    return write(b, model, cn_history_get(model->history, "loss")[cn_history_epochs(model->history) - 1]);
}

static int on_train_end(void *user, cn_model *model, const cn_logs *logs)
{
    backup *b = user;
    (void)logs;
    if (!b->options.delete_checkpoint || model->running->was_cut) return CN_OK;
    if (b->previous) CN_TRY(cn__file_remove(b->previous));
    return cn__file_remove(b->path);
}

static void destroy(void *user)
{
    backup *b = user;
    cn__free(b->path);
    cn__free(b->previous);
    cn__free(b);
}

static int open_previous(backup *b)
{
    if (!b->options.double_checkpoint) return CN_OK;
    size_t bytes = strlen(b->path) + sizeof ".previous";
    b->previous = cn__alloc_raw(bytes, 1, "the name of a file");
    if (!b->previous) return CN_ENOMEM;
    snprintf(b->previous, bytes, "%s.previous", b->path);
    return CN_OK;
}

cn_callback *cn_backup_and_restore_create(const cn_backup_and_restore_options *options)
{
    backup *b = NULL;
    if (!options || !options->path || !*options->path)
        cn__fail(CN_EINVAL, "BackupAndRestore: the path is empty");
    else if (options->save_freq < 0)
        cn__fail(CN_EINVAL, "BackupAndRestore: save_freq must be a number of batches, or 0 for every epoch, got %lld",
                 (long long)options->save_freq);
    else
        b = cn__callback_create(sizeof *b, "BackupAndRestore");
    if (!b) return cn__callback_refused();
    b->options = *options;
    b->callback.after_train_begin = after_train_begin;
    b->callback.after_train_batch = after_train_batch;
    b->callback.after_epoch = after_epoch;
    b->callback.on_train_end = on_train_end;
    b->callback.destroy = destroy;
    b->path = cn__strdup(options->path, "the name of a file");
    if (b->path && open_previous(b) == CN_OK) return &b->callback;
    destroy(b);
    return cn__callback_refused();
}
