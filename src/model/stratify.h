/* Dividing rows into training and validation. */
#ifndef CN_MODEL_STRATIFY_H
#define CN_MODEL_STRATIFY_H

#include <stdint.h>

/* How many of n rows train: Keras's floor(n (1 - validation_split)) in double arithmetic, rounding included. Fails with
 * CN_EINVAL when nothing is left on one side. */
int64_t cn__rows_to_train(int64_t n, double validation_split);

/* Fills picks (n) with the rows that train, ascending, then with those that validate, ascending. Each class gives its
 * share to validation, rounded so that the whole count is Keras's (largest remainders; of equal ones the lower class);
 * which of its rows is drawn from the seed. classes: 0 and above. Returns how many train. Errors: CN_EINVAL,
 * CN_ENOMEM. */
int64_t cn__stratify(int64_t n, const int64_t *classes, double validation_split, uint64_t seed, uint32_t *picks);

#endif
