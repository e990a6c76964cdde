/* Targets, outputs and weights that a caller brought as tensors, as losses and metrics read them. */
#ifndef CN_MODEL_SCORED_H
#define CN_MODEL_SCORED_H

#include "model/engine.h"

#include <cornu/tensor.h>

typedef struct cn__scored {
    const cn__engine *engine;
    int64_t rows, columns;
    cn_tensor *output;      /* contiguous, of the engine's numbers */
    cn_tensor *target;      /* the same; NULL when there are labels */
    int32_t *labels;
    double *weights;        /* one for each row, NULL: all 1 */
    void *row_loss, *probabilities; /* room */
} cn__scored;

/* What y_true holds. */
typedef enum cn__scored_kind { CN__SCORED_ROWS, CN__SCORED_LABELS, CN__SCORED_AS_SHAPED } cn__scored_kind;

/* AS_SHAPED: rows if the shapes agree, else labels. `ignored` is a label that may lie outside the columns (CN__NO_CLASS:
 * none). `owner` is named in errors: CN_ESHAPE, CN_EINVAL, CN_ENOMEM; then there is nothing to close. */
int cn__scored_open(cn__scored *scored, const char *owner, const cn_tensor *y_true, const cn_tensor *y_pred,
                    const cn_tensor *sample_weight, cn__scored_kind kind, int64_t ignored);
void cn__scored_close(cn__scored *scored);

/* The scores of all rows, without options, gradient and divisor. */
cn__scores cn__scored_scores(const cn__scored *scored);

#endif
