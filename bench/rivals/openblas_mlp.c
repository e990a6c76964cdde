/* Rival: the main job as a plain C program on OpenBLAS.
 *
 *   gcc -O3 -march=native -ffast-math -fopenmp openblas_mlp.c -o openblas_mlp -lopenblas -lm
 *   openblas_mlp --data FOLDER [--epochs 5] [--batch-size 128] [--threads 2] [--repeats 5]
 *
 * Prints one JSON line, as contract.py describes. Options of the compiler that Cornu denies itself are allowed here: a
 * rival gets what makes it fast. Each OpenMP thread owns a share of the hidden units and calls OpenBLAS single-threaded
 * on it. OpenBLAS's own threads would fight with OpenMP's, and without OpenMP everything but the products is serial.
 */
#include <cblas.h>
#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { INPUTS = 784, HIDDEN = 512, CLASSES = 10, MAX_BATCH = 4096 };

static float kernel1[INPUTS * HIDDEN], slot1[INPUTS * HIDDEN], bias1[HIDDEN], slot_b1[HIDDEN];
static float kernel2[HIDDEN * CLASSES], slot2[HIDDEN * CLASSES], bias2[CLASSES], slot_b2[CLASSES];
static float gradient1[INPUTS * HIDDEN], gradient2[HIDDEN * CLASSES];
static float batch_x[MAX_BATCH * INPUTS], hidden[MAX_BATCH * HIDDEN], d_hidden[MAX_BATCH * HIDDEN];
static float d_logits[MAX_BATCH * CLASSES];
static int batch_label[MAX_BATCH];

void openblas_set_num_threads(int threads);
char *openblas_get_config(void);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Reads an IDX file, gzipped (by way of gzip) or not, past its header. */
static unsigned char *read_idx(const char *folder, const char *name, size_t header, size_t size)
{
    char command[2048];
    snprintf(command, sizeof command, "gzip -dcf '%s/%s' 2>/dev/null || gzip -dc '%s/%s.gz'", folder, name, folder,
             name);
    FILE *pipe = popen(command, "r");
    unsigned char *data = malloc(header + size);
    if (!pipe || !data || fread(data, 1, header + size, pipe) != header + size) {
        fprintf(stderr, "openblas_mlp: cannot read %s in %s\n", name, folder);
        exit(1);
    }
    pclose(pipe);
    memmove(data, data + header, size);
    return data;
}

static float *scaled(const unsigned char *pixels, size_t count)
{
    float *x = malloc(count * sizeof *x);
    if (!x) exit(1);
    for (size_t i = 0; i < count; i++) x[i] = (float)pixels[i] / 255.0f;
    return x;
}

static void glorot(float *kernel, int inputs, int units)
{
    float limit = sqrtf(6.0f / (float)(inputs + units));
    for (int i = 0; i < inputs * units; i++) kernel[i] = (2.0f * (float)rand() / (float)RAND_MAX - 1.0f) * limit;
}

static void initialise(void)
{
    glorot(kernel1, INPUTS, HIDDEN);
    glorot(kernel2, HIDDEN, CLASSES);
    memset(bias1, 0, sizeof bias1), memset(bias2, 0, sizeof bias2);
    memset(slot1, 0, sizeof slot1), memset(slot2, 0, sizeof slot2);
    memset(slot_b1, 0, sizeof slot_b1), memset(slot_b2, 0, sizeof slot_b2);
}

static void rmsprop(float *restrict w, float *restrict v, const float *restrict g, int count)
{
    for (int i = 0; i < count; i++) {
        v[i] = 0.9f * v[i] + 0.1f * g[i] * g[i];
        w[i] -= 0.001f * g[i] / sqrtf(v[i] + 1e-7f);
    }
}

/* Hidden units from `first` on, `count` of them, for all rows. */
static void forward_hidden(const float *x, int rows, int first, int count)
{
    for (int r = 0; r < rows; r++) memcpy(hidden + r * HIDDEN + first, bias1 + first, (size_t)count * sizeof(float));
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, count, INPUTS, 1, x, INPUTS, kernel1 + first, HIDDEN,
                1, hidden + first, HIDDEN);
    for (int r = 0; r < rows; r++)
        for (int j = first; j < first + count; j++) hidden[r * HIDDEN + j] = fmaxf(hidden[r * HIDDEN + j], 0);
}

/* Logits of rows first … first+count-1, into d_logits. */
static void forward_logits(int first, int count)
{
    for (int r = first; r < first + count; r++) memcpy(d_logits + r * CLASSES, bias2, sizeof bias2);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, CLASSES, HIDDEN, 1, hidden + first * HIDDEN, HIDDEN,
                kernel2, CLASSES, 1, d_logits + first * CLASSES, CLASSES);
}

static void softmax_gradient(int first, int count, int rows)
{
    for (int r = first; r < first + count; r++) {
        float *z = d_logits + r * CLASSES, largest = z[0], sum = 0;
        for (int c = 1; c < CLASSES; c++) largest = fmaxf(largest, z[c]);
        for (int c = 0; c < CLASSES; c++) sum += z[c] = expf(z[c] - largest);
        for (int c = 0; c < CLASSES; c++) z[c] = (z[c] / sum - (c == batch_label[r] ? 1.0f : 0.0f)) / (float)rows;
    }
}

static void backward_and_update(int rows, int first, int count)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, count, CLASSES, 1, d_logits, CLASSES,
                kernel2 + first * CLASSES, CLASSES, 0, d_hidden + first, HIDDEN);
    float gradient_b1[HIDDEN] = { 0 };
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < count; j++) {
            float *d = d_hidden + r * HIDDEN + first + j;
            *d = hidden[r * HIDDEN + first + j] > 0 ? *d : 0;
            gradient_b1[j] += *d;
        }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, INPUTS, count, rows, 1, batch_x, INPUTS, d_hidden + first,
                HIDDEN, 0, gradient1 + first, HIDDEN);
    for (int i = 0; i < INPUTS; i++)
        rmsprop(kernel1 + i * HIDDEN + first, slot1 + i * HIDDEN + first, gradient1 + i * HIDDEN + first, count);
    rmsprop(bias1 + first, slot_b1 + first, gradient_b1, count);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, count, CLASSES, rows, 1, hidden + first, HIDDEN, d_logits,
                CLASSES, 0, gradient2 + first * CLASSES, CLASSES);
    rmsprop(kernel2 + first * CLASSES, slot2 + first * CLASSES, gradient2 + first * CLASSES, count * CLASSES);
}

static void update_bias2(int rows)
{
    float gradient_b2[CLASSES] = { 0 };
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < CLASSES; c++) gradient_b2[c] += d_logits[r * CLASSES + c];
    rmsprop(bias2, slot_b2, gradient_b2, CLASSES);
}

static void shuffle(int *order, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int j = (int)((unsigned)rand() % (unsigned)(i + 1)), kept = order[i];
        order[i] = order[j], order[j] = kept;
    }
}

static void fit(const float *x, const unsigned char *labels, int *order, int samples, int epochs, int batch,
                int threads)
{
#pragma omp parallel num_threads(threads)
    {
        /* Slots of pixels without ink decay into subnormal numbers, which are slow: let the CPU take them as zero. */
        _mm_setcsr(_mm_getcsr() | 0x8040);
        int me = omp_get_thread_num(), all = omp_get_num_threads();
        int unit = HIDDEN * me / all, units = HIDDEN * (me + 1) / all - unit;
        for (int epoch = 0; epoch < epochs; epoch++) {
#pragma omp single
            shuffle(order, samples);
            for (int start = 0; start < samples; start += batch) {
                int rows = samples - start < batch ? samples - start : batch;
                int row = rows * me / all, my_rows = rows * (me + 1) / all - row;
                for (int r = row; r < row + my_rows; r++) {
                    memcpy(batch_x + r * INPUTS, x + (size_t)order[start + r] * INPUTS, INPUTS * sizeof(float));
                    batch_label[r] = labels[order[start + r]];
                }
#pragma omp barrier
                forward_hidden(batch_x, rows, unit, units);
#pragma omp barrier
                forward_logits(row, my_rows);
                softmax_gradient(row, my_rows, rows);
#pragma omp barrier
                backward_and_update(rows, unit, units);
                if (me == 0) update_bias2(rows);
#pragma omp barrier
            }
        }
    }
}

static double accuracy(const float *x, const unsigned char *labels, int samples)
{
    int right = 0;
    for (int start = 0; start < samples; start += 1000) {
        forward_hidden(x + (size_t)start * INPUTS, 1000, 0, HIDDEN);
        forward_logits(0, 1000);
        for (int r = 0; r < 1000; r++) {
            int best = 0;
            for (int c = 1; c < CLASSES; c++)
                if (d_logits[r * CLASSES + c] > d_logits[r * CLASSES + best]) best = c;
            right += best == labels[start + r];
        }
    }
    return (double)right / samples;
}

int main(int argc, char **argv)
{
    double began = now();
    const char *folder = "data/mnist";
    int epochs = 5, batch = 128, threads = 2, repeats = 5, samples = 60000, warm_up = 1;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--no-warm-up")) { warm_up = 0; continue; }
        if (i + 1 == argc) break;
        if (!strcmp(argv[i], "--data")) folder = argv[i + 1];
        if (!strcmp(argv[i], "--epochs")) epochs = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--batch-size")) batch = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--threads")) threads = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--repeats")) repeats = atoi(argv[i + 1]);
        i++;
    }
    if (batch < 1 || batch > MAX_BATCH || threads < 1 || epochs < 1 || repeats < 1) {
        fprintf(stderr, "openblas_mlp: batch size 1 … %d, the other numbers at least 1\n", MAX_BATCH);
        return 2;
    }
    if (getenv("OPENBLAS_CORETYPE")) { /* OpenBLAS read it when it was loaded: start again without it */
        unsetenv("OPENBLAS_CORETYPE");
        execv("/proc/self/exe", argv);
    }
    float *x = scaled(read_idx(folder, "train-images-idx3-ubyte", 16, 60000 * INPUTS), 60000 * INPUTS);
    unsigned char *labels = read_idx(folder, "train-labels-idx1-ubyte", 8, 60000);
    float *x_test = scaled(read_idx(folder, "t10k-images-idx3-ubyte", 16, 10000 * INPUTS), 10000 * INPUTS);
    unsigned char *labels_test = read_idx(folder, "t10k-labels-idx1-ubyte", 8, 10000);
    int *order = malloc((size_t)samples * sizeof *order);
    if (!order) return 1;
    for (int i = 0; i < samples; i++) order[i] = i;

    openblas_set_num_threads(1);
    srand((unsigned)time(NULL));
    initialise();
    if (warm_up) fit(x, labels, order, samples, 1, batch, threads);
    printf("{\"rival\": \"openblas_mlp\", \"fit_seconds\": [");
    for (int i = 0; i < repeats; i++) {
        initialise();
        double start = now();
        fit(x, labels, order, samples, epochs, batch, threads);
        printf("%s%.4f", i ? ", " : "", now() - start);
    }
    double right = accuracy(x_test, labels_test, 10000);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("], \"version\": \"%s\", \"threads\": %d, \"precision\": \"float32\", \"test_accuracy\": %.4f,"
           " \"total_seconds\": %.3f, \"peak_rss_bytes\": %ld}\n",
           openblas_get_config(), threads, right, now() - began, usage.ru_maxrss * 1024);
    return 0;
}
