/* Inputs and targets as fit, evaluate and predict need them: checked against the model, rows without gaps. */
#ifndef CN_MODEL_DATA_H
#define CN_MODEL_DATA_H

#include "kernels/gather.h"

#include <cornu/tensor.h>

typedef struct cn__data {
    int64_t rows;
    cn__source x, y;    /* y.data NULL: no targets, or labels */
    int32_t *labels;    /* one per row, for sparse losses; owned */
    cn_tensor *own_x, *own_y; /* copies that had to be made */
    int is_sparse;      /* most of x is zero and the first layer can use that */
} cn__data;

struct cn_model;

/* y NULL: inputs only. Errors: CN_ESHAPE, CN_EINVAL, CN_ENOMEM. */
int cn__data_open(const struct cn_model *model, const cn_tensor *x, const cn_tensor *y, cn__data *data);
void cn__data_close(cn__data *data);

#endif
