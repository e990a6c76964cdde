#include "kernels/bf16.h"
#include "kernels/conv2d.h"
#include "layers/along_axes.h"
#include "layers/data_format.h"
#include "layers/pooling2d_options.h"
#include "layers/window2d.h"

#include <string.h>

/* y = activation(window of x . kernel + bias); see kernels/conv2d.h for the sums and their order.
 * Forward, each thread takes some rows of y, which may belong to several pictures. Backward, it takes pieces of the
 * batch: a picture's dz goes into the input gradient and into the sums of its piece while it is in the cache. The
 * pieces are added up, and their sum goes to the sink, after all input gradients are done, because a sink may move the
 * kernel. A MaxPooling2D behind it may be computed along (cn__conv2d_pools): then y of a picture is made in the
 * thread's memory and goes through the pooling from there, and so does dz, which is zero but where a maximum was.
 * In mixed_bfloat16 x is rounded already; kernel and dz are, and y unless it is the model's output. Sums, and all else,
 * stay float32. */
typedef struct share {
    const cn__pass *pass;
    cn__conv2d conv, turned;
    cn__pooling2d pooling; /* of the layer behind */
    const cn__activation_math *math;
    real *z;      /* NULL where the activation needs only y */
    real *packed; /* in shared memory, from here on: of the one of both that is computed */
    real *sums;   /* of the pieces */
    int64_t pieces, piece_size;
    int learns; /* somebody wants the gradients of the weights */
    int lists;  /* dz is taken as lists of its non-zeros */
} share;

static cn__conv2d describe(const cn_layer *layer)
{
    const cn_conv2d_options *o = layer->options;
    cn__conv2d c = {.height = layer->input_shape[0], .width = layer->input_shape[1], .channels = layer->input_shape[2],
                    .out_height = layer->output_shape[0], .out_width = layer->output_shape[1], .filters = o->filters,
                    .groups = o->groups};
    for (int axis = 0; axis < 2; axis++) {
        c.size[axis] = o->kernel_size[axis];
        c.stride[axis] = o->strides[axis];
        c.dilation[axis] = o->dilation_rate[axis];
        c.spread[axis] = 1;
        c.before[axis] = cn__window2d_before(layer->input_shape[axis], c.size[axis], c.stride[axis], c.dilation[axis],
                                             o->padding);
    }
    return c;
}

/* Of either of the two packed kernels, one after the other. */
static int64_t packed_size(const cn__conv2d *conv, const cn__conv2d *turned)
{
    int64_t size = cn__conv2d_packed_size(conv), other = cn__conv2d_packed_size(turned);
    return size > other ? size : other;
}

static share open_share(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    /* along other axes than the channels the activation comes after all rows */
    int activation = pass->skip_activation || layer->n_along ? CN__ACTIVATION_linear : layer->activation;
    share s = {.pass = pass, .conv = describe(layer), .math = cn__activation_maths[activation],
               .z = cn__activation_needs_input(activation, &layer->activation_options) ? pass->workspace : NULL,
               .packed = pass->shared_memory};
    s.conv.rounds = pass->bf16 != NULL;
    s.turned = cn__conv2d_turned(&s.conv);
    if (pass->behind) s.pooling = cn__pooling2d_describe(pass->behind->layer);
    s.sums = s.packed + packed_size(&s.conv, &s.turned);
    s.piece_size = cn__conv2d_sums_size(&s.conv);
    s.pieces = cn__conv2d_pieces(&s.conv);
    if (s.pieces > pass->batch) s.pieces = pass->batch;
    return s;
}

/* A thread's memory: for the kernels, and behind it for one picture's y or dz. */
static real *memory_of(const share *s, int thread)
{
    return (real *)s->pass->thread_memory + thread * cn__thread_stride(s->pass->layer->thread_size);
}

static int64_t kernel_memory(const cn__conv2d *c)
{
    return (cn__conv2d_memory(c) + 15) / 16 * 16;
}

static real *picture_of(const share *s, int thread)
{
    return memory_of(s, thread) + kernel_memory(&s->conv);
}

static void pack_forward(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    cn__conv2d_pack(&s->conv, s->pass->weights[0], s->pass->layer->weights[0].stride, begin, end - begin, s->packed);
}

static void pack_turned(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    cn__conv2d_pack(&s->turned, s->pass->weights[0], s->pass->layer->weights[0].stride, begin, end - begin, s->packed);
}

static void round_all(int64_t n, real *numbers)
{
    for (int64_t i = 0; i < n; i++) numbers[i] = (real)cn__bf16_round((float)numbers[i]);
}

/* From sums to y, while they are in the cache. */
static void finish(const share *s, int64_t pixels, real *z, real *y)
{
    const cn_layer *layer = s->pass->layer;
    const real *bias = layer->n_weights > 1 ? s->pass->weights[1] : NULL;
    int64_t filters = s->conv.filters;
    for (int64_t n = 0; bias && n < pixels; n++)
        for (int64_t f = 0; f < filters; f++) z[n * filters + f] += bias[f];
    s->math->forward(&layer->activation_options, pixels, filters, z, y);
    if (s->conv.rounds && !s->pass->is_last && !layer->n_along) round_all(pixels * filters, y);
}

/* begin ... end: rows of y, counted through all pictures. */
static void forward_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn__conv2d *c = &s->conv;
    while (begin < end) {
        int64_t picture = begin / c->out_height, p = begin % c->out_height, rows = c->out_height - p;
        if (rows > end - begin) rows = end - begin;
        int64_t at = begin * c->out_width * c->filters;
        real *y = (real *)s->pass->y + at, *z = s->z ? s->z + at : y;
        cn__conv2d_rows(c, (const real *)s->pass->x + picture * s->pass->layer->input_size, s->packed, p, rows, z,
                        memory_of(s, thread));
        finish(s, rows * c->out_width, z, y);
        begin += rows;
    }
}

/* Rows first ... first+n-1 of the pooled picture, by way of the rows of y that they come from. */
static void pool_rows(const share *s, int64_t picture, int64_t first, int64_t n, int thread)
{
    const cn__conv2d *c = &s->conv;
    const cn__pass *behind = s->pass->behind;
    cn__pooling2d pooling = s->pooling;
    int64_t top = first * pooling.stride[0] - pooling.before[0], row_size = pooling.out_width * pooling.channels;
    int64_t bottom = (first + n - 1) * pooling.stride[0] - pooling.before[0] + pooling.size[0];
    int64_t bytes = cn__pooling2d_place_bytes(&pooling);
    real *y = picture_of(s, thread);
    if (top < 0) top = 0;
    if (bottom > c->out_height) bottom = c->out_height;
    cn__conv2d_rows(c, (const real *)s->pass->x + picture * s->pass->layer->input_size, s->packed, top, bottom - top, y,
                    memory_of(s, thread));
    finish(s, (bottom - top) * c->out_width, y, y);
    pooling.before[0] += top; /* as if the picture began there */
    pooling.height = bottom - top;
    for (int64_t p = first; p < first + n; p++) {
        int64_t at = (picture * pooling.out_height + p) * row_size;
        cn__max_pooling2d_forward(&pooling, y, p, (real *)behind->y + at, (char *)behind->workspace + at * bytes);
    }
}

/* begin ... end: rows of the pooled pictures. */
static void forward_pooled_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    while (begin < end) {
        int64_t p = begin % s->pooling.out_height, rows = s->pooling.out_height - p;
        if (rows > end - begin) rows = end - begin;
        pool_rows(s, begin / s->pooling.out_height, p, rows, thread);
        begin += rows;
    }
}

static void forward(const cn__pass *pass)
{
    share s = open_share(pass);
    cn__parallel(pass->pool, s.conv.size[0] * s.conv.size[1], pack_forward, &s);
    if (pass->behind) cn__parallel(pass->pool, pass->batch * s.pooling.out_height, forward_pooled_rows, &s);
    else cn__parallel(pass->pool, pass->batch * s.conv.out_height, forward_rows, &s);
    if (pass->layer->n_along)
        cn__along_forward(&(cn__along){pass, pass->layer->output_shape, pass->y, pass->y, NULL, NULL});
}

/* dy becomes dz, in the same place. */
static const real *gradient_of_z(const share *s, int64_t picture)
{
    const cn_layer *layer = s->pass->layer;
    int64_t at = picture * layer->output_size;
    real *dz = (real *)s->pass->dy + at;
    s->math->backward(&layer->activation_options, s->conv.out_height * s->conv.out_width, s->conv.filters,
                      s->z ? s->z + at : NULL, (const real *)s->pass->y + at, dz, dz);
    if (s->conv.rounds) round_all(layer->output_size, dz);
    return dz;
}

/* Behind a pooling, only the largest numbers of y have a gradient, and their y is the pooling's: dy of the pooling
 * becomes that part of dz, in the same place. */
static void through_activation(const share *s, int64_t picture)
{
    const cn__pass *behind = s->pass->behind;
    int64_t size = behind->layer->output_size;
    real *dy = (real *)behind->dy + picture * size;
    s->math->backward(&s->pass->layer->activation_options, s->pooling.out_height * s->pooling.out_width,
                      s->conv.filters, NULL, (const real *)behind->y + picture * size, dy, dy);
    if (s->conv.rounds) round_all(size, dy);
}

static const real *gradient_through_pooling(const share *s, int64_t picture, int thread)
{
    const cn__pass *behind = s->pass->behind;
    int64_t at = picture * behind->layer->output_size, bytes = cn__pooling2d_place_bytes(&s->pooling);
    real *dz = picture_of(s, thread);
    cn__max_pooling2d_backward(&s->pooling, (const real *)behind->dy + at, (const char *)behind->workspace + at * bytes,
                               dz);
    return dz;
}

/* By the first picture's dz all are judged, so it is made before the others. */
static void judge(share *s)
{
    const real *dz;
    if (s->pass->behind) {
        through_activation(s, 0);
        dz = gradient_through_pooling(s, 0, 0);
    } else {
        dz = gradient_of_z(s, 0);
    }
    s->lists = s->learns && cn__conv2d_wants_lists(&s->conv, dz);
}

static const real *dz_of(const share *s, int64_t picture, int thread)
{
    if (s->pass->behind) {
        if (picture) through_activation(s, picture);
        return gradient_through_pooling(s, picture, thread);
    }
    return picture ? gradient_of_z(s, picture) : s->pass->dy;
}

static void backward_pieces(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->input_size;
    for (int64_t piece = begin; piece < end; piece++) {
        real *sums = s->sums + piece * s->piece_size;
        memset(sums, 0, (size_t)s->piece_size * sizeof *sums);
        int64_t first = s->pass->batch * piece / s->pieces, last = s->pass->batch * (piece + 1) / s->pieces;
        for (int64_t picture = first; picture < last; picture++) {
            const real *dz = dz_of(s, picture, thread);
            if (s->learns)
                cn__conv2d_add_gradient(&s->conv, (const real *)s->pass->x + picture * size, dz, s->lists, sums,
                                        memory_of(s, thread));
            if (s->pass->dx)
                cn__conv2d_rows(&s->turned, dz, s->packed, 0, s->turned.out_height,
                                (real *)s->pass->dx + picture * size, memory_of(s, thread));
        }
    }
}

/* All pieces into the first one. */
static void add_pieces(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    for (int64_t piece = 1; piece < s->pieces; piece++) {
        const real *from = s->sums + piece * s->piece_size;
        for (int64_t i = begin; i < end; i++) s->sums[i] += from[i];
    }
}

static void hand_on_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    real *row = memory_of(s, thread);
    for (int64_t k = begin; k < end; k++) {
        cn__conv2d_gradient_row(&s->conv, s->sums, s->lists, k, row);
        cn__sink_row(&s->pass->sinks[0], k, 0, s->conv.filters, row);
    }
}

static int wanted(const cn__sink *sink)
{
    return sink->update || sink->gradient;
}

static void backward(const cn__pass *pass)
{
    share s = open_share(pass);
    int has_bias = pass->layer->n_weights > 1;
    s.learns = wanted(&pass->sinks[0]) || (has_bias && wanted(&pass->sinks[1]));
    if (pass->layer->n_along)
        cn__along_backward(&(cn__along){pass, pass->layer->output_shape, NULL, pass->y, pass->dy, pass->dy});
    if (pass->dx) cn__parallel(pass->pool, s.conv.size[0] * s.conv.size[1], pack_turned, &s);
    if (pass->batch) judge(&s);
    else memset(s.sums, 0, (size_t)s.piece_size * sizeof *s.sums);
    cn__parallel(pass->pool, s.pieces, backward_pieces, &s);
    if (!s.learns) return;
    cn__parallel(pass->pool, s.piece_size, add_pieces, &s);
    cn__parallel(pass->pool, cn__conv2d_terms(&s.conv), hand_on_rows, &s);
    if (has_bias)
        cn__sink_row(&pass->sinks[1], 0, 0, s.conv.filters, s.sums + s.piece_size - s.conv.filters);
}

CN__MATH_IN_EITHER_FORMAT(conv2d)

#if CN_ONCE
#include "base/error.h"
#include "layers/initializer.h"

static const cn__field fields[] = {
    {"filters", CN__FIELD_INT64, offsetof(cn_conv2d_options, filters)},
    {"kernel_size", CN__FIELD_SHAPE, offsetof(cn_conv2d_options, kernel_size)},
    {"strides", CN__FIELD_SHAPE, offsetof(cn_conv2d_options, strides)},
    {"padding", CN__FIELD_TEXT, offsetof(cn_conv2d_options, padding)},
    {"data_format", CN__FIELD_TEXT, offsetof(cn_conv2d_options, data_format)},
    {"dilation_rate", CN__FIELD_SHAPE, offsetof(cn_conv2d_options, dilation_rate)},
    {"groups", CN__FIELD_INT64, offsetof(cn_conv2d_options, groups)},
    {"activation", CN__FIELD_TEXT, offsetof(cn_conv2d_options, activation)},
    {"use_bias", CN__FIELD_INT, offsetof(cn_conv2d_options, use_bias)},
    {"kernel_initializer", CN__FIELD_TEXT, offsetof(cn_conv2d_options, kernel_initializer)},
    {"bias_initializer", CN__FIELD_TEXT, offsetof(cn_conv2d_options, bias_initializer)},
    {"kernel_regularizer", CN__FIELD_TEXT, offsetof(cn_conv2d_options, kernel_regularizer)},
    {"bias_regularizer", CN__FIELD_TEXT, offsetof(cn_conv2d_options, bias_regularizer)},
    {"activity_regularizer", CN__FIELD_TEXT, offsetof(cn_conv2d_options, activity_regularizer)},
    {"kernel_constraint", CN__FIELD_TEXT, offsetof(cn_conv2d_options, kernel_constraint)},
    {"bias_constraint", CN__FIELD_TEXT, offsetof(cn_conv2d_options, bias_constraint)},
    {"trainable", CN__FIELD_INT, offsetof(cn_conv2d_options, trainable)},
    {"input_shape", CN__FIELD_SHAPE, offsetof(cn_conv2d_options, input_shape)},
    {"name", CN__FIELD_TEXT, offsetof(cn_conv2d_options, name)},
};

static int check(cn_layer *layer)
{
    cn_conv2d_options *o = layer->options;
    const char *label = cn__layer_label(layer);
    if (o->filters < 1 || o->filters > INT32_MAX)
        return cn__fail(CN_EINVAL, "%s: filters must be a whole number from 1 to %d, got %lld", label, INT32_MAX,
                        (long long)o->filters);
    CN_TRY(cn__window2d_pair(layer, "kernel_size", o->kernel_size, 0));
    CN_TRY(cn__window2d_pair(layer, "strides", o->strides, 1));
    CN_TRY(cn__window2d_pair(layer, "dilation_rate", o->dilation_rate, 1));
    CN_TRY(cn__window2d_check_padding(layer, o->padding));
    if ((o->strides[0] > 1 || o->strides[1] > 1) && (o->dilation_rate[0] > 1 || o->dilation_rate[1] > 1))
        return cn__fail(CN_EINVAL, "%s: strides %lldx%lld and dilation_rate %lldx%lld cannot both be above 1", label,
                        (long long)o->strides[0], (long long)o->strides[1], (long long)o->dilation_rate[0],
                        (long long)o->dilation_rate[1]);
    if (o->groups < 1 || o->filters % o->groups)
        return cn__fail(CN_EINVAL, "%s: groups must be a positive whole number that divides the %lld filters, got %lld",
                        label, (long long)o->filters, (long long)o->groups);
    CN_TRY(cn__activation_find(label, o->activation, &layer->activation, &layer->activation_options));
    if (cn__activation_classes[layer->activation]->by_row && o->filters == 1 && layer->activation_options.axis == -1 &&
        !layer->channels_first)
        return cn__fail(CN_EINVAL, "%s: %s over one filter is always the same; use sigmoid, or one filter per class",
                        label, cn__activation_classes[layer->activation]->name);
    if (cn__activation_classes[layer->activation]->halves)
        return cn__fail(CN_EINVAL, "%s: %s gives half the filters; put it into a layer of its own, activation(%s)",
                        label, cn__activation_classes[layer->activation]->name, o->activation);
    CN_TRY(cn__initializer_check(label, o->kernel_initializer));
    CN_TRY(cn__initializer_check(label, o->bias_initializer));
    CN_TRY(cn__layer_check_rules(layer, "kernel", o->kernel_regularizer, o->kernel_constraint));
    return cn__layer_check_rules(layer, "bias", o->bias_regularizer, o->bias_constraint);
}

static int build(cn_layer *layer)
{
    const cn_conv2d_options *o = layer->options;
    CN_TRY(cn__window2d_check_input(layer));
    int64_t channels = layer->input_shape[2];
    if (channels % o->groups)
        return cn__fail(CN_ESHAPE, "%s: groups must divide the %lld channels of its input, got %lld",
                        cn__layer_label(layer), (long long)channels, (long long)o->groups);
    CN_TRY(cn__window2d_set_output(layer, o->kernel_size, o->strides, o->dilation_rate, o->padding));
    layer->output_shape[2] = o->filters;
    double terms = (double)o->kernel_size[0] * (double)o->kernel_size[1] * (double)(channels / o->groups);
    if (terms * (double)o->filters > 1e12)
        return cn__fail(CN_ESHAPE, "%s: a kernel of %.0f x %lld numbers makes no sense", cn__layer_label(layer), terms,
                        (long long)o->filters);
    cn__layer_add_weight(layer, "kernel", o->kernel_initializer, 4,
                         (int64_t[]){o->kernel_size[0], o->kernel_size[1], channels / o->groups, o->filters});
    CN_TRY(cn__layer_set_rules(layer, o->kernel_regularizer, o->kernel_constraint));
    if (o->use_bias) {
        cn__layer_add_weight(layer, "bias", o->bias_initializer, 1, &o->filters);
        CN_TRY(cn__layer_set_rules(layer, o->bias_regularizer, o->bias_constraint));
    }
    if (cn__activation_needs_input(layer->activation, &layer->activation_options))
        layer->workspace_size = layer->output_shape[0] * layer->output_shape[1] * o->filters;
    cn__conv2d conv = describe(layer), turned = cn__conv2d_turned(&conv);
    layer->thread_size = kernel_memory(&conv) + layer->output_shape[0] * layer->output_shape[1] * o->filters;
    CN_TRY(cn__layer_set_activation_axis(layer, layer->output_ndim, layer->output_shape));
    layer->shared_size = packed_size(&conv, &turned) + cn__conv2d_pieces(&conv) * cn__conv2d_sums_size(&conv);
    layer->work = terms * (double)o->filters * (double)layer->output_shape[0] *
                  (double)layer->output_shape[1];
    return CN_OK;
}

const cn__layer_class cn__layer_conv2d = {
    .name = "Conv2D",
    .snake = "conv2d",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 2,
    .options_size = sizeof(cn_conv2d_options),
    .defaults = &(const cn_conv2d_options){CN_CONV2D_DEFAULTS, .strides = {1, 1}, .dilation_rate = {1, 1}},
    .check = check,
    .build = build,
};

cn_layer *cn_conv2d_create(const cn_conv2d_options *options)
{
    return cn__layer_create(&cn__layer_conv2d, options);
}
#endif
