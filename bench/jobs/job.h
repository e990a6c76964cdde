/* What the jobs share: their command line (the one of the rivals, see rivals/README.md), MNIST in memory, fresh
 * networks, and the parts of the one JSON line that each of them prints. */
#ifndef JOB_H
#define JOB_H

#include <cornu/cornu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOB_MAX_REPEATS = 1000, JOB_INPUTS = 784, JOB_CLASSES = 10 };

typedef struct job_options {
    const char *data;      /* folder with the four files; NULL: where cn_dataset_load looks */
    const char *precision; /* "float32" or "bfloat16", Keras's mixed_bfloat16 */
    const char *isa;       /* NULL: the best */
    const char *input;     /* "uint8" (with a lazy scale) or "float32" rows */
    long epochs, batch_size, threads, repeats;
    long rows;             /* of the training set; 0: all */
    long width, depth;     /* of the hidden layers */
    long seed;
    int warm_up;
} job_options;

#define JOB_DEFAULTS                                                                                                \
    .precision = "float32", .input = "uint8", .epochs = 5, .batch_size = 128, .threads = 2, .repeats = 5,           \
    .width = 512, .depth = 1, .warm_up = 1

/* 0, or 2 after one sentence on stderr. */
static inline int job_parse(int argc, char **argv, job_options *o)
{
    struct { const char *name; const char **text; long *number; long least, most; } known[] = {
        {"--data", &o->data, NULL, 0, 0},
        {"--precision", &o->precision, NULL, 0, 0},
        {"--isa", &o->isa, NULL, 0, 0},
        {"--input", &o->input, NULL, 0, 0},
        {"--epochs", NULL, &o->epochs, 1, 10000},
        {"--batch-size", NULL, &o->batch_size, 1, 1000000},
        {"--threads", NULL, &o->threads, 0, 1024},
        {"--repeats", NULL, &o->repeats, 1, JOB_MAX_REPEATS},
        {"--rows", NULL, &o->rows, 0, 60000},
        {"--width", NULL, &o->width, 1, 1000000},
        {"--depth", NULL, &o->depth, 1, 1000},
        {"--seed", NULL, &o->seed, 0, 1000000000},
    };
    enum { N_KNOWN = sizeof known / sizeof known[0] };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--no-warm-up")) {
            o->warm_up = 0;
            continue;
        }
        int k = 0;
        while (k < N_KNOWN && strcmp(argv[i], known[k].name)) k++;
        if (k == N_KNOWN || i + 1 == argc) {
            fprintf(stderr, "%s: %s %s\n", argv[0], argv[i], k == N_KNOWN ? "is not an option" : "needs a value");
            return 2;
        }
        const char *value = argv[++i];
        if (known[k].text) {
            *known[k].text = value;
            continue;
        }
        char *end;
        *known[k].number = strtol(value, &end, 10);
        if (end == value || *end || *known[k].number < known[k].least || *known[k].number > known[k].most) {
            fprintf(stderr, "%s: %s takes %ld ... %ld, not %s\n", argv[0], known[k].name, known[k].least, known[k].most,
                    value);
            return 2;
        }
    }
    return 0;
}

static inline const char *job_precision(const job_options *o)
{
    return strcmp(o->precision, "bfloat16") ? o->precision : "mixed_bfloat16";
}

/* Images as rows of 784 numbers in 0 ... 1, at most `rows` of them; they belong to `images`, except that float32 rows
 * live until the process ends. */
static inline cn_tensor *job_rows(const job_options *o, const cn_tensor *images, long rows)
{
    int64_t n = rows && rows < cn_len(images) ? rows : cn_len(images);
    cn_tensor *x = cn_scale(cn_reshape(cn_slice(images, {0, n, 1}), n, JOB_INPUTS), 1.0 / 255);
    return strcmp(o->input, "float32") ? x : cn_astype(x, CN_FLOAT32);
}

static inline cn_model *job_network(const job_options *o, int64_t inputs)
{
    cn_model *network = cn_sequential(.precision = job_precision(o), .isa = o->isa, .threads = (int)o->threads,
                                      .seed = (uint64_t)o->seed);
    cn_add(network, cn_dense(o->width, .activation = "relu", .input_shape = {inputs}));
    for (long i = 1; i < o->depth; i++) cn_add(network, cn_dense(o->width, .activation = "relu"));
    cn_add(network, cn_dense(JOB_CLASSES, .activation = "softmax"));
    return network;
}

/* Floating-point operations that dense arithmetic needs for one sample: forward and weight gradient of every layer,
 * input gradient of all but the first. */
static inline double job_work(const job_options *o, int64_t inputs)
{
    double w = (double)o->width;
    return 4 * (double)inputs * w + 6 * (double)(o->depth - 1) * w * w + 6 * w * JOB_CLASSES;
}

static inline void job_print_list(const char *key, const double *values, long n)
{
    printf("\"%s\": [", key);
    for (long i = 0; i < n; i++) printf("%s%.9g", i ? ", " : "", values[i]);
    printf("], ");
}

/* The end of the line: what ran, and how much memory it had. */
static inline void job_print_end(const char *job, const cn_model *network)
{
    cn_system machine;
    cn_system_get(&machine);
    printf("\"rival\": \"%s\", \"version\": \"cornu %s\", \"threads\": %d, \"isa\": \"%s\", \"precision\": \"%s\","
           " \"peak_rss_bytes\": %lld}\n",
           job, machine.version, cn_model_threads(network), cn_model_isa(network), cn_model_precision(network),
           (long long)cn_peak_rss_bytes());
}

#endif
