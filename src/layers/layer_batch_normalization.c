#include "layers/layer_parts.h"

/* y = gamma (x - mean) / sqrt(variance + epsilon) + beta, one of each for every entry c of one axis.
 * In training mean and (biased) variance are the batch's over all other axes, N numbers each, and the moving ones
 * follow: moving = momentum moving + (1 - momentum) batch. Else the moving ones are used.
 * Backward, with h = (x - mean) / sqrt(...) and in training:  dbeta = sum dy,  dgamma = sum dy h,
 *   dx = gamma / sqrt(...) (dy - dbeta / N - h dgamma / N).
 * With renorm, h becomes h r + d in y and dgamma, and gamma becomes gamma r in dx, with r and d as constants.
 * Sums: within a sample in the order of memory, then over the samples, both ascending.
 *
 * A sample is outer x channels x inner. Its row of the workspace holds two numbers a channel that are summed over the
 * samples; the row of the first sample also holds mean and 1 / sqrt(variance + epsilon) for backward, and r and d. */
enum { MOVING_MEAN, MOVING_VARIANCE, MOVING_STDDEV, RENORM_MEAN, RENORM_STDDEV, STATES };

/* What renorm_clipping says; NaN: no bound. */
typedef struct cn__renorm_bounds {
    double rmax, rmin, dmax;
} cn__renorm_bounds;
int cn__renorm_bounds_of(const cn_layer *layer, cn__renorm_bounds *bounds); /* cannot fail once check has passed */

typedef struct share {
    const cn__pass *pass;
    const cn_batch_normalization_options *options;
    int64_t outer, channels, inner, row; /* row: numbers of workspace per sample */
    real count;                          /* N */
    real *a, *b;                         /* sums, in the row of the first sample */
    real *mean, *inverse;
    real *r, *d; /* NULL without renorm, and where the batch's mean is not used */
    real *factor, *dy_mean, *dot_mean; /* of backward, in shared_memory */
    const real *gamma, *beta; /* NULL without */
} share;

static int channel_axis(const cn_layer *layer)
{
    int64_t axis = ((const cn_batch_normalization_options *)layer->options)->axis;
    return (int)(axis < 0 ? axis + layer->input_ndim : axis - 1);
}

/* A frozen layer trains as it predicts, which is Keras's rule. */
static int uses_batch(const cn__pass *pass)
{
    return pass->training > 0 && pass->layer->trainable;
}

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn_batch_normalization_options *options = layer->options;
    share s = {.pass = pass, .options = options, .outer = 1, .inner = 1};
    int axis = channel_axis(layer);
    for (int i = 0; i < axis; i++) s.outer *= layer->input_shape[i];
    for (int i = axis + 1; i < layer->input_ndim; i++) s.inner *= layer->input_shape[i];
    s.channels = layer->input_shape[axis];
    s.row = layer->workspace_size;
    s.count = (real)(pass->batch * s.outer * s.inner);
    s.a = pass->workspace;
    s.b = s.a + s.channels;
    s.mean = s.b + s.channels;
    s.inverse = s.mean + s.channels;
    if (options->renorm && uses_batch(pass)) {
        s.r = s.inverse + s.channels;
        s.d = s.r + s.channels;
    }
    s.factor = pass->shared_memory;
    s.dy_mean = s.factor + s.channels;
    s.dot_mean = s.dy_mean + s.channels;
    s.gamma = options->scale ? pass->weights[0] : NULL;
    s.beta = options->center ? pass->weights[options->scale ? 1 : 0] : NULL;
    return s;
}

/* A loop over one sample: `at` is the place of channel c. Called with inner as the constant 1 where it is 1, the usual
 * case, so that the compiler sees neighbours. */
#define EACH_NUMBER                                                                                                 \
    for (int64_t o = 0; o < s->outer; o++)                                                                          \
        for (int64_t i = 0; i < inner; i++)                                                                         \
            for (int64_t c = 0, at = o * s->channels * inner + i; c < s->channels; c++, at += inner)
#define BY_INNER(call_one, call_any)                                                                                \
    if (s->inner == 1) call_one;                                                                                    \
    else call_any

static inline void sum_sample(const share *s, int64_t inner, const real *x, real *sum)
{
    for (int64_t c = 0; c < s->channels; c++) sum[c] = 0;
    EACH_NUMBER sum[c] += x[at];
}

static inline void square_sample(const share *s, int64_t inner, const real *x, real *sum)
{
    const real *mean = s->mean;
    for (int64_t c = 0; c < s->channels; c++) sum[c] = 0;
    EACH_NUMBER sum[c] = FMA(x[at] - mean[c], x[at] - mean[c], sum[c]);
}

/* y from mean, factor a = gamma / sqrt(...) and summand b */
static inline void normalize_sample(const share *s, int64_t inner, const real *x, real *y)
{
    const real *mean = s->mean, *factor = s->a, *summand = s->b;
    EACH_NUMBER y[at] = FMA(x[at] - mean[c], factor[c], summand[c]);
}

/* sum dy and sum dy h */
static inline void backward_sums(const share *s, int64_t inner, const real *x, const real *dy, real *sum, real *dot)
{
    const real *mean = s->mean, *inverse = s->inverse;
    for (int64_t c = 0; c < s->channels; c++) sum[c] = dot[c] = 0;
    EACH_NUMBER {
        sum[c] += dy[at];
        dot[c] = FMA(dy[at], (x[at] - mean[c]) * inverse[c], dot[c]);
    }
}

/* From the factor gamma / sqrt(...), and the means of dy and dy h, which are 0 where mean and variance are
 * constants. */
static inline void backward_sample(const share *s, int64_t inner, const real *x, const real *dy, real *dx)
{
    const real *mean = s->mean, *inverse = s->inverse, *factor = s->factor, *dy_mean = s->dy_mean,
               *dot_mean = s->dot_mean;
    EACH_NUMBER {
        real h = (x[at] - mean[c]) * inverse[c];
        dx[at] = factor[c] * (dy[at] - dy_mean[c] - h * dot_mean[c]);
    }
}

static const real *sample_of(const share *s, const void *numbers, int64_t b)
{
    return (const real *)numbers + b * s->pass->layer->input_size;
}

static void sum_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = sample_of(s, s->pass->x, b);
        BY_INNER(sum_sample(s, 1, x, s->a + b * s->row), sum_sample(s, s->inner, x, s->a + b * s->row));
    }
}

static void square_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = sample_of(s, s->pass->x, b);
        BY_INNER(square_sample(s, 1, x, s->a + b * s->row), square_sample(s, s->inner, x, s->a + b * s->row));
    }
}

static void normalize_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = sample_of(s, s->pass->x, b);
        real *y = (real *)s->pass->y + b * s->pass->layer->input_size;
        BY_INNER(normalize_sample(s, 1, x, y), normalize_sample(s, s->inner, x, y));
    }
    cn__round_output(s->pass, begin, end);
}

static void backward_sum_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = sample_of(s, s->pass->x, b), *dy = sample_of(s, s->pass->dy, b);
        real *sum = s->a + b * s->row, *dot = s->b + b * s->row;
        BY_INNER(backward_sums(s, 1, x, dy, sum, dot), backward_sums(s, s->inner, x, dy, sum, dot));
    }
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const real *x = sample_of(s, s->pass->x, b), *dy = sample_of(s, s->pass->dy, b);
        real *dx = (real *)s->pass->dx + b * s->pass->layer->input_size;
        BY_INNER(backward_sample(s, 1, x, dy, dx), backward_sample(s, s->inner, x, dy, dx));
    }
}

static real follow(real moving, real batch, double momentum)
{
    return moving * (real)momentum + batch * (real)(1 - momentum);
}

/* Sets r and d of one channel, and moves its states. A comparison with NaN is false, so such a bound changes
 * nothing. */
static void renormalize(const share *s, const cn__renorm_bounds *bounds, int64_t c, real variance,
                        real *const states[STATES])
{
    const cn_batch_normalization_options *o = s->options;
    const real epsilon = (real)o->epsilon, least = SQRT(epsilon), stddev = SQRT(variance + epsilon);
    const real rmin = (real)bounds->rmin, rmax = (real)bounds->rmax, dmax = (real)bounds->dmax;
    real renorm_stddev = states[RENORM_STDDEV][c] < least ? least : states[RENORM_STDDEV][c];
    real r = stddev / renorm_stddev, d = (s->mean[c] - states[RENORM_MEAN][c]) / renorm_stddev;
    if (r < rmin) r = rmin;
    if (r > rmax) r = rmax;
    if (d > dmax) d = dmax;
    if (d < -dmax) d = -dmax;
    s->r[c] = r;
    s->d[c] = d;
    states[RENORM_MEAN][c] = follow(states[RENORM_MEAN][c], s->mean[c], o->renorm_momentum);
    states[RENORM_STDDEV][c] = follow(states[RENORM_STDDEV][c], stddev, o->renorm_momentum);
    real moving = states[MOVING_STDDEV][c] = follow(states[MOVING_STDDEV][c], stddev, o->momentum);
    states[MOVING_VARIANCE][c] = moving * moving - epsilon < 0 ? 0 : moving * moving - epsilon;
}

static void use_batch(const cn__pass *pass, share *s, real *const states[STATES])
{
    cn__renorm_bounds bounds;
    if (s->r) cn__renorm_bounds_of(pass->layer, &bounds);
    cn__each_sample(pass, sum_samples, s);
    cn__add_samples(pass, s->channels, s->row, s->a);
    for (int64_t c = 0; c < s->channels; c++) s->mean[c] = s->a[c] / s->count;
    cn__each_sample(pass, square_samples, s);
    cn__add_samples(pass, s->channels, s->row, s->a);
    for (int64_t c = 0; c < s->channels; c++) {
        real variance = s->a[c] / s->count;
        s->inverse[c] = 1 / SQRT(variance + (real)s->options->epsilon);
        states[MOVING_MEAN][c] = follow(states[MOVING_MEAN][c], s->mean[c], s->options->momentum);
        if (s->r) renormalize(s, &bounds, c, variance, states);
        else states[MOVING_VARIANCE][c] = follow(states[MOVING_VARIANCE][c], variance, s->options->momentum);
    }
}

static void forward(const cn__pass *pass)
{
    share s = prepare(pass);
    int first = (s.gamma != NULL) + (s.beta != NULL);
    real *states[STATES] = {NULL};
    for (int k = 0; first + k < pass->layer->n_weights; k++) states[k] = pass->weights[first + k];
    if (uses_batch(pass)) use_batch(pass, &s, states);
    else
        for (int64_t c = 0; c < s.channels; c++) {
            s.mean[c] = states[MOVING_MEAN][c];
            s.inverse[c] = 1 / SQRT(states[MOVING_VARIANCE][c] + (real)s.options->epsilon);
        }
    for (int64_t c = 0; c < s.channels; c++) {
        real gamma = s.gamma ? s.gamma[c] : 1, beta = s.beta ? s.beta[c] : 0;
        s.a[c] = s.inverse[c] * (s.r ? s.r[c] * gamma : gamma);
        s.b[c] = s.r ? s.d[c] * gamma + beta : beta;
    }
    cn__each_sample(pass, normalize_samples, &s);
}

static void backward(const cn__pass *pass)
{
    share s = prepare(pass);
    cn__each_sample(pass, backward_sum_samples, &s);
    cn__add_samples(pass, 2 * s.channels, s.row, s.a);
    for (int64_t c = 0; c < s.channels; c++) {
        real gamma = s.gamma ? s.gamma[c] : 1;
        s.factor[c] = s.inverse[c] * (s.r ? s.r[c] * gamma : gamma);
        s.dy_mean[c] = uses_batch(pass) ? s.a[c] / s.count : 0;
        s.dot_mean[c] = uses_batch(pass) ? s.b[c] / s.count : 0;
    }
    if (pass->dx) cn__each_sample(pass, backward_samples, &s);
    for (int64_t c = 0; s.r && c < s.channels; c++) s.b[c] = s.r[c] * s.b[c] + s.d[c] * s.a[c];
    /* last, since it may move gamma */
    if (s.gamma) cn__sink_weight(pass, 0, s.b);
    if (s.beta) cn__sink_weight(pass, s.gamma ? 1 : 0, s.a);
}

const cn__layer_math CN_T(cn__layer_batch_normalization_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"
#include "layers/initializer.h"

#include <string.h>

#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_batch_normalization_options, name)}
static const cn__field fields[] = {
    OPTION(axis, INT64),
    OPTION(momentum, REAL),
    OPTION(epsilon, REAL),
    OPTION(center, INT),
    OPTION(scale, INT),
    OPTION(beta_initializer, TEXT),
    OPTION(gamma_initializer, TEXT),
    OPTION(moving_mean_initializer, TEXT),
    OPTION(moving_variance_initializer, TEXT),
    OPTION(beta_regularizer, TEXT),
    OPTION(gamma_regularizer, TEXT),
    OPTION(beta_constraint, TEXT),
    OPTION(gamma_constraint, TEXT),
    OPTION(renorm, INT),
    OPTION(renorm_clipping, TEXT),
    OPTION(renorm_momentum, REAL),
    OPTION(synchronized, INT),
    OPTION(trainable, INT),
    CN__LAYER_FIELDS(cn_batch_normalization_options),
};

static const cn__field bounds_fields[] = {
    {"rmax", CN__FIELD_REAL, offsetof(cn__renorm_bounds, rmax)},
    {"rmin", CN__FIELD_REAL, offsetof(cn__renorm_bounds, rmin)},
    {"dmax", CN__FIELD_REAL, offsetof(cn__renorm_bounds, dmax)},
};

int cn__renorm_bounds_of(const cn_layer *layer, cn__renorm_bounds *bounds)
{
    const cn_batch_normalization_options *options = layer->options;
    const char *label = cn__layer_label(layer);
    cn__spec spec;
    *bounds = (cn__renorm_bounds){NAN, NAN, NAN};
    if (!options->renorm_clipping) return CN_OK;
    if (cn__spec_parse(options->renorm_clipping, &spec) < 0) return cn__fail_prefix("%s: renorm_clipping: ", label);
    if (strcmp(spec.name, "dict") || (spec.n && !spec.keys[0]))
        return cn__fail(CN_EINVAL, "%s: renorm_clipping is written dict(rmax=3, rmin=0.3, dmax=5), where each may be "
                        "left out; got \"%.64s\"", label, options->renorm_clipping);
    if (cn__fields_set(bounds_fields, 3, bounds, &spec) < 0) return cn__fail_prefix("%s: renorm_clipping: ", label);
    if (bounds->rmax < bounds->rmin)
        return cn__fail(CN_EINVAL, "%s: renorm_clipping: rmax must be at least rmin, %g, got %g", label, bounds->rmin,
                        bounds->rmax);
    if (bounds->dmax < 0)
        return cn__fail(CN_EINVAL, "%s: renorm_clipping: dmax must be at least 0, got %g", label, bounds->dmax);
    return CN_OK;
}

static int check(cn_layer *layer)
{
    const cn_batch_normalization_options *options = layer->options;
    const char *label = cn__layer_label(layer);
    cn__renorm_bounds bounds;
    if (options->axis == 0)
        return cn__fail(CN_EINVAL, "%s: axis 0 is the batch; give the axis of the channels, counted from 1, or -1 for "
                        "the last", label);
    if (!(options->momentum >= 0 && options->momentum <= 1))
        return cn__fail(CN_EINVAL, "%s: momentum must lie in 0 ... 1, got %g", label, options->momentum);
    if (!(options->renorm_momentum >= 0 && options->renorm_momentum <= 1))
        return cn__fail(CN_EINVAL, "%s: renorm_momentum must lie in 0 ... 1, got %g", label, options->renorm_momentum);
    CN_TRY(cn__renorm_bounds_of(layer, &bounds));
    if (!(options->epsilon >= 0 && options->epsilon <= 1e30))
        return cn__fail(CN_EINVAL, "%s: epsilon must be a number of at least 0, got %g", label, options->epsilon);
    CN_TRY(cn__initializer_check(label, options->beta_initializer));
    CN_TRY(cn__initializer_check(label, options->gamma_initializer));
    CN_TRY(cn__initializer_check(label, options->moving_mean_initializer));
    CN_TRY(cn__initializer_check(label, options->moving_variance_initializer));
    CN_TRY(cn__layer_check_rules(layer, "beta", options->beta_regularizer, options->beta_constraint));
    return cn__layer_check_rules(layer, "gamma", options->gamma_regularizer, options->gamma_constraint);
}

static int build(cn_layer *layer)
{
    const cn_batch_normalization_options *options = layer->options;
    int64_t axis = options->axis < 0 ? options->axis + layer->input_ndim : options->axis - 1;
    if (axis < 0 || axis >= layer->input_ndim)
        return cn__fail(CN_ESHAPE, "%s: axis must lie in 1 ... %d or -%d ... -1 for samples of %d axes, got %lld",
                        cn__layer_label(layer), layer->input_ndim, layer->input_ndim, layer->input_ndim,
                        (long long)options->axis);
    int64_t channels = layer->input_shape[axis];
    cn__layer_keep_shape(layer);
    if (options->scale) {
        cn__layer_add_weight(layer, "gamma", options->gamma_initializer, 1, &channels);
        CN_TRY(cn__layer_set_rules(layer, options->gamma_regularizer, options->gamma_constraint));
    }
    if (options->center) {
        cn__layer_add_weight(layer, "beta", options->beta_initializer, 1, &channels);
        CN_TRY(cn__layer_set_rules(layer, options->beta_regularizer, options->beta_constraint));
    }
    cn__layer_add_state(layer, "moving_mean", options->moving_mean_initializer, 1, &channels);
    cn__layer_add_state(layer, "moving_variance", options->moving_variance_initializer, 1, &channels);
    if (options->renorm) {
        const char *variance = options->moving_variance_initializer;
        cn__layer_add_state(layer, "moving_stddev", variance, 1, &channels)->begins_with_root = 1;
        cn__layer_add_state(layer, "renorm_mean", options->moving_mean_initializer, 1, &channels);
        cn__layer_add_state(layer, "renorm_stddev", variance, 1, &channels)->begins_with_root = 1;
    }
    layer->workspace_size = (options->renorm ? 6 : 4) * channels;
    layer->shared_size = 3 * channels;
    return CN_OK;
}

const cn__layer_class cn__layer_batch_normalization = {
    .name = "BatchNormalization",
    .snake = "batch_normalization",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_batch_normalization_options),
    .defaults = &(const cn_batch_normalization_options){CN_BATCH_NORMALIZATION_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_batch_normalization_create(const cn_batch_normalization_options *options)
{
    return cn__layer_create(&cn__layer_batch_normalization, options);
}
#endif
