/* A fit in a file, so that it can go on in another process with the same bits: a model file with the optimizer's state
 * (src/model/save.c) and, besides,
 *
 *   fit/position          int64   epoch, batches of it that are done, whether it has begun, whether training has ended
 *   fit/learning_rate     float64
 *   fit/sums              uint8   cn__sums over these batches
 *   fit/epochs            int64   numbers of the epochs in History
 *   fit/history/NAME      float64 one for each of them
 *   callback/I/P          uint8   block P of the state of the I-th callback that has some
 *   metadata "fit.NAME"   text    what the fit must have in common with the one that goes on (cn__fit_identity)
 *
 * Random numbers need nothing of their own: each depends on the seed, its purpose and the number of the epoch or the
 * update (src/base/random.h). Updates that wait for their rows (src/model/lazy.c) are made up for before writing, which
 * changes no later bit. */
#ifndef CN_MODEL_CHECKPOINT_H
#define CN_MODEL_CHECKPOINT_H

#include "model/model.h"

/* What makes two fits the same one; all as text. */
enum {
    CN__SAME_SEED,
    CN__SAME_BATCH_SIZE,
    CN__SAME_SHUFFLE,
    CN__SAME_SAMPLES,
    CN__SAME_VALIDATION,
    CN__SAME_RATE,
    CN__SAME_DATA,
    CN__SAME_CALLBACKS,
    CN__SAME_COUNT
};
typedef struct cn__fit_identity {
    char texts[CN__SAME_COUNT][640];
} cn__fit_identity;

/* Of the running fit; reads all of its data once. Call it before the learning rate changes. */
void cn__fit_identify(const cn_model *model, cn__fit_identity *identity);

/* Writes where the running fit stands. Errors: CN_EIO, CN_ENOMEM, CN_ENOTSUP (built without jansson). */
int cn__checkpoint_write(const cn_model *model, const cn__fit_identity *identity, const char *path);

/* Brings the running fit to where the file says; on failure nothing is changed. Errors: CN_ENOTFOUND, CN_EFORMAT
 * (damaged), CN_ESTATE (of another model, other data or options), CN_EIO, CN_ENOMEM, CN_ENOTSUP. */
int cn__checkpoint_read(cn_model *model, const cn__fit_identity *identity, const char *path);

#endif
