/* Inputs and targets as fit, evaluate and predict need them: checked against the model, rows without gaps. */
#ifndef CN_MODEL_DATA_H
#define CN_MODEL_DATA_H

#include "kernels/gather.h"

#include <cornu/tensor.h>

/* Whether the first layer may read x as bytes, and if not, the first reason found. */
typedef enum cn__listing {
    CN__LISTS,
    CN__LISTS_SEEN_ONCE, /* numbers that are no bytes, for one step: encoding them takes longer than it saves */
    CN__LISTS_FLOAT64,
    CN__LISTS_FIRST_LAYER,
    CN__LISTS_COLUMNS,
    CN__LISTS_INK,
    CN__LISTS_VALUES
} cn__listing;

typedef struct cn__data {
    int64_t rows;
    cn__source x, y;    /* y.data NULL: no targets, or labels */
    int32_t *labels;    /* y.columns per row, for sparse losses */
    int32_t *own_labels;
    double *weights;    /* what losses count, cn__weights_per_sample for each row; NULL: all 1 */
    double *own_weights;
    cn_tensor *own_x, *own_y; /* copies that had to be made */
    uint8_t *own_codes; /* x as bytes, where that had to be made */
    cn__sparse_rows *own_sparse; /* x as lists of its non-zeros, where they are very few */
    cn__frequent *own_frequent;  /* x as bytes, divided by columns */
    cn__listing listing;
    double ink;         /* share of the inputs that are not zero, of some looked at; -1: nobody looked */
    int as_tiles;       /* batches of bytes are made as tiles, not as lists; both give the same bits */
} cn__data;

struct cn_model;

/* y NULL: inputs only. Errors: CN_ESHAPE, CN_EINVAL, CN_ENOMEM. */
int cn__data_open(const struct cn_model *model, const cn_tensor *x, const cn_tensor *y, cn__data *data);
/* The same without cn__codes_find. */
int cn__data_open_as_given(const struct cn_model *model, const cn_tensor *x, const cn_tensor *y, cn__data *data);
/* The same for rows that are used in one training step and never again: prepares the plan for them and, from the second
 * time on, allocates nothing (unless a view has gaps and must be copied). */
int cn__data_open_once(struct cn_model *model, const cn_tensor *x, const cn_tensor *y, cn__data *data);
void cn__data_close(cn__data *data);

/* --- sample_weight.c --- */
/* The class of a row: its label, the place of its largest number, or its one number rounded. */
int64_t cn__data_class(const cn__data *data, int64_t row);
/* 1, or the rows of the output's last axis. */
int64_t cn__weights_per_sample(const struct cn_model *model);
/* Keeps the weights of the rows; either may be NULL, and so may both. sample_weight: (n,), (n, 1), or one for each row
 * of the output's last axis. class_weight: (classes,), the weight of each class; classes behind its end weigh 1.
 * Errors: CN_EINVAL (both given, negative numbers are fine but NaN is not), CN_ESHAPE, CN_ENOMEM. */
int cn__data_weigh(const struct cn_model *model, cn__data *data, const cn_tensor *sample_weight,
                   const cn_tensor *class_weight);
/* The same after cn__data_open_once: allocates nothing. */
int cn__data_weigh_once(const struct cn_model *model, cn__data *data, const cn_tensor *sample_weight,
                        const cn_tensor *class_weight);

/* The i-th stored number, scale not applied. */
double cn__number_at(const cn__source *source, int64_t i);

/* --- codes.c --- */
#define CN__LISTS_BELOW 0.4 /* inputs with a smaller share of non-zeros go as bytes */
#define CN__SPARSE_BELOW 0.05 /* with fewer, walking lists of them is faster than multiplying all by tiles */
/* Sets x.codes or x.sparse, and x.code_scale, if x holds bytes, or may be `encoded` as such, and the first layer sums
 * over them exactly (kernels/exact.h): it is a Dense, and x is mostly zero and consists of whole multiples, 0 to 255,
 * of one number.
 * Error: CN_ENOMEM. */
int cn__codes_find(const struct cn_model *model, cn__data *data, int encoded);
/* 1 if the model's batches of bytes can become tiles of this CPU; 0: lists. */
int cn__model_makes_tiles(const struct cn_model *model);
/* Its first part: sets listing, ink and as_tiles by a look at some of the numbers. CN__LISTS then means that they are
 * worth trying. */
void cn__codes_judge(const struct cn_model *model, cn__data *data, int encoded);
/* The scales to try are i = 0, 1, ... as long as this gives 1. Every number must be the float32 nearest to a whole
 * number, 0 to 255, times the scale: 1, those that people use for images, and the smallest number there is. */
int cn__codes_scale(const cn__source *x, int i, double *scale);

/* --- frequent.c --- */
/* Sets x.frequent where batches are made as tiles and fewer columns of tiles would do. Error: CN_ENOMEM. */
int cn__frequent_find(const struct cn_model *model, cn__data *data);
/* The same for rows that are read once and only forward: chooses the columns, from a look at some rows if there are
 * enough of them, and divides nothing. x holds codes or is float32. */
int cn__frequent_choose(const struct cn_model *model, cn__data *data);
void cn__frequent_free(cn__frequent *frequent);

/* --- sparse.c --- */
/* Sets x.sparse and x.code_scale if all numbers of x have codes on one of the scales. Error: CN_ENOMEM. */
int cn__sparse_find(const struct cn_model *model, cn__data *data, const double *scales, int n_scales);
void cn__sparse_free(cn__sparse_rows *rows);

#endif
