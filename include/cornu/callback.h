/* Callbacks: your code at Keras's hooks of fit, evaluate and predict. */
#ifndef CORNU_CALLBACK_H
#define CORNU_CALLBACK_H

#include <cornu/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cn_model cn_model;

/* Named values, sorted by name, "val_..." last, as Keras orders them. Borrowed: valid during the call. */
typedef struct cn_logs {
    int count;
    const char *const *names;
    const double *values;
} cn_logs;

/* Hooks that are NULL are skipped. Epochs and batches count from 0. Each hook returns 0 to go on or a negative
 * cn_status to end the call at once with that error; to end training regularly call cn_model_stop_training.
 * `steps` is the number of batches of the epoch. Hooks run in the thread that called fit. Validation within fit calls
 * the on_test hooks. The built-in callbacks are in <cornu/built_in_callbacks.h>. */
typedef struct cn_callback {
    void *user; /* handed to every hook */
    int (*on_train_begin)(void *user, cn_model *model, int epochs, int64_t steps);
    int (*on_train_end)(void *user, cn_model *model, const cn_logs *logs);
    int (*on_epoch_begin)(void *user, cn_model *model, int epoch);
    int (*on_epoch_end)(void *user, cn_model *model, int epoch, const cn_logs *logs);
    int (*on_train_batch_begin)(void *user, cn_model *model, int64_t batch);
    int (*on_train_batch_end)(void *user, cn_model *model, int64_t batch, const cn_logs *logs);
    int (*on_test_begin)(void *user, cn_model *model, int64_t steps);
    int (*on_test_end)(void *user, cn_model *model, const cn_logs *logs);
    int (*on_test_batch_begin)(void *user, cn_model *model, int64_t batch);
    int (*on_test_batch_end)(void *user, cn_model *model, int64_t batch, const cn_logs *logs);
    int (*on_predict_begin)(void *user, cn_model *model, int64_t steps);
    int (*on_predict_end)(void *user, cn_model *model);
    int (*on_predict_batch_begin)(void *user, cn_model *model, int64_t batch);
    int (*on_predict_batch_end)(void *user, cn_model *model, int64_t batch);

    /* Beyond Keras. The three after_... hooks run when every callback has had the hook of Keras that they follow, so
     * what they see is settled: this is where a checkpoint is read and written. after_epoch comes after History. */
    int (*after_train_begin)(void *user, cn_model *model);
    int (*after_train_batch)(void *user, cn_model *model, int64_t batch);
    int (*after_epoch)(void *user, cn_model *model, int epoch);

    /* What a checkpoint has to keep of this callback, so that a resumed run behaves as one never interrupted: the
     * `part`-th block of memory (from 0) and its length, NULL past the last. Called after on_train_begin; the length
     * must then stay the same. Resume fills the blocks. A fit that resumes within an epoch does not call
     * on_epoch_begin for that epoch again. NULL: there is nothing to keep. */
    void *(*state)(void *user, cn_model *model, int part, size_t *bytes);
    const char *name; /* "EarlyStopping", for messages and checkpoints; may be NULL */

    /* Not NULL: fit, evaluate and predict take the callback over and call this before they return, also on failure. */
    void (*destroy)(void *user);
} cn_callback;

#define CN_MAX_CALLBACKS 16

/* The value called `name` in logs, NaN when there is none. */
CN_API double cn_logs_get(const cn_logs *logs, const char *name);

/* Within on_epoch_end: adds a value to the logs of this epoch, or replaces it. Callbacks later in the list, History and
 * the progress bar see it. The name is copied. Errors: CN_ESTATE (elsewhere), CN_EINVAL (more than 8 added, a name of
 * 48 or more bytes). Source: assigning to `logs` in Keras. */
CN_API int cn_model_log(cn_model *model, const char *name, double value);

/* Ends fit after the current batch; what has been trained stays. Source: keras Model.stop_training. */
CN_API void cn_model_stop_training(cn_model *model);

/* The same, and keeps a sentence that says why. */
CN_API void cn_model_stop_training_because(cn_model *model, const char *reason);

/* Why a callback ended the last fit early ("Epoch 5: early stopping"); NULL when none did or none said why. Borrowed:
 * valid until the next fit. */
CN_API const char *cn_model_stop_reason(const cn_model *model);

/* Tells the user of something that does not stop training: kept for cn_model_warning, the same sentence once in a fit
 * and at most 8 of them, and written to the output of a fit that prints. */
CN_API void cn_model_warn(cn_model *model, const char *sentence);

/* Warning number i of the last fit, from 0; NULL past the last. Borrowed: valid until the next fit. */
CN_API const char *cn_model_warning(const cn_model *model, int i);

/* --- History: what fit measured, a list of numbers per name ------------------------------------------------------- */

typedef struct cn_history cn_history;

/* Number of epochs recorded. */
CN_API int cn_history_epochs(const cn_history *history);

/* The 0-based number of the i-th recorded epoch. */
CN_API int cn_history_epoch(const cn_history *history, int i);

/* The i-th name ("accuracy", "loss", "val_accuracy", "val_loss": Keras 3's order), NULL past the end. Borrowed. */
CN_API const char *cn_history_name(const cn_history *history, int i);

/* The values of one name, one per recorded epoch; NULL if there is none. Borrowed: valid until the next fit. */
CN_API const double *cn_history_get(const cn_history *history, const char *name);

#ifdef __cplusplus
}
#endif
#endif
