/* How the main job grows: seconds of an epoch for any width, batch size, depth and number of threads.
 *
 *   job_growth [--width 512] [--depth 1] [--batch-size 128] [--threads 2] [--data FOLDER] [--precision P] [--isa ISA]
 *              [--repeats 5] [--rows N]
 *
 * What would take long is measured on fewer rows and scaled up: as many as fit into about a quarter of a second, but at
 * least 32 batches (or all rows), so that what fit does once weighs little. `work_flop` is the dense arithmetic of
 * an epoch. */
#include "job.h"

#define SAMPLE_SECONDS 0.25
enum { TRAINING_ROWS = 60000, LEAST_BATCHES = 32 };

static int epoch(const job_options *o, cn_model *network, const cn_tensor *x, const cn_tensor *y, int64_t rows,
                 double *seconds)
{
    cn_tensor *some_x = cn_slice(x, {0, rows, 1}), *some_y = cn_slice(y, {0, rows, 1});
    double start = cn_clock();
    CN_CHECK(cn_fit(network, some_x, some_y, .epochs = 1, .batch_size = o->batch_size));
    *seconds = (cn_clock() - start) * TRAINING_ROWS / (double)rows;
    cn_tensor_destroy(&some_x);
    cn_tensor_destroy(&some_y);
    return 0;
}

/* The number of rows, whole batches, that take about SAMPLE_SECONDS when an epoch takes `seconds`. */
static int64_t rows_worth_a_sample(const job_options *o, double seconds)
{
    double rows = TRAINING_ROWS * SAMPLE_SECONDS / seconds;
    int64_t batches = (int64_t)(rows / (double)o->batch_size);
    int64_t whole = (batches < LEAST_BATCHES ? LEAST_BATCHES : batches) * o->batch_size;
    return whole > TRAINING_ROWS ? TRAINING_ROWS : whole;
}

int main(int argc, char **argv)
{
    double seconds[JOB_MAX_REPEATS], first;
    job_options o = {JOB_DEFAULTS};
    if (job_parse(argc, argv, &o)) return 2;

    cn_dataset mnist;
    CN_CHECK(cn_dataset_load(&mnist, "mnist", .path = o.data, .download = 0));
    cn_tensor *x = job_rows(&o, mnist.train_images, 0), *y = cn_to_categorical(mnist.train_labels, JOB_CLASSES);
    cn_model *network = job_network(&o, JOB_INPUTS);
    CN_CHECK(cn_compile(network, .optimizer = cn_rmsprop(.learning_rate = 0.001), .loss = "categorical_crossentropy"));

    int64_t rows = rows_worth_a_sample(&o, 1e9);
    if (epoch(&o, network, x, y, rows, &first)) return 1; /* memory is touched, threads are started */
    if (epoch(&o, network, x, y, rows, &first)) return 1;
    rows = o.rows ? o.rows : rows_worth_a_sample(&o, first);
    for (long i = 0; i < o.repeats; i++)
        if (epoch(&o, network, x, y, rows, &seconds[i])) return 1;

    printf("{\"width\": %ld, \"depth\": %ld, \"batch_size\": %ld, \"asked_threads\": %ld, \"rows\": %lld, "
           "\"work_flop\": %.9g, ",
           o.width, o.depth, o.batch_size, o.threads, (long long)rows, job_work(&o, JOB_INPUTS) * TRAINING_ROWS);
    job_print_list("epoch_seconds", seconds, o.repeats);
    job_print_end("cornu", network);
    cn_model_destroy(&network);
    cn_tensor_destroy(&y);
    cn_dataset_destroy(&mnist);
    return 0;
}
