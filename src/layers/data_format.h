/* data_format of layers of pictures. The numbers of these layers know channels_last only, (height, width, channels).
 * With channels_first, (channels, height, width), x, y and their gradients are turned around at the layer's border: the
 * same bits as channels_last gives for the same pictures, for four copies more.
 *
 * The class sees channels_last too: cn__layer_build turns the shapes before and after it calls `build`. */
#ifndef CN_LAYERS_DATA_FORMAT_H
#define CN_LAYERS_DATA_FORMAT_H

#include "layers/layer_parts.h"

/* A layer and its pass as its numbers see them. */
typedef struct cn__turned {
    cn_layer layer;
    cn__pass pass;
    real *x;     /* where pass.x is */
    int turns_y; /* 0: y has lost its axes, as behind a Flatten */
} cn__turned;

static inline cn__turned cn__turn(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    cn__turned t = {.layer = *layer, .pass = *pass, .turns_y = layer->output_ndim == layer->input_ndim};
    int64_t in = pass->batch * layer->input_size, out = pass->batch * layer->output_size;
    t.layer.workspace_size -= cn__turned_size(layer);
    cn__shape_to_channels_last(layer->input_ndim, t.layer.input_shape);
    if (t.turns_y) cn__shape_to_channels_last(layer->output_ndim, t.layer.output_shape);
    real *at = (real *)pass->workspace + pass->batch * t.layer.workspace_size;
    t.pass.x = t.x = at;
    if (pass->dx) t.pass.dx = at + in;
    if (t.turns_y) {
        t.pass.y = at + 2 * in;
        if (pass->dy) t.pass.dy = at + 2 * in + out;
    }
    return t;
}

/* Each sample of `from` is a matrix of so many rows and columns; `to` gets it transposed. */
typedef struct cn__flips {
    int64_t rows, columns;
    const real *from;
    real *to;
} cn__flips;

static inline void cn__flip_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__flips *f = context;
    int64_t size = f->rows * f->columns;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *from = f->from + b * size;
        real *to = f->to + b * size;
        for (int64_t c = 0; c < f->columns; c++)
            for (int64_t r = 0; r < f->rows; r++) to[c * f->rows + r] = from[r * f->columns + c];
    }
}

static inline void cn__to_channels_last(const cn__pass *pass, int64_t channels, int64_t size, const void *from,
                                        void *to)
{
    cn__each_sample(pass, cn__flip_samples, &(cn__flips){channels, size / channels, from, to});
}

static inline void cn__to_channels_first(const cn__pass *pass, int64_t channels, int64_t size, const void *from,
                                         void *to)
{
    cn__each_sample(pass, cn__flip_samples, &(cn__flips){size / channels, channels, from, to});
}

static inline void cn__forward_either(const cn__pass *pass, void (*forward)(const cn__pass *))
{
    const cn_layer *layer = pass->layer;
    if (!layer->channels_first) {
        forward(pass);
        return;
    }
    cn__turned t = cn__turn(pass);
    t.pass.layer = &t.layer;
    cn__to_channels_last(pass, layer->input_shape[0], layer->input_size, pass->x, t.x);
    forward(&t.pass);
    if (t.turns_y) cn__to_channels_first(pass, layer->output_shape[0], layer->output_size, t.pass.y, pass->y);
}

/* The workspace still has x and y as forward left them. */
static inline void cn__backward_either(const cn__pass *pass, void (*backward)(const cn__pass *))
{
    const cn_layer *layer = pass->layer;
    if (!layer->channels_first) {
        backward(pass);
        return;
    }
    cn__turned t = cn__turn(pass);
    t.pass.layer = &t.layer;
    if (t.turns_y) cn__to_channels_last(pass, layer->output_shape[0], layer->output_size, pass->dy, t.pass.dy);
    backward(&t.pass);
    if (pass->dx) cn__to_channels_first(pass, layer->input_shape[0], layer->input_size, t.pass.dx, pass->dx);
}

/* The numbers of a layer with a data_format, from its `forward` and `backward` for channels_last. */
#define CN__MATH_IN_EITHER_FORMAT(name)                                                                             \
    static void forward_either(const cn__pass *pass) { cn__forward_either(pass, forward); }                         \
    static void backward_either(const cn__pass *pass) { cn__backward_either(pass, backward); }                      \
    const cn__layer_math CN_T(cn__layer_##name##_math) = {forward_either, backward_either};

#endif
