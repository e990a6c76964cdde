/* Start: seconds until all of MNIST, from the gzipped files, is ready as tensors, in a process that has just started.
 *
 *   job_load [--data FOLDER] */
#include "job.h"

int main(int argc, char **argv)
{
    job_options o = {JOB_DEFAULTS};
    if (job_parse(argc, argv, &o)) return 2;
    cn_dataset mnist;
    double start = cn_clock();
    CN_CHECK(cn_dataset_load(&mnist, "mnist", .path = o.data, .download = 0));
    double seconds = cn_clock() - start;
    printf("{\"load_seconds\": %.6f, \"rival\": \"cornu\", \"peak_rss_bytes\": %lld}\n", seconds,
           (long long)cn_peak_rss_bytes());
    cn_dataset_destroy(&mnist);
    return 0;
}
