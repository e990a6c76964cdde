/* A shortened main job, for machines that are emulated: prints one digest of the weights for each of four trainings.
 *   short_job ISA        run.sh compares what two machines print */
#include <cornu/cornu.h>
#include <stdio.h>

typedef struct training {
    const char *name;
    int64_t samples, units;
    const char *activation, *optimizer;
    int whole_numbers; /* 1: bytes with a scale, mostly zero (exact sums); 0: their float32 negatives plus one */
    int threads;
} training;

static const training trainings[] = {
    {"bytes, summed exactly, rmsprop", 2000, 128, "relu", "rmsprop", 1, 2},
    {"bytes, summed exactly, adam", 400, 72, "tanh", "adam", 1, 3},
    {"dense products, rmsprop", 300, 100, "sigmoid", "rmsprop", 0, 2},
    {"dense products, sgd", 200, 33, "relu", "sgd(0.1, momentum=0.9, nesterov=true)", 0, 1},
};

/* Inputs without zeros: 1 - x for each pixel in 0 ... 254. */
static cn_tensor *without_zeros(const cn_tensor *images)
{
    cn_tensor *x = cn_astype(images, CN_FLOAT32);
    float *numbers = x ? cn_data(x) : NULL;
    for (int64_t i = 0; x && i < cn_size(x); i++) numbers[i] = 1 - numbers[i] * 0.99f;
    return x;
}

static int train(const training *t, const cn_dataset *data, const char *isa)
{
    char digest[65];
    cn_tensor *bytes = cn_scale(cn_reshape(cn_slice(data->train_images, {0, t->samples}), -1, 784), 1.0 / 255);
    cn_tensor *numbers = t->whole_numbers ? NULL : without_zeros(bytes);
    cn_tensor *labels = cn_to_categorical(cn_slice(data->train_labels, {0, t->samples}), 10);
    cn_model *model = cn_sequential(.isa = isa, .threads = t->threads, .seed = 7);
    cn_add(model, cn_dense(t->units, .activation = t->activation, .input_shape = {784}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    int status = cn_compile(model, .loss = "categorical_crossentropy", .optimizer_name = t->optimizer);
    if (status == CN_OK) status = cn_fit(model, numbers ? numbers : bytes, labels, .batch_size = 128);
    if (status == CN_OK) status = cn_model_weights_sha256(model, digest);
    if (status == CN_OK) printf("%-28s %s\n", t->name, digest);
    cn_model_destroy(&model);
    cn_tensor_destroy(&labels);
    cn_tensor_destroy(&numbers);
    return status;
}

int main(int argc, char **argv)
{
    cn_dataset data;
    if (argc != 2) return fprintf(stderr, "usage: short_job ISA\n"), 2;
    int status = cn_dataset_load(&data, "mnist", .download = 0);
    for (size_t i = 0; status == CN_OK && i < sizeof trainings / sizeof *trainings; i++)
        status = train(&trainings[i], &data, argv[1]);
    if (status != CN_OK) fprintf(stderr, "short_job: %s\n", cn_error_message());
    cn_dataset_destroy(&data);
    return status != CN_OK;
}
