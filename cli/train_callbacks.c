#include "train_callbacks.h"

#include "complain.h"
#include "interrupt.h"
#include "options.h"
#include "output_file.h"

#include <cornu/built_in_callbacks.h>
#include <string.h>

static int check_files(const struct train_options *given)
{
    const struct {
        const char *option, *path;
    } files[] = {{"--checkpoint", given->checkpoint}, {"--csv", given->csv}, {"--json-lines", given->json_lines}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i].path != NULL && output_file_check(files[i].option, files[i].path) != STATUS_OK) {
            return STATUS_FAILED;
        }
    }
    /* A name with places in it becomes many files, in folders that are made. */
    if (given->save_best != NULL && strchr(given->save_best, '{') == NULL) {
        return output_file_check("--save-best", given->save_best);
    }
    return STATUS_OK;
}

int train_callbacks_check(const struct train_options *given)
{
    if (given->checkpoint == NULL && given->resume) {
        return refuse("--resume needs --checkpoint FILE, the file to go on from; `cornu train --help` lists the "
                      "options");
    }
    if (given->checkpoint == NULL && given->checkpoint_every != 0) {
        return refuse("--checkpoint-every needs --checkpoint FILE; `cornu train --help` lists the options");
    }
    if (given->restore_best && given->early_stopping < 0) {
        return refuse("--restore-best needs --early-stopping N; `cornu train --help` lists the options");
    }
    if (given->monitor != NULL && given->early_stopping < 0 && given->reduce_lr < 0 && given->save_best == NULL) {
        return refuse("--monitor needs --early-stopping N, --reduce-lr N or --save-best FILE; `cornu train --help` "
                      "lists the options");
    }
    if (check_files(given) != STATUS_OK) {
        return STATUS_FAILED;
    }
    if (given->checkpoint == NULL || given->resume == output_file_exists(given->checkpoint)) {
        return STATUS_OK;
    }
    if (!given->resume) {
        return complain("%s is there already; add --resume to go on from it, or remove it to begin anew; nothing was "
                        "done",
                        given->checkpoint);
    }
    if (!given->quiet && given->verbose > 0) {
        fprintf(stderr, "%s is not there yet: training begins from the start\n", given->checkpoint);
    }
    return STATUS_OK;
}

void train_callbacks_make(const struct train_options *given, int verbose, const cn_callback *list[CN_MAX_CALLBACKS])
{
    const char *monitor = given->monitor != NULL ? given->monitor : given->validation_split > 0 ? "val_loss" : "loss";
    const cn_callback **next = list;
    *next++ = interrupt_callback();
    if (given->stop_on_nan) {
        *next++ = cn_terminate_on_nan(.raise_error = 1);
    }
    if (given->early_stopping >= 0) {
        *next++ = cn_early_stopping(.monitor = monitor, .patience = (int)given->early_stopping,
                                    .restore_best_weights = given->restore_best);
    }
    if (given->reduce_lr >= 0) {
        *next++ = cn_reduce_lr_on_plateau(.monitor = monitor, .patience = (int)given->reduce_lr);
    }
    if (given->csv != NULL) {
        *next++ = cn_csv_logger(given->csv);
    }
    if (given->json_lines != NULL) {
        *next++ = cn_json_logger(given->json_lines);
    }
    if (given->tensorboard != NULL) {
        *next++ = cn_tensorboard(.log_dir = given->tensorboard, .histogram_freq = 1);
    }
    if (given->save_best != NULL) {
        *next++ = cn_model_checkpoint(given->save_best, .monitor = monitor, .save_best_only = 1,
                                      .save_weights_only = 1);
    }
    if (given->checkpoint != NULL) {
        *next++ = cn_backup_and_restore(given->checkpoint, .save_freq = given->checkpoint_every,
                                        .delete_checkpoint = 0, .verbose = verbose > 0);
    }
}
