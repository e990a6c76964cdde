/* A usual convolutional network for MNIST, as rivals/cnn_contract.py describes it: one epoch of training and more.
 *
 *   job_cnn [--data DIR] [--epochs 1] [--batch-size 128] [--threads 2] [--precision float32|bfloat16] [--isa ISA]
 *           [--repeats 3] [--rows 60000] [--no-warm-up]
 *
 * fit_seconds has one number a repeat: `epochs` epochs from fresh weights; loading, a first step and the test are
 * outside. */
#include "job.h"

static cn_model *fresh_network(const job_options *o)
{
    cn_model *network = cn_sequential(.precision = job_precision(o), .isa = o->isa, .threads = (int)o->threads,
                                      .seed = (uint64_t)o->seed);
    cn_add(network, cn_conv2d(32, {3, 3}, .activation = "relu", .input_shape = {28, 28, 1}));
    cn_add(network, cn_conv2d(64, {3, 3}, .activation = "relu"));
    cn_add(network, cn_max_pooling2d({2, 2}));
    cn_add(network, cn_dropout(0.25));
    cn_add(network, cn_flatten());
    cn_add(network, cn_dense(128, .activation = "relu"));
    cn_add(network, cn_dropout(0.5));
    cn_add(network, cn_dense(JOB_CLASSES, .activation = "softmax"));
    if (cn_compile(network, .optimizer = cn_adam(.learning_rate = 0.001), .loss = "sparse_categorical_crossentropy",
                   .metrics = {"accuracy"}) < 0) {
        fprintf(stderr, "%s\n", cn_error_message());
        exit(1);
    }
    return network;
}

static cn_tensor *pictures(const job_options *o, const cn_tensor *images)
{
    cn_tensor *rows = job_rows(o, images, 0);
    return cn_reshape(rows, cn_len(rows), 28, 28, 1);
}

int main(int argc, char **argv)
{
    double seconds[JOB_MAX_REPEATS];
    job_options o = {JOB_DEFAULTS, .epochs = 1, .repeats = 3, .rows = 60000};
    cn_dataset mnist;
    cn_result test = {.samples = 0};
    if (job_parse(argc, argv, &o)) return 2;
    CN_CHECK(o.data ? cn_dataset_load(&mnist, o.data) : cn_mnist_load(&mnist));
    cn_tensor *x = cn_slice(pictures(&o, mnist.train_images), {0, o.rows}),
              *y = cn_slice(mnist.train_labels, {0, o.rows});
    cn_model *network = NULL;
    for (long i = 0; i < o.repeats; i++) {
        cn_model_destroy(&network);
        network = fresh_network(&o);
        double start = cn_clock();
        CN_CHECK(cn_fit(network, x, y, .epochs = (int)o.epochs, .batch_size = o.batch_size));
        seconds[i] = cn_clock() - start;
    }
    CN_CHECK(cn_evaluate(network, pictures(&o, mnist.test_images), mnist.test_labels, &test));
    printf("{\"test_accuracy\": %.4f, \"epochs\": %ld, ", test.accuracy, o.epochs);
    job_print_list("fit_seconds", seconds, o.repeats);
    job_print_end("cornu", network);
    cn_model_destroy(&network);
    cn_dataset_destroy(&mnist);
    return 0;
}
