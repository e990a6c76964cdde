/* The callbacks of `cornu train`, from its options. */
#ifndef CLI_TRAIN_CALLBACKS_H
#define CLI_TRAIN_CALLBACKS_H

#include "train_report.h"

/* Looks at options that need each other and at files that will be written, before any work is done. STATUS_OK, or the
 * exit status when the sentence has been written. */
int train_callbacks_check(const struct train_options *given);

/* Fills the list of a cn_fit_options, which cn_fit takes over. What is wrong with an argument, cn_fit will say. */
void train_callbacks_make(const struct train_options *given, int verbose, const cn_callback *list[CN_MAX_CALLBACKS]);

#endif
