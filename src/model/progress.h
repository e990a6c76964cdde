/* Keras 3's progress output: a live bar on a terminal, one line an epoch elsewhere.
 * Source of the layout: keras/src/utils/progbar.py. */
#ifndef CN_MODEL_PROGRESS_H
#define CN_MODEL_PROGRESS_H

#include <cornu/callback.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cn__progress {
    FILE *stream;
    int mode;           /* 0 silent, 1 live bar, 2 line per epoch as Keras, 3 line per epoch where no terminal is */
    int64_t target;     /* steps */
    double started, after_first, last_drawn;
    int width;          /* of what was drawn last */
} cn__progress;

/* verbose 0, 1 or 2; stream NULL means stdout. */
void cn__progress_open(cn__progress *progress, int verbose, FILE *stream);

/* A new bar of `target` steps. epochs > 0: the line "Epoch epoch+1/epochs" first (Keras: only when epochs > 1). */
void cn__progress_begin(cn__progress *progress, int64_t target, int epoch, int epochs);

/* Shows that `done` steps are finished. Cheap when nothing is to be drawn: `wants` says whether it would be. */
int cn__progress_wants(cn__progress *progress, int64_t done);
void cn__progress_draw(cn__progress *progress, int64_t done, const cn_logs *logs);

/* The last redraw, at target/target, and a newline. */
void cn__progress_end(cn__progress *progress, const cn_logs *logs);

#endif
