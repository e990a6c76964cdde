/* A loss on one batch, with weights and reduction: of a model's output or of numbers that a caller brought. */
#ifndef CN_MODEL_MEASURE_H
#define CN_MODEL_MEASURE_H

#include "base/pool.h"
#include "model/engine.h"

/* What cn__measure_loss needs to know. */
typedef struct cn__measuring {
    const cn__engine *engine;
    const cn__loss *loss;
    int from_logits;       /* scores.output holds logits */
    cn__pool *team;        /* NULL: the caller alone */
    const double *weights; /* of the rows, NULL: all 1 */
    cn__scores scores;     /* the caller leaves options, divisor and seen alone */
    double share;          /* what every gradient is multiplied by, besides the weights; set inside */
} cn__measuring;

/* Fills row_loss and the gradient. Returns the sum of weight x row_loss; that over *divisor is the batch's loss. */
double cn__measure_loss(cn__measuring *measuring, double *divisor);

#endif
