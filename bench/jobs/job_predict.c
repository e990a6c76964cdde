/* Prediction with the main job's network, as rivals/predict_contract.py has it: random weights, float32 rows in memory.
 *
 *   job_predict [--data FOLDER] [--threads 2] [--precision float32|bfloat16] [--isa ISA] [--batch-size 1000]
 *               [--repeats 5]
 *
 * One image: the median of 5,000 calls of cn_predict_into, each with another image. 10,000 images: cn_predict. */
#include "job.h"

enum { SINGLE_IMAGES = 5000 };

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static int one_image(cn_model *network, const float *images, int64_t n, double *microseconds)
{
    static double samples[SINGLE_IMAGES];
    float probabilities[JOB_CLASSES];
    for (int i = -SINGLE_IMAGES / 10; i < SINGLE_IMAGES; i++) {
        const float *image = images + ((i + n) % n) * JOB_INPUTS;
        double start = cn_clock();
        CN_CHECK(cn_predict_into(network, 1, image, probabilities));
        if (i >= 0) samples[i] = (cn_clock() - start) * 1e6;
    }
    qsort(samples, SINGLE_IMAGES, sizeof samples[0], ascending);
    *microseconds = samples[SINGLE_IMAGES / 2];
    return 0;
}

int main(int argc, char **argv)
{
    double seconds[JOB_MAX_REPEATS], microseconds;
    job_options o = {JOB_DEFAULTS, .input = "float32", .batch_size = 1000};
    if (job_parse(argc, argv, &o)) return 2;

    cn_dataset mnist;
    CN_CHECK(cn_dataset_load(&mnist, "mnist", .path = o.data, .download = 0));
    cn_tensor *x = job_rows(&o, mnist.test_images, 0);
    cn_model *network = job_network(&o, JOB_INPUTS);
    CN_CHECK(cn_compile(network, .loss = "categorical_crossentropy"));
    if (one_image(network, cn_data(x), cn_len(x), &microseconds)) return 1;
    for (long i = -1; i < o.repeats; i++) {
        double start = cn_clock();
        cn_tensor *probabilities = cn_predict(network, x, .batch_size = o.batch_size);
        double end = cn_clock();
        if (!probabilities) {
            fprintf(stderr, "%s\n", cn_error_message());
            return 1;
        }
        if (i >= 0) seconds[i] = end - start;
        cn_tensor_destroy(&probabilities);
    }
    printf("{\"one_image_microseconds\": %.3f, ", microseconds);
    job_print_list("ten_thousand_images_seconds", seconds, o.repeats);
    job_print_end("cornu", network);
    cn_model_destroy(&network);
    cn_tensor_destroy(&x);
    cn_dataset_destroy(&mnist);
    return 0;
}
