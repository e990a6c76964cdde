/* Weights of classes as they are written on a command line: "0:2,7:0.5". */
#ifndef CLI_CLASS_WEIGHT_H
#define CLI_CLASS_WEIGHT_H

#include <cornu/tensor.h>

/* One weight for each class, 1 where the list has none; you destroy *weights, which is NULL for a list that is NULL.
 * Returns an exit status. */
int class_weight_read(const char *list, int n_classes, cn_tensor **weights);

#endif
