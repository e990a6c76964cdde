/* The main job: 784 -> 512 relu -> 10 softmax, RMSprop, categorical cross-entropy, on MNIST.
 *
 *   job_main [--data FOLDER] [--epochs 5] [--batch-size 128] [--threads 2] [--precision float32|bfloat16] [--isa ISA]
 *            [--input uint8|float32] [--rows N] [--repeats 5] [--no-warm-up] [--seed 0]
 *
 * Prints one JSON line with the keys of rivals/README.md, and weights_sha256. Every repeat starts from the same fresh
 * weights; only fit is inside the clock. */
#include "job.h"

static int compile(cn_model *network)
{
    return cn_compile(network, .optimizer = cn_rmsprop(.learning_rate = 0.001), .loss = "categorical_crossentropy",
                      .metrics = {"accuracy"});
}

int main(int argc, char **argv)
{
    double began = cn_clock(), seconds[JOB_MAX_REPEATS];
    job_options o = {JOB_DEFAULTS};
    if (job_parse(argc, argv, &o)) return 2;

    cn_dataset mnist;
    CN_CHECK(cn_dataset_load(&mnist, "mnist", .path = o.data, .download = 0));
    double loaded = cn_clock() - began;
    cn_tensor *x = job_rows(&o, mnist.train_images, o.rows), *x_test = job_rows(&o, mnist.test_images, 0);
    cn_tensor *y = cn_to_categorical(cn_slice(mnist.train_labels, {0, cn_len(x), 1}), JOB_CLASSES);
    cn_tensor *y_test = cn_to_categorical(mnist.test_labels, JOB_CLASSES);

    cn_model *network = NULL;
    for (long i = o.warm_up ? -1 : 0; i < o.repeats; i++) {
        cn_model_destroy(&network);
        network = job_network(&o, JOB_INPUTS);
        CN_CHECK(compile(network));
        double start = cn_clock();
        CN_CHECK(cn_fit(network, x, y, .epochs = i < 0 ? 1 : (int)o.epochs, .batch_size = o.batch_size));
        if (i >= 0) seconds[i] = cn_clock() - start;
    }
    cn_result test;
    CN_CHECK(cn_evaluate(network, x_test, y_test, &test, .batch_size = 1000));
    char digest[65];
    CN_CHECK(cn_model_weights_sha256(network, digest));

    printf("{");
    job_print_list("fit_seconds", seconds, o.repeats);
    printf("\"load_seconds\": %.6f, \"test_accuracy\": %.4f, \"total_seconds\": %.4f, \"weights_sha256\": \"%s\", ",
           loaded, test.accuracy, cn_clock() - began, digest);
    job_print_end("cornu", network);
    cn_model_destroy(&network);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&y_test);
    cn_dataset_destroy(&mnist);
    return 0;
}
