/* Losses and metrics over other axes than the last one: rows of scores are moved so that these axes come last. */
#ifndef CN_MODEL_AXES_H
#define CN_MODEL_AXES_H

#include "train/loss.h"

/* The axes of an array of outputs, batch first. All zero: the last axis, nothing moves. */
typedef struct cn__axes {
    int moves;
    int ndim, n_kept;
    int order[CN__MOST_AXES];      /* the axes that stay, then those that make a row */
    int64_t shape[CN__MOST_AXES];  /* shape[0] is set for each batch */
    int across_samples;            /* axis 0 is part of a row */
} cn__axes;

/* Room that the caller has for moved scores: rows x columns numbers of the engine each; gradient may be NULL. */
typedef struct cn__axes_room {
    void *output, *target, *gradient;
    double *weights;
} cn__axes_room;

/* ndim and shape: of the outputs, batch first. all_are_plain: without any axis a row takes all of them (dice), else the
 * last one. Error: CN_EINVAL with `owner` (an axis that is not there, or given twice). */
int cn__axes_resolve(cn__axes *axes, const char *owner, const cn__axis_list *list, int all_are_plain, int ndim,
                     const int64_t *shape);

/* Axes that stay, without the first `skip` of them; returns how many. What labels are shaped like, with skip 1 one
 * sample's. */
int cn__axes_kept(const cn__axes *axes, int skip, int64_t shape[CN__MOST_AXES]);

/* The scores of `samples` samples moved into the room; labels are taken to be in order already. bytes: of a number. */
cn__scores cn__axes_move(const cn__axes *axes, const cn__scores *scores, int64_t samples, size_t bytes,
                         const cn__axes_room *room);
/* The gradient of moved scores back to where it belongs. */
void cn__axes_move_back(const cn__axes *axes, int64_t samples, size_t bytes, const void *moved, void *gradient);

#endif
