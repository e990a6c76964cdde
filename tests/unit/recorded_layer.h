/* A layer of pictures against the values that record_convolutions.py and record_channels_first.py wrote down. Include
 * cmocka.h first. */
#ifndef TESTS_RECORDED_LAYER_H
#define TESTS_RECORDED_LAYER_H

#include "base/memory.h"
#include "engines.h"
#include "parity.h"

enum { BATCH = 2, ROOM = 2048 };

typedef struct recorded_layer {
    const char *name, *text;
    int64_t shape[3];
    int ndim; /* 0: 3 */
} recorded_layer;

/* The same rules as in these scripts. */
static inline float number(int64_t i, int64_t factor, int64_t modulus, int ties)
{
    int64_t value = (i * factor + 3) % modulus;
    return (float)((double)(ties ? value % 3 : value - modulus / 2) / 10);
}

static inline void fill(float *out, int64_t n, int64_t factor, int64_t modulus, int ties)
{
    for (int64_t i = 0; i < n; i++) out[i] = number(i, factor, modulus, ties);
}

/* Largest distance from the recorded values; infinite when their number differs. */
static inline double distance(const char *file, const char *name, const char *part, int64_t n, const float *values,
                              int64_t columns, int64_t stride)
{
    static double recorded[ROOM];
    char key[64];
    double worst = 0;
    snprintf(key, sizeof key, "%s.%s", name, part);
    if (parity_numbers(file, key, recorded, ROOM) != n) return INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double off = fabs((double)values[i / columns * stride + i % columns] - recorded[i]);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

/* Outputs and gradients of a layer against `file`: the largest distance. math NULL: the engine's own. */
static inline double check_layer(const char *file, const recorded_layer *recorded, const cn__layer_math *math,
                                 const cn__engine *engine, int threads)
{
    static float x[ROOM], y[ROOM], dy[ROOM], dx[ROOM], workspace[2 * ROOM], weight[2][ROOM], gradient[2][ROOM];
    const char *name = recorded->name;
    int64_t weight_rules[2][2] = {{5, 17}, {2, 5}};
    void *weights[] = {weight[0], weight[1]};
    cn__sink sinks[2] = {{.gradient = gradient[0]}, {.gradient = gradient[1]}};
    cn_layer *layer = cn_layer_from_text(recorded->text);
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, recorded->ndim ? recorded->ndim : 3, recorded->shape), CN_OK);
    assert_true(BATCH * layer->workspace_size <= 2 * ROOM);
    cn__pool *pool = cn__pool_create(threads);
    for (int i = 0; i < layer->n_weights; i++) {
        const cn__weight *w = &layer->weights[i];
        sinks[i].stride = w->stride;
        for (int64_t r = 0; r < w->rows; r++)
            for (int64_t c = 0; c < w->columns; c++)
                weight[i][r * w->stride + c] = number(r * w->columns + c, weight_rules[i][0], weight_rules[i][1], 0);
    }
    fill(x, BATCH * layer->input_size, 7, 23, strstr(name, "ties") != NULL);
    fill(dy, BATCH * layer->output_size, 3, 13, 0);
    float *memory = cn__alloc((size_t)(layer->shared_size + threads * cn__thread_stride(layer->thread_size)) + 1, 4,
                             "a test");
    cn__pass pass = {.layer = layer, .pool = pool, .batch = BATCH, .training = 1, .x = x, .y = y, .dy = dy, .dx = dx,
                     .workspace = workspace, .shared_memory = memory, .thread_memory = memory + layer->shared_size,
                     .weights = weights, .sinks = sinks};
    if (!math) math = engine->layers[cn__layer_index(layer)];
    math->forward(&pass);
    double worst = distance(file, name, "y", BATCH * layer->output_size, y, ROOM, ROOM);
    math->backward(&pass);
    worst = fmax(worst, distance(file, name, "dx", BATCH * layer->input_size, dx, ROOM, ROOM));
    for (int i = 0; i < layer->n_weights; i++) {
        const cn__weight *w = &layer->weights[i];
        worst = fmax(worst, distance(file, name, w->name, w->rows * w->columns, gradient[i], w->columns, w->stride));
    }
    cn__free(memory);
    cn__pool_destroy(&pool);
    cn_layer_destroy(&layer);
    return worst;
}

#endif
