/* Activations that mix the numbers of a row, such as softmax, along other axes of a sample than the last. For each
 * sample the axes are brought behind the others, the activation works on rows, and what comes out is brought back. So
 * sums have the order that they have along the last axis; several axes are one long row, the last of them running
 * fastest. */
#ifndef CN_LAYERS_ALONG_AXES_H
#define CN_LAYERS_ALONG_AXES_H

#include "layers/engine_activation.h"
#include "layers/layer_parts.h"

/* How to walk through a sample so that the numbers of a row come one after the other. */
typedef struct cn__walk {
    int ndim;
    int64_t count[CN_MAX_NDIM], step[CN_MAX_NDIM];
    int64_t size, columns; /* of a row: the product of the axes */
} cn__walk;

static inline cn__walk cn__walk_of(const cn_layer *layer, const int64_t *shape)
{
    cn__walk w = {.ndim = layer->output_ndim, .size = 1, .columns = 1};
    int first = 0, behind = w.ndim - layer->n_along;
    int is_along[CN_MAX_NDIM] = {0};
    int64_t steps[CN_MAX_NDIM];
    for (int i = 0; i < layer->n_along; i++) is_along[layer->along[i]] = 1;
    for (int a = w.ndim - 1; a >= 0; a--) {
        steps[a] = w.size;
        w.size *= shape[a];
    }
    for (int a = 0; a < w.ndim; a++) {
        int place = is_along[a] ? behind++ : first++;
        w.count[place] = shape[a];
        w.step[place] = steps[a];
        if (is_along[a]) w.columns *= shape[a];
    }
    return w;
}

/* One sample into rows, or rows back into a sample. */
static inline void cn__walk_through(const cn__walk *w, const real *from, real *to, int back)
{
    int64_t index[CN_MAX_NDIM] = {0}, at = 0;
    for (int64_t i = 0; i < w->size; i++) {
        if (back) to[at] = from[i];
        else to[i] = from[at];
        for (int a = w->ndim - 1; a >= 0; a--) {
            at += w->step[a];
            if (++index[a] < w->count[a]) break;
            at -= w->step[a] * w->count[a];
            index[a] = 0;
        }
    }
}

/* The activation of the layer from z to y, and from dy to dz; all may be the same memory. z is NULL where the
 * activation's derivative does not need it. The shapes are those of one sample of z and of y. */
typedef struct cn__along {
    const cn__pass *pass;
    const int64_t *z_shape;
    const real *z;
    real *y, *dy, *dz;
} cn__along;

static inline real *cn__along_memory(const cn__along *s, int thread)
{
    return (real *)s->pass->thread_memory + thread * cn__thread_stride(s->pass->layer->thread_size);
}

static inline void cn__along_forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__along *s = context;
    const cn_layer *layer = s->pass->layer;
    cn__walk in = cn__walk_of(layer, s->z_shape), out = cn__walk_of(layer, layer->output_shape);
    real *z = cn__along_memory(s, thread), *y = z + in.size;
    for (int64_t b = begin; b < end; b++) {
        cn__walk_through(&in, s->z + b * in.size, z, 0);
        cn__activation_maths[layer->activation]->forward(&layer->activation_options, in.size / in.columns, in.columns,
                                                         z, y);
        cn__walk_through(&out, y, s->y + b * out.size, 1);
    }
    cn__round_output(s->pass, begin, end);
}

static inline void cn__along_backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__along *s = context;
    const cn_layer *layer = s->pass->layer;
    cn__walk in = cn__walk_of(layer, s->z_shape), out = cn__walk_of(layer, layer->output_shape);
    real *z = cn__along_memory(s, thread), *dz = z + in.size, *y = dz + in.size, *dy = y + out.size;
    for (int64_t b = begin; b < end; b++) {
        if (s->z) cn__walk_through(&in, s->z + b * in.size, z, 0);
        cn__walk_through(&out, s->y + b * out.size, y, 0);
        cn__walk_through(&out, s->dy + b * out.size, dy, 0);
        cn__activation_maths[layer->activation]->backward(&layer->activation_options, in.size / in.columns, in.columns,
                                                          s->z ? z : NULL, y, dy, dz);
        cn__walk_through(&in, dz, s->dz + b * in.size, 1);
    }
}

static inline void cn__along_forward(const cn__along *s)
{
    cn__each_sample(s->pass, cn__along_forward_samples, s);
}

static inline void cn__along_backward(const cn__along *s)
{
    cn__each_sample(s->pass, cn__along_backward_samples, s);
}

#endif
