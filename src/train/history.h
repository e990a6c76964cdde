#ifndef CN_TRAIN_HISTORY_H
#define CN_TRAIN_HISTORY_H

#include <cornu/callback.h>

/* An empty history. NULL with CN_ENOMEM. */
cn_history *cn__history_create(void);
void cn__history_destroy(cn_history **history);

/* Appends one epoch. Names new to the history are taken on, with NaN for the epochs before. Error: CN_ENOMEM. */
int cn__history_add(cn_history *history, int epoch, const cn_logs *logs);

#endif
