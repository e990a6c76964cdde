/* Dense work: one training step of a network of wide relu layers on inputs without zeros, as rivals/mlp_pytorch.py.
 *
 *   job_mlp [--width 4096] [--depth 4] [--batch-size 128] [--threads 2] [--precision float32|bfloat16] [--isa ISA]
 *           [--repeats 5]
 *
 * The input is as wide as the layers; ten outputs; RMSprop. */
#include "job.h"

int main(int argc, char **argv)
{
    double seconds[JOB_MAX_REPEATS];
    job_options o = {JOB_DEFAULTS, .width = 4096, .depth = 4};
    if (job_parse(argc, argv, &o)) return 2;

    cn_tensor *x = cn_zeros(CN_FLOAT32, o.batch_size, o.width), *y = cn_zeros(CN_INT32, o.batch_size);
    if (!x || !y) {
        fprintf(stderr, "%s\n", cn_error_message());
        return 1;
    }
    uint32_t state = 1;
    for (int64_t i = 0; i < cn_size(x); i++) {
        state = state * 1664525u + 1013904223u;
        ((float *)cn_data(x))[i] = (float)((state >> 8) + 1) / 16777216.0f;
    }
    for (int64_t i = 0; i < cn_size(y); i++) ((int32_t *)cn_data(y))[i] = (int32_t)(i % JOB_CLASSES);
    cn_model *network = job_network(&o, o.width);
    CN_CHECK(cn_compile(network, .optimizer = cn_rmsprop(.learning_rate = 0.001),
                        .loss = "sparse_categorical_crossentropy"));
    for (long i = -2; i < o.repeats; i++) { /* two for warming up, as the rival does */
        double start = cn_clock();
        CN_CHECK(cn_train_step(network, x, y, NULL));
        if (i >= 0) seconds[i] = cn_clock() - start;
    }
    printf("{\"batch_size\": %ld, \"work_flop\": %.9g, ", o.batch_size, job_work(&o, o.width) * (double)o.batch_size);
    job_print_list("step_seconds", seconds, o.repeats);
    job_print_end("cornu", network);
    cn_model_destroy(&network);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return 0;
}
