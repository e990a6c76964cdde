/* Targets, outputs and weights that a caller brought as tensors, as losses and metrics read them. */
#ifndef CN_MODEL_SCORED_H
#define CN_MODEL_SCORED_H

#include "model/axes.h"
#include "model/engine.h"

#include <cornu/tensor.h>

typedef struct cn__scored {
    const cn__engine *engine;
    int64_t rows, columns;
    int64_t samples;        /* the first axis */
    int64_t steps, length;  /* of sequences, see cn__scores */
    cn__axes axes;          /* other axes than the last one; the arrays are as they came */
    cn_tensor *output;      /* contiguous, of the engine's numbers */
    cn_tensor *target;      /* the same; NULL when there are labels */
    int32_t *labels;
    double *weights;        /* one for each row, NULL: all 1 */
    void *row_loss, *probabilities, *sequence_room; /* room */
    cn__axes_room axes_room;
} cn__scored;

/* What y_true holds. */
typedef enum cn__scored_kind {
    CN__SCORED_ROWS,
    CN__SCORED_LABELS,
    CN__SCORED_AS_SHAPED, /* rows if the shapes agree, else labels */
    CN__SCORED_FREE,      /* labels that need not be classes */
    CN__SCORED_SEQUENCES, /* labels of sequences */
    CN__SCORED_NOTHING    /* y_true is NULL */
} cn__scored_kind;

/* What a loss or metric wants to know of its arrays. */
typedef struct cn__scored_wish {
    const char *owner; /* named in errors */
    cn__scored_kind kind;
    int64_t ignored;   /* a label that may lie outside the columns; CN__NO_CLASS: none */
    const cn__axis_list *axes;
    int all_are_plain; /* see cn__axes_resolve */
} cn__scored_wish;

/* What `loss` wants. */
cn__scored_wish cn__scored_wish_of(const cn__loss *loss);

/* Errors: CN_ESHAPE, CN_EINVAL, CN_ENOMEM; then there is nothing to close. */
int cn__scored_open(cn__scored *scored, const cn_tensor *y_true, const cn_tensor *y_pred,
                    const cn_tensor *sample_weight, const cn__scored_wish *wish);
void cn__scored_close(cn__scored *scored);

/* The scores of all rows, without options, gradient and divisor. */
cn__scores cn__scored_scores(const cn__scored *scored);

#endif
