/* Model files: a model that is accepted can be described, can predict and, if it is compiled, can take a step. */
#include "fuzz.h"

#define MOST_NUMBERS 4096 /* of a sample: more take long */

static cn_model *load(const uint8_t *bytes, size_t size)
{
    const fuzz_file file = fuzz_file_open();
    fuzz_file_add_model(&file, bytes, size);
    cn_model *model = cn_model_load(file.path, .threads = 1);
    expect_sentence(!model);
    fuzz_file_close(&file);
    return model;
}

/* Two samples of zeros; NULL where they would be large. */
static cn_tensor *samples_of(const int64_t *shape, int ndim)
{
    int64_t sizes[CN_MAX_NDIM] = {2}, numbers = 1;
    if (ndim + 1 > CN_MAX_NDIM) return NULL;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] > MOST_NUMBERS || (numbers *= shape[i]) > MOST_NUMBERS) return NULL;
        sizes[i + 1] = shape[i];
    }
    return cn_tensor_create(CN_FLOAT32, ndim + 1, sizes);
}

static void use(cn_model *model)
{
    int ndim;
    const int64_t *shape = cn_model_input_shape(model, &ndim);
    cn_tensor *x = samples_of(shape, ndim);
    shape = cn_model_output_shape(model, &ndim);
    cn_tensor *y = samples_of(shape, ndim);
    char *summary = cn_model_summary(model, 0);
    expect_sentence(!summary);
    cn_string_free(summary);
    if (x && y) {
        cn_tensor *outputs = cn_predict(model, x);
        expect_sentence(!outputs);
        cn_tensor_destroy(&outputs);
        if (cn_model_loss(model)) expect_sentence(cn_train_step(model, x, y, NULL) < 0);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    cn_model *model = load(bytes, size);
    if (model) use(model);
    cn_model_destroy(&model);
    return 0;
}
