/* The training whose checkpoints fuzz_checkpoint reads: small, and with the callbacks that keep something in
 * them, but for TensorBoard, whose files would pile up. */
#ifndef CN_TEST_CHECKPOINT_JOB_H
#define CN_TEST_CHECKPOINT_JOB_H

#include <cornu/built_in_callbacks.h>
#include <cornu/cornu.h>

#include <stdio.h>
#include <string.h>

#define CHECKPOINT_PATH_BYTES 512

static inline cn_model *checkpoint_model(void)
{
    cn_model *model = cn_sequential(.threads = 1, .seed = 1);
    cn_add(model, cn_dense(3, .activation = "relu", .input_shape = {4}));
    cn_add(model, cn_dense(2, .activation = "softmax"));
    if (cn_compile(model, .optimizer_name = "adam(use_ema=true)", .loss = "categorical_crossentropy",
                   .metrics = {"accuracy", "auc(num_thresholds=3)"}) < 0)
        cn_model_destroy(&model);
    return model;
}

/* The path of a file in the folder. */
static inline const char *checkpoint_path(char path[CHECKPOINT_PATH_BYTES], const char *folder, const char *name)
{
    snprintf(path, CHECKPOINT_PATH_BYTES, "%s/%s", folder, name);
    return path;
}

/* Trains until that many epochs are over in all, from where FOLDER/checkpoint was written if there is one. */
static inline int checkpoint_fit(cn_model *model, const char *folder, int epochs)
{
    char path[CHECKPOINT_PATH_BYTES];
    cn_tensor *x = cn_zeros(CN_FLOAT32, 12, 4), *y = cn_zeros(CN_FLOAT32, 12, 2);
    for (int i = 0; x && y && i < 12; i++) {
        ((float *)cn_data(x))[4 * i + i % 4] = (float)i;
        ((float *)cn_data(y))[2 * i + i % 2] = 1;
    }
    cn_fit_options options = {CN_FIT_DEFAULTS, .epochs = epochs, .batch_size = 4, .validation_split = 0.25};
    const cn_callback *callbacks[] = {
        cn_backup_and_restore(checkpoint_path(path, folder, "checkpoint"), .save_freq = 2, .delete_checkpoint = 0),
        cn_early_stopping(.patience = 3, .restore_best_weights = 1),
        cn_reduce_lr_on_plateau(.patience = 1),
        cn_csv_logger(checkpoint_path(path, folder, "log.csv"), .append = 1),
        cn_json_logger(checkpoint_path(path, folder, "log.jsonl")),
        cn_model_checkpoint(checkpoint_path(path, folder, "best"), .save_best_only = 1),
        cn_swap_ema_weights(.swap_on_epoch = 1),
    };
    memcpy(options.callbacks, callbacks, sizeof callbacks);
    const int status = cn_model_fit(model, x, y, &options);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return status;
}

#endif
