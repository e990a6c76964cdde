/* File names with places to fill, in the form of Python's str.format: "{epoch:02d}-{val_loss:.4f}". */
#ifndef CN_MODEL_PATH_PATTERN_H
#define CN_MODEL_PATH_PATTERN_H

#include <cornu/callback.h>

/* Fills {epoch} and {batch} (whole numbers; a batch of 0 is not offered) and names of the logs. A format is
 * [0][width][.digits][d|e|f|g|E|G]; without one a number has its shortest digits. {{ and }} are brackets. logs NULL:
 * only checks how the pattern is written. Errors: CN_EINVAL (a bracket too many, an unknown format, a result of `size`
 * bytes or more), CN_ENAME (a name that is not in the logs); the sentence quotes the pattern. */
int cn__path_pattern_fill(const char *pattern, int64_t epoch, int64_t batch, const cn_logs *logs, char *text,
                          size_t size);

#endif
