/* Very sparse inputs, as rivals/sparse_contract.py has them: 10,240 rows of 10,000 numbers, 100 of them one and the
 * rest zero, through hidden layers of relu to 10 classes, RMSprop.
 *
 *   job_sparse [--width 512] [--depth 1] [--batch-size 128] [--epochs 5] [--threads 2]
 *              [--precision float32|bfloat16] [--isa ISA] [--input float32|uint8] [--repeats 5]
 *
 * dense_rows_seconds (with SGD: dense_rows_sgd_seconds) is an epoch, its share of a fit of so many: fit is given the
 * dense rows and has to find the ones itself. */
#include "job.h"

enum { INPUTS = 10000, ONES = 100, ROWS = 10240 };

/* 15 bits a call of a linear congruential generator: good enough to scatter ones. */
static int random_below(int limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % (uint32_t)limit);
}

static cn_tensor *multi_hot_rows(void)
{
    cn_tensor *x = cn_zeros(CN_UINT8, ROWS, INPUTS);
    uint8_t *row = cn_data(x);
    for (int r = 0; x && r < ROWS; r++, row += INPUTS) {
        for (int ones = 0; ones < ONES;) {
            uint8_t *place = row + random_below(INPUTS);
            ones += !*place;
            *place = 1;
        }
    }
    return x;
}

static int time_epochs(const job_options *o, const cn_tensor *x, const cn_tensor *y, cn_optimizer *optimizer,
                       double *seconds)
{
    cn_model *network = job_network(o, INPUTS);
    CN_CHECK(cn_compile(network, .optimizer = optimizer, .loss = "sparse_categorical_crossentropy"));
    for (long i = -1; i < o->repeats; i++) {
        double start = cn_clock();
        CN_CHECK(cn_fit(network, x, y, .epochs = (int)o->epochs, .batch_size = o->batch_size));
        if (i >= 0) seconds[i] = (cn_clock() - start) / (double)o->epochs;
    }
    cn_model_destroy(&network);
    return 0;
}

int main(int argc, char **argv)
{
    double seconds[JOB_MAX_REPEATS], sgd_seconds[JOB_MAX_REPEATS];
    job_options o = {JOB_DEFAULTS, .input = "float32"};
    if (job_parse(argc, argv, &o)) return 2;

    cn_tensor *bytes = multi_hot_rows(), *y = cn_zeros(CN_INT32, ROWS);
    cn_tensor *x = strcmp(o.input, "float32") ? bytes : cn_astype(bytes, CN_FLOAT32);
    if (!x || !y) {
        fprintf(stderr, "%s\n", cn_error_message());
        return 1;
    }
    for (int r = 0; r < ROWS; r++) ((int32_t *)cn_data(y))[r] = random_below(JOB_CLASSES);
    if (time_epochs(&o, x, y, cn_rmsprop(.learning_rate = 0.001), seconds)) return 1;
    if (time_epochs(&o, x, y, cn_sgd(.learning_rate = 0.01), sgd_seconds)) return 1;
    printf("{\"steps\": %ld, \"input\": \"%s\", ", (ROWS + o.batch_size - 1) / o.batch_size, o.input);
    job_print_list("dense_rows_seconds", seconds, o.repeats);
    job_print_list("dense_rows_sgd_seconds", sgd_seconds, o.repeats);
    cn_model *network = job_network(&o, INPUTS); /* says with what all this was done */
    job_print_end("cornu", network);
    cn_model_destroy(&network);
    if (x != bytes) cn_tensor_destroy(&x);
    cn_tensor_destroy(&bytes);
    cn_tensor_destroy(&y);
    return 0;
}
