/* A small network and data for tests of what fit does around the numbers. */
#ifndef CN_TEST_SMALL_MODEL_H
#define CN_TEST_SMALL_MODEL_H

#include <cornu/model.h>

enum { SMALL_INPUTS = 4, SMALL_CLASSES = 3 };

static inline cn_model *small_model(void)
{
    cn_model *model = cn_sequential(.threads = 2, .seed = 3);
    cn_add(model, cn_dense(5, .activation = "relu", .input_shape = {SMALL_INPUTS}));
    cn_add(model, cn_dense(SMALL_CLASSES, .activation = "softmax"));
    return model;
}

static inline int small_compile(cn_model *model)
{
    return cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"});
}

/* n rows of float32 and their labels. */
static inline cn_tensor *small_x(int64_t n)
{
    cn_tensor *x = cn_zeros(CN_FLOAT32, n, SMALL_INPUTS);
    for (int64_t i = 0; x && i < cn_size(x); i++) ((float *)cn_data(x))[i] = (float)(i * 7 % 11) / 10;
    return x;
}

static inline cn_tensor *small_y(int64_t n)
{
    cn_tensor *y = cn_zeros(CN_UINT8, n);
    for (int64_t i = 0; y && i < n; i++) ((uint8_t *)cn_data(y))[i] = (uint8_t)(5 * i % SMALL_CLASSES);
    return y;
}

#endif
