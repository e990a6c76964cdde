/* Built-in callbacks: Keras's, with its arguments and defaults (keras/src/callbacks).
 *
 *     cn_fit(model, x, y, .epochs = 100, .validation_split = 0.1,
 *            .callbacks = {cn_early_stopping(.patience = 3), cn_csv_logger("log.csv")});
 *
 * Each constructor returns a callback that the next fit (or evaluate, or predict) takes over and destroys, also on
 * failure; one that is never handed to any of them is destroyed with cn_callback_destroy. A constructor never returns
 * NULL: with wrong arguments, or without memory, it returns a callback with which fit fails and says what was wrong.
 * Options are copied. A log that cannot be written ends fit before it trains. Messages of `verbose` go where fit writes
 * its progress.
 *
 * Monitors. `monitor` names a value of the logs: "loss", "val_loss", a metric, "val_" and a metric. `mode` is "min",
 * "max", or "auto": the loss and errors are to fall, accuracies, AUC, precision, recall and F-scores to rise. A value
 * that is not a number is never an improvement. A value that is not there, such as "val_loss" without validation, is a
 * warning (cn_model_warning), and training goes on: EarlyStopping and ReduceLROnPlateau do nothing, ModelCheckpoint
 * saves each time. With mode "auto" a name that the model has no value for is an error, CN_ENAME before training
 * begins; a value that a callback of your own adds needs mode "min" or "max", as in Keras. After an epoch that
 * validation_freq leaves out nothing is judged and no best model saved.
 *
 * Callbacks keep what they need in checkpoints, so a resumed run behaves as one never interrupted. */
#ifndef CORNU_BUILT_IN_CALLBACKS_H
#define CORNU_BUILT_IN_CALLBACKS_H

#include <cornu/callback.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Destroys a callback that nothing has taken over. Accepts NULL and a pointer to NULL; sets it to NULL. A callback
 * without a destroy hook, such as one of your own, stays as it is. */
CN_API void cn_callback_destroy(const cn_callback **callback);

/* EarlyStopping. At the end of each epoch from start_from_epoch on, wait += 1; if the value is better than the best one
 * by more than |min_delta|, it becomes the best, and wait = 0 (with a baseline: if it beats that, too). Training ends
 * when wait >= patience and epoch > 0; cn_model_stop_reason says so. restore_best_weights: the weights of the best
 * epoch come back when training ends, early or not. */
typedef struct cn_early_stopping_options {
    const char *monitor;
    double min_delta;
    int patience, verbose;
    const char *mode;
    double baseline; /* NaN: none */
    int restore_best_weights, start_from_epoch;
} cn_early_stopping_options;
#define CN_EARLY_STOPPING_DEFAULTS .monitor = "val_loss", .mode = "auto", .baseline = NAN
CN_API cn_callback *cn_early_stopping_create(const cn_early_stopping_options *options);
#define cn_early_stopping(...)                                                                                      \
    cn_early_stopping_create(&(const cn_early_stopping_options){CN_EARLY_STOPPING_DEFAULTS, __VA_ARGS__})

/* ModelCheckpoint. Saves the model (cn_model_save) after each epoch, or after every save_freq batches. `filepath` may
 * hold {epoch} (from 1), {batch} (from 1, with save_freq) and values of the logs, each with a format as in Python:
 * "best-{epoch:02d}-{val_loss:.4f}.safetensors"; {{ and }} stand for brackets. Missing folders are made.
 * save_best_only: only when `monitor` is better than at the last save. save_weights_only: without the optimizer's state
 * (configuration and weights are always in the file). */
typedef struct cn_model_checkpoint_options {
    const char *filepath, *monitor;
    int verbose, save_best_only, save_weights_only;
    const char *mode;
    int64_t save_freq;              /* 0: after each epoch */
    double initial_value_threshold; /* save_best_only: the first value to beat; NaN: none */
} cn_model_checkpoint_options;
#define CN_MODEL_CHECKPOINT_DEFAULTS .monitor = "val_loss", .mode = "auto", .initial_value_threshold = NAN
CN_API cn_callback *cn_model_checkpoint_create(const cn_model_checkpoint_options *options);
#define cn_model_checkpoint(...) CN_MODEL_CHECKPOINT_(__VA_ARGS__, )
#define CN_MODEL_CHECKPOINT_(path, ...)                                                                             \
    cn_model_checkpoint_create(                                                                                     \
        &(const cn_model_checkpoint_options){CN_MODEL_CHECKPOINT_DEFAULTS, .filepath = path, __VA_ARGS__})

/* ReduceLROnPlateau. After `patience` epochs without an improvement by more than |min_delta|, and outside the
 * `cooldown` epochs that follow a reduction: learning rate = max(learning rate * factor, min_lr), if it is above
 * min_lr. Adds "learning_rate", as it was during the epoch, to the logs. factor must be below 1. */
typedef struct cn_reduce_lr_on_plateau_options {
    const char *monitor;
    double factor;
    int patience, verbose;
    const char *mode;
    double min_delta;
    int cooldown;
    double min_lr;
} cn_reduce_lr_on_plateau_options;
#define CN_REDUCE_LR_ON_PLATEAU_DEFAULTS                                                                            \
    .monitor = "val_loss", .factor = 0.1, .patience = 10, .mode = "auto", .min_delta = 1e-4
CN_API cn_callback *cn_reduce_lr_on_plateau_create(const cn_reduce_lr_on_plateau_options *options);
#define cn_reduce_lr_on_plateau(...)                                                                                \
    cn_reduce_lr_on_plateau_create(                                                                                 \
        &(const cn_reduce_lr_on_plateau_options){CN_REDUCE_LR_ON_PLATEAU_DEFAULTS, __VA_ARGS__})

/* LearningRateScheduler. At the beginning of each epoch (from 0): learning rate = schedule(epoch, learning rate, user).
 * Adds "learning_rate" to the logs. A result that is negative or not a number ends fit with CN_EINVAL. */
typedef struct cn_learning_rate_scheduler_options {
    double (*schedule)(int epoch, double learning_rate, void *user);
    void *user; /* borrowed */
    int verbose;
} cn_learning_rate_scheduler_options;
CN_API cn_callback *cn_learning_rate_scheduler_create(const cn_learning_rate_scheduler_options *options);
#define cn_learning_rate_scheduler(...) CN_LEARNING_RATE_SCHEDULER_(__VA_ARGS__, )
#define CN_LEARNING_RATE_SCHEDULER_(function, ...)                                                                  \
    cn_learning_rate_scheduler_create(&(const cn_learning_rate_scheduler_options){.schedule = function, __VA_ARGS__})

/* CSVLogger. One line an epoch, written at once, with CR LF as Keras: the epoch from 0, then the values of the logs
 * sorted by name, each with the shortest digits that give it back. Without validation in the first epoch the columns
 * val_... are there all the same, filled with NA. append: keep what the file has. `separator` is one character. */
typedef struct cn_csv_logger_options {
    const char *filename, *separator;
    int append;
} cn_csv_logger_options;
#define CN_CSV_LOGGER_DEFAULTS .separator = ","
CN_API cn_callback *cn_csv_logger_create(const cn_csv_logger_options *options);
#define cn_csv_logger(...) CN_CSV_LOGGER_(__VA_ARGS__, )
#define CN_CSV_LOGGER_(path, ...)                                                                                   \
    cn_csv_logger_create(&(const cn_csv_logger_options){CN_CSV_LOGGER_DEFAULTS, .filename = path, __VA_ARGS__})

/* One JSON object a line and epoch: {"epoch": 0, "accuracy": 0.925, "loss": 0.26}, in the order of the logs; what is
 * not a finite number is null. Not in Keras. */
typedef struct cn_json_logger_options {
    const char *filename;
    int append;
} cn_json_logger_options;
CN_API cn_callback *cn_json_logger_create(const cn_json_logger_options *options);
#define cn_json_logger(...) CN_JSON_LOGGER_(__VA_ARGS__, )
#define CN_JSON_LOGGER_(path, ...)                                                                                  \
    cn_json_logger_create(&(const cn_json_logger_options){.filename = path, __VA_ARGS__})

/* TerminateOnNaN. Ends training after the batch at which the loss is no longer finite, and says where it began: the
 * first layer, sample and value of that batch (cn_model_stop_reason). raise_error: fit fails with that sentence
 * (CN_ESTOPPED). */
typedef struct cn_terminate_on_nan_options {
    int raise_error;
} cn_terminate_on_nan_options;
CN_API cn_callback *cn_terminate_on_nan_create(const cn_terminate_on_nan_options *options);
#define cn_terminate_on_nan(...)                                                                                    \
    cn_terminate_on_nan_create(&(const cn_terminate_on_nan_options){.raise_error = 0, __VA_ARGS__})

/* TensorBoard. Event files in log_dir/train and log_dir/validation, for `tensorboard --logdir`: after each epoch (the
 * step, from 0) epoch_loss, epoch_ and each metric, epoch_learning_rate; values of validation go to its folder under
 * the same names, and as evaluation_loss_vs_iterations over the number of updates. update_freq: also batch_loss and so
 * on after every update_freq batches. histogram_freq: also histograms of all weights after every histogram_freq epochs.
 * write_steps_per_second: also epoch_steps_per_second. Keras's graph, images, embeddings and profile are not written.
 * Format: TFRecord files of protocol buffers, read by TensorBoard 2. */
typedef struct cn_tensorboard_options {
    const char *log_dir;
    int histogram_freq; /* 0: none */
    int write_steps_per_second;
    int64_t update_freq; /* 0: epochs only */
} cn_tensorboard_options;
#define CN_TENSORBOARD_DEFAULTS .log_dir = "logs"
CN_API cn_callback *cn_tensorboard_create(const cn_tensorboard_options *options);
#define cn_tensorboard(...)                                                                                         \
    cn_tensorboard_create(&(const cn_tensorboard_options){CN_TENSORBOARD_DEFAULTS, __VA_ARGS__})

/* BackupAndRestore: exact resume. If `path` is there when training begins, the fit goes on from where that file was
 * written, and ends with the same bits as one that was never interrupted. The file is written after each epoch, also
 * after every save_freq batches, and after the batch at which cn_model_stop_training ends an epoch early; each time
 * under another name first and then renamed, so there is always a whole one, whenever the process is killed. It is not
 * written while the loss is not finite. It holds weights, optimizer state, learning rate, position, History and the
 * state of all callbacks (cn_callback.state); it is also a model file, for cn_model_load.
 * The model, compile and fit options (but for epochs, verbose, threads and isa), training data and callbacks must be
 * those of the first run. delete_checkpoint: the file is removed when training has come to its end. double_checkpoint:
 * the file before the last one is kept as `path`.previous, and taken where the last one is damaged or missing.
 * Errors of fit: CN_EFORMAT (damaged), CN_ESTATE (of another model, other data or options), CN_EIO, CN_ENOTSUP (built
 * without jansson); the file then stays as it is. */
typedef struct cn_backup_and_restore_options {
    const char *path;
    int64_t save_freq; /* 0: after each epoch only */
    int double_checkpoint, delete_checkpoint, verbose;
} cn_backup_and_restore_options;
#define CN_BACKUP_AND_RESTORE_DEFAULTS .delete_checkpoint = 1
CN_API cn_callback *cn_backup_and_restore_create(const cn_backup_and_restore_options *options);
#define cn_backup_and_restore(...) CN_BACKUP_AND_RESTORE_(__VA_ARGS__, )
#define CN_BACKUP_AND_RESTORE_(file, ...)                                                                           \
    cn_backup_and_restore_create(                                                                                   \
        &(const cn_backup_and_restore_options){CN_BACKUP_AND_RESTORE_DEFAULTS, .path = file, __VA_ARGS__})

/* SwapEMAWeights. For an optimizer with use_ema: evaluate, predict and the validation of fit use the averages of the
 * weights; afterwards the weights are back. swap_on_epoch: the averages are also there from the end of each epoch, when
 * callbacks that stand behind this one are called, to the beginning of the next one, so that a ModelCheckpoint behind
 * it saves them. At the end of fit the weights become their averages, as without this callback. Other than in Keras
 * 3.15, the weights are back after predict, too, and a fit that ends early ends with averages. Errors of fit, evaluate
 * and predict: CN_EINVAL (an optimizer without use_ema). */
typedef struct cn_swap_ema_weights_options {
    int swap_on_epoch;
} cn_swap_ema_weights_options;
CN_API cn_callback *cn_swap_ema_weights_create(const cn_swap_ema_weights_options *options);
/* cn_swap_ema_weights(), cn_swap_ema_weights(.swap_on_epoch = 1) */
#define cn_swap_ema_weights(...)                                                                                    \
    cn_swap_ema_weights_create(&(const cn_swap_ema_weights_options){.swap_on_epoch = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
