/* A loss on one batch, with weights and reduction: of a model's output or of numbers that a caller brought. */
#ifndef CN_MODEL_MEASURE_H
#define CN_MODEL_MEASURE_H

#include "base/pool.h"
#include "model/axes.h"
#include "model/engine.h"

struct cn__measuring;

/* A loop of the team in which rows are measured block by block, besides other work on them: body gets the structure
 * itself as its context and calls cn__measure_rows for each row once. */
typedef struct cn__around {
    cn__loop_body body;
    int64_t count;
    const struct cn__measuring *measuring;
} cn__around;

/* What cn__measure_loss needs to know. */
typedef struct cn__measuring {
    const cn__engine *engine;
    const cn__loss *loss;
    int from_logits;       /* scores.output holds logits */
    cn__pool *team;        /* NULL: the caller alone */
    const double *weights; /* of the rows, NULL: all 1 */
    cn__scores scores;     /* the caller leaves options, divisor and seen alone */
    cn__around *around;    /* NULL: rows are only measured */
    const cn__axes *axes;  /* NULL, or other axes than the last one, with room, and how many samples the rows belong
                            * to */
    const cn__axes_room *axes_room;
    int64_t samples;
    double share;          /* what every gradient is multiplied by, besides the weights; set inside */
} cn__measuring;

/* Rows begin ... end-1: loss and gradient. */
void cn__measure_rows(const struct cn__measuring *measuring, int64_t begin, int64_t end);

/* Fills row_loss and the gradient. Returns the sum of weight x row_loss; that over *divisor is the batch's loss. */
double cn__measure_loss(cn__measuring *measuring, double *divisor);

#endif
