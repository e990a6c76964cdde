#include "kernels/row.h"
#include "layers/layer_parts.h"

#include <string.h>

/* y = gamma h + beta, h = (x - mean) / sqrt(variance + epsilon): mean and (biased) variance are taken over `axis` of
 * each sample, n numbers; gamma and beta have the shape of these axes. Backward, with g = dy gamma:
 *   dx = (g - mean g - h mean(g h)) / sqrt(...),  dgamma = sum dy h,  dbeta = sum dy over all samples and groups.
 * Sums over n as in kernels/row.h; dgamma and dbeta over the groups of a sample, then over the samples, ascending.
 *
 * The numbers that share a mean are a group. A sample's workspace: h group by group | 1 / sqrt(...) of each group |
 * the row at hand | its part of dgamma | of dbeta. shared_memory: gamma and beta without gaps. */
typedef struct share {
    const cn__pass *pass;
    int64_t n, groups, row; /* row: numbers of workspace per sample */
    int n_inside, n_outside;
    int64_t inside[CN_MAX_NDIM], inside_step[CN_MAX_NDIM];   /* the axes of a group and how they walk through x */
    int64_t outside[CN_MAX_NDIM], outside_step[CN_MAX_NDIM]; /* the axes over groups */
    real *gamma, *beta;                                      /* n numbers each; NULL without */
} share;

/* Which axes of a sample are inside a group; CN_EINVAL for an axis that is not there or there twice. */
static int find_axes(const cn_layer *layer, int inside[CN_MAX_NDIM])
{
    const int64_t *axis = ((const cn_layer_normalization_options *)layer->options)->axis;
    for (int a = 0; a < CN_MAX_NDIM; a++) inside[a] = 0;
    for (int i = 0; i < CN_MAX_NDIM && axis[i]; i++) {
        int64_t a = axis[i] < 0 ? axis[i] + layer->input_ndim : axis[i] - 1;
        if (a < 0 || a >= layer->input_ndim || inside[a]++) return -1;
    }
    return 0;
}

static void gather_weight(const cn__pass *pass, int k, real *to)
{
    const cn__weight *w = &pass->layer->weights[k];
    for (int64_t r = 0; r < w->rows; r++)
        memcpy(to + r * w->columns, (const real *)pass->weights[k] + r * w->stride, (size_t)w->columns * sizeof *to);
}

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn_layer_normalization_options *options = layer->options;
    share s = {.pass = pass, .n = 1, .groups = 1, .row = layer->workspace_size};
    int inside[CN_MAX_NDIM];
    int64_t step = layer->input_size;
    find_axes(layer, inside);
    for (int a = 0; a < layer->input_ndim; a++) {
        step /= layer->input_shape[a];
        if (inside[a]) {
            s.inside[s.n_inside] = layer->input_shape[a];
            s.inside_step[s.n_inside++] = step;
            s.n *= layer->input_shape[a];
        } else {
            s.outside[s.n_outside] = layer->input_shape[a];
            s.outside_step[s.n_outside++] = step;
            s.groups *= layer->input_shape[a];
        }
    }
    real *memory = pass->shared_memory;
    if (options->scale) gather_weight(pass, 0, s.gamma = memory);
    if (options->center) gather_weight(pass, options->scale ? 1 : 0, s.beta = memory + s.n);
    return s;
}

/* Place of number i in an array of these axes. */
static int64_t place(int64_t i, int ndim, const int64_t *shape, const int64_t *step)
{
    int64_t at = 0;
    for (int a = ndim - 1; a > 0; a--) {
        at += i % shape[a] * step[a];
        i /= shape[a];
    }
    return ndim ? at + i * step[0] : 0;
}

/* Where number i of a group is, from its first one. Groups along the last axis need no division. */
static inline int64_t place_inside(const share *s, int64_t i)
{
    return s->n_inside == 1 ? i * s->inside_step[0] : place(i, s->n_inside, s->inside, s->inside_step);
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer_normalization_options *options = s->pass->layer->options;
    int64_t size = s->pass->layer->input_size;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = (const real *)s->pass->x + b * size;
        real *y = (real *)s->pass->y + b * size, *memory = (real *)s->pass->workspace + b * s->row;
        for (int64_t g = 0; g < s->groups; g++) {
            int64_t first = place(g, s->n_outside, s->outside, s->outside_step);
            real *h = memory + g * s->n;
            for (int64_t i = 0; i < s->n; i++) h[i] = x[first + place_inside(s, i)];
            real mean = cn__row_sum(s->n, h) / (real)s->n;
            for (int64_t i = 0; i < s->n; i++) h[i] -= mean;
            real inverse = 1 / SQRT(cn__row_dot(s->n, h, h) / (real)s->n + (real)options->epsilon);
            memory[size + g] = inverse;
            for (int64_t i = 0; i < s->n; i++) {
                h[i] *= inverse;
                y[first + place_inside(s, i)] = FMA(h[i], s->gamma ? s->gamma[i] : 1, s->beta ? s->beta[i] : 0);
            }
        }
    }
    cn__round_output(s->pass, begin, end);
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->input_size;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *dy = (const real *)s->pass->dy + b * size;
        real *dx = s->pass->dx ? (real *)s->pass->dx + b * size : NULL,
             *memory = (real *)s->pass->workspace + b * s->row;
        real *row = memory + size + s->groups, *dgamma = row + s->n, *dbeta = dgamma + s->n;
        for (int64_t i = 0; i < 2 * s->n; i++) dgamma[i] = 0;
        for (int64_t g = 0; g < s->groups; g++) {
            int64_t first = place(g, s->n_outside, s->outside, s->outside_step);
            const real *h = memory + g * s->n;
            for (int64_t i = 0; i < s->n; i++) {
                row[i] = dy[first + place_inside(s, i)];
                dgamma[i] = FMA(row[i], h[i], dgamma[i]);
                dbeta[i] += row[i];
                if (s->gamma) row[i] *= s->gamma[i];
            }
            if (!dx) continue;
            real mean = cn__row_sum(s->n, row) / (real)s->n, slope = cn__row_dot(s->n, row, h) / (real)s->n;
            for (int64_t i = 0; i < s->n; i++)
                dx[first + place_inside(s, i)] = memory[size + g] * (row[i] - mean - h[i] * slope);
        }
    }
}

static void forward(const cn__pass *pass)
{
    share s = prepare(pass);
    cn__each_sample(pass, forward_samples, &s);
}

static void backward(const cn__pass *pass)
{
    share s = prepare(pass);
    real *dgamma = (real *)pass->workspace + pass->layer->input_size + s.groups + s.n;
    cn__each_sample(pass, backward_samples, &s);
    cn__add_samples(pass, 2 * s.n, s.row, dgamma);
    if (s.gamma) cn__sink_weight(pass, 0, dgamma);
    if (s.beta) cn__sink_weight(pass, s.gamma ? 1 : 0, dgamma + s.n);
}

const cn__layer_math CN_T(cn__layer_layer_normalization_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"
#include "layers/initializer.h"
#include "tensor/tensor.h"

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_layer_normalization_options, name)}
static const cn__field fields[] = {
    OPTION(axis, SHAPE),
    OPTION(epsilon, REAL),
    OPTION(center, INT),
    OPTION(scale, INT),
    OPTION(beta_initializer, TEXT),
    OPTION(gamma_initializer, TEXT),
    OPTION(beta_regularizer, TEXT),
    OPTION(gamma_regularizer, TEXT),
    OPTION(beta_constraint, TEXT),
    OPTION(gamma_constraint, TEXT),
    OPTION(trainable, INT),
    CN__LAYER_FIELDS(cn_layer_normalization_options),
};

static int check(cn_layer *layer)
{
    const cn_layer_normalization_options *options = layer->options;
    const char *label = cn__layer_label(layer);
    if (!options->axis[0])
        return cn__fail(CN_EINVAL, "%s: axis is empty or 0, which is the batch; axes count from 1, and -1 is the last",
                        label);
    if (!(options->epsilon >= 0 && options->epsilon <= 1e30))
        return cn__fail(CN_EINVAL, "%s: epsilon must be a number of at least 0, got %g", label, options->epsilon);
    CN_TRY(cn__initializer_check(label, options->beta_initializer));
    CN_TRY(cn__initializer_check(label, options->gamma_initializer));
    CN_TRY(cn__layer_check_rules(layer, "beta", options->beta_regularizer, options->beta_constraint));
    return cn__layer_check_rules(layer, "gamma", options->gamma_regularizer, options->gamma_constraint);
}

static int build(cn_layer *layer)
{
    const cn_layer_normalization_options *options = layer->options;
    int inside[CN_MAX_NDIM], ndim = 0;
    int64_t shape[CN_MAX_NDIM], n = 1;
    char text[CN_SHAPE_TEXT_BYTES];
    int given = 0;
    while (given < CN_MAX_NDIM && options->axis[given]) given++;
    if (find_axes(layer, inside) < 0)
        return cn__fail(CN_ESHAPE, "%s: each axis must lie in 1 ... %d or -%d ... -1 for samples of %d axes, and be "
                        "given once; got %s", cn__layer_label(layer), layer->input_ndim, layer->input_ndim,
                        layer->input_ndim, cn__shape_text(text, given, options->axis));
    for (int a = 0; a < layer->input_ndim; a++) {
        if (!inside[a]) continue;
        shape[ndim++] = layer->input_shape[a];
        n *= layer->input_shape[a];
    }
    cn__layer_keep_shape(layer);
    if (options->scale) {
        cn__layer_add_weight(layer, "gamma", options->gamma_initializer, ndim, shape);
        CN_TRY(cn__layer_set_rules(layer, options->gamma_regularizer, options->gamma_constraint));
    }
    if (options->center) {
        cn__layer_add_weight(layer, "beta", options->beta_initializer, ndim, shape);
        CN_TRY(cn__layer_set_rules(layer, options->beta_regularizer, options->beta_constraint));
    }
    layer->workspace_size = layer->input_size + layer->input_size / n + 3 * n;
    layer->shared_size = 2 * n;
    return CN_OK;
}

const cn__layer_class cn__layer_layer_normalization = {
    .name = "LayerNormalization",
    .snake = "layer_normalization",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_layer_normalization_options),
    .defaults = &(const cn_layer_normalization_options){CN_LAYER_NORMALIZATION_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_layer_normalization_create(const cn_layer_normalization_options *options)
{
    return cn__layer_create(&cn__layer_layer_normalization, options);
}
#endif
