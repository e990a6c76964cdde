#include "layers/layer_parts.h"

/* y = x above 0, else alpha x. alpha has the shape of a sample, with 1 for the shared axes.
 * Backward: dx = dy or alpha dy; dalpha = sum dy min(x, 0), within a sample in the order of memory, then over the
 * samples. A sample's workspace holds its part of dalpha; shared_memory alpha without gaps. */
typedef struct share {
    const cn__pass *pass;
    int ndim;
    int64_t n, shape[CN_MAX_NDIM], step[CN_MAX_NDIM]; /* of a sample, and how its axes walk through alpha */
    real *alpha;
} share;

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn__weight *w = &layer->weights[0];
    share s = {.pass = pass, .ndim = layer->input_ndim, .n = 1, .alpha = pass->shared_memory};
    for (int a = s.ndim - 1; a >= 0; a--) {
        s.shape[a] = layer->input_shape[a];
        s.step[a] = w->shape[a] == 1 ? 0 : s.n;
        s.n *= w->shape[a];
    }
    for (int64_t r = 0; r < w->rows; r++)
        for (int64_t c = 0; c < w->columns; c++)
            s.alpha[r * w->columns + c] = ((const real *)pass->weights[0])[r * w->stride + c];
    return s;
}

/* The place in alpha of the number behind the one at `index`, which is at `at`. */
static inline int64_t next(const share *s, int64_t index[CN_MAX_NDIM], int64_t at)
{
    for (int a = s->ndim - 1; a >= 0; a--) {
        at += s->step[a];
        if (++index[a] < s->shape[a]) break;
        at -= s->step[a] * s->shape[a];
        index[a] = 0;
    }
    return at;
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->input_size;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = (const real *)s->pass->x + b * size;
        real *y = (real *)s->pass->y + b * size;
        int64_t index[CN_MAX_NDIM] = {0}, at = 0;
        for (int64_t i = 0; i < size; i++, at = next(s, index, at)) y[i] = x[i] > 0 ? x[i] : s->alpha[at] * x[i];
    }
    cn__round_output(s->pass, begin, end);
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->input_size;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = (const real *)s->pass->x + b * size, *dy = (const real *)s->pass->dy + b * size;
        real *dx = s->pass->dx ? (real *)s->pass->dx + b * size : NULL, *dalpha = (real *)s->pass->workspace + b * s->n;
        int64_t index[CN_MAX_NDIM] = {0}, at = 0;
        for (int64_t i = 0; i < s->n; i++) dalpha[i] = 0;
        for (int64_t i = 0; i < size; i++, at = next(s, index, at)) {
            if (!(x[i] > 0)) dalpha[at] = FMA(dy[i], x[i], dalpha[at]);
            if (dx) dx[i] = x[i] > 0 ? dy[i] : s->alpha[at] * dy[i];
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
    cn__each_sample(pass, backward_samples, &s);
    cn__add_samples(pass, s.n, s.n, pass->workspace);
    cn__sink_weight(pass, 0, pass->workspace);
}

const cn__layer_math CN_T(cn__layer_p_re_lu_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"
#include "layers/initializer.h"

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_p_re_lu_options, name)}
static const cn__field fields[] = {
    OPTION(alpha_initializer, TEXT),
    OPTION(alpha_regularizer, TEXT),
    OPTION(alpha_constraint, TEXT),
    OPTION(shared_axes, SHAPE),
    OPTION(trainable, INT),
    CN__LAYER_FIELDS(cn_p_re_lu_options),
};

static int check(cn_layer *layer)
{
    const cn_p_re_lu_options *options = layer->options;
    CN_TRY(cn__initializer_check(cn__layer_label(layer), options->alpha_initializer));
    return cn__layer_check_rules(layer, "alpha", options->alpha_regularizer, options->alpha_constraint);
}

static int build(cn_layer *layer)
{
    const cn_p_re_lu_options *options = layer->options;
    int64_t shape[CN_MAX_NDIM], n = 1;
    cn__layer_keep_shape(layer);
    for (int a = 0; a < layer->input_ndim; a++) shape[a] = layer->input_shape[a];
    for (int i = 0; i < CN_MAX_NDIM && options->shared_axes[i]; i++) {
        int64_t axis = options->shared_axes[i];
        if (axis < 1 || axis > layer->input_ndim)
            return cn__fail(CN_ESHAPE, "%s: shared_axes must lie in 1 ... %d for samples of %d axes, got %lld",
                            cn__layer_label(layer), layer->input_ndim, layer->input_ndim, (long long)axis);
        shape[axis - 1] = 1;
    }
    for (int a = 0; a < layer->input_ndim; a++) n *= shape[a];
    cn__layer_add_weight(layer, "alpha", options->alpha_initializer, layer->input_ndim, shape);
    layer->workspace_size = n;
    layer->shared_size = n;
    return cn__layer_set_rules(layer, options->alpha_regularizer, options->alpha_constraint);
}

const cn__layer_class cn__layer_p_re_lu = {
    .name = "PReLU",
    .snake = "p_re_lu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_p_re_lu_options),
    .defaults = &(const cn_p_re_lu_options){CN_P_RE_LU_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_p_re_lu_create(const cn_p_re_lu_options *options)
{
    return cn__layer_create(&cn__layer_p_re_lu, options);
}
#endif
