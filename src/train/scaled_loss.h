/* What the loss is multiplied by, so that small gradients do not become 0 on their way. */
#ifndef CN_TRAIN_SCALED_LOSS_H
#define CN_TRAIN_SCALED_LOSS_H

#include "train/optimizer.h"

/* State of a LossScaleOptimizer. */
typedef struct cn__loss_scale {
    double scale;   /* 0 before the first step */
    int64_t finite; /* steps since the scale last changed, all with finite gradients */
} cn__loss_scale;

/* 1 if the optimizer's loss is scaled at all. */
int cn__loss_is_scaled(const cn_optimizer *optimizer);

/* The factor for the next step: 1 where nothing is scaled. */
double cn__loss_scale_now(const cn_optimizer *optimizer, const cn__loss_scale *state);

/* 1 if steps whose gradients are not finite are left out. */
int cn__loss_scale_moves(const cn_optimizer *optimizer);

/* After a step, or in place of one (finite 0): halves the scale, or doubles it after dynamic_growth_steps in a row. */
void cn__loss_scale_note(const cn_optimizer *optimizer, cn__loss_scale *state, int finite);

/* Its arguments as text, and their table. */
typedef struct cn__loss_scale_text {
    const char *inner_optimizer;
    cn_loss_scale_options numbers;
} cn__loss_scale_text;

typedef struct cn__loss_scale_class {
    const char *name; /* "LossScaleOptimizer" */
    const cn__field *fields;
    int n_fields;
    cn__loss_scale_text defaults;
} cn__loss_scale_class;
extern const cn__loss_scale_class cn__loss_scale_optimizer;

#endif
