/* Ctrl-C: the first one asks training to end after the current batch, the second one ends the process at once. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <cornu/callback.h>

/* Starts listening, and returns the callback that ends fit; static storage. */
const cn_callback *interrupt_callback(void);

/* 1 if Ctrl-C has been pressed. */
int interrupt_seen(void);

/* Between these two, signals wait: a file that is being written is finished and renamed first. */
void interrupt_hold(void);
void interrupt_release(void);

#endif
