#include "layers/layer_parts.h"

/* y = x * scale + offset, each rounded on its own as Keras does. Both are one number, or one for each of the
 * columns. */
typedef struct share {
    const cn__pass *pass;
    const double *scale, *offset;
    int64_t columns, scale_step, offset_step; /* a step of 0: one number for all columns */
} share;

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn_rescaling_options *o = layer->options;
    share s = {.pass = pass, .scale = &o->scale, .offset = &o->offset, .columns = layer->output_size};
    if (!o->n_scales && !o->n_offsets) return s;
    s.columns = layer->input_shape[layer->input_ndim - 1];
    s.scale_step = o->n_scales > 1;
    s.offset_step = o->n_offsets > 1;
    if (o->n_scales) s.scale = o->scales;
    if (o->n_offsets) s.offset = o->offsets;
    return s;
}

static void forward_row(const share *s, const real *x, real *y)
{
    real scale = (real)*s->scale, offset = (real)*s->offset;
    if (!s->scale_step && !s->offset_step)
        for (int64_t c = 0; c < s->columns; c++) y[c] = x[c] * scale + offset;
    else
        for (int64_t c = 0; c < s->columns; c++)
            y[c] = x[c] * (real)s->scale[c * s->scale_step] + (real)s->offset[c * s->offset_step];
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t size = s->pass->layer->output_size;
    (void)thread;
    for (int64_t i = begin * size; i < end * size; i += s->columns)
        forward_row(s, (const real *)s->pass->x + i, (real *)s->pass->y + i);
    cn__round_output(s->pass, begin, end);
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const real *dy = s->pass->dy;
    real *dx = s->pass->dx;
    int64_t size = s->pass->layer->output_size;
    (void)thread;
    for (int64_t i = begin * size; i < end * size; i += s->columns)
        for (int64_t c = 0; c < s->columns; c++) dx[i + c] = dy[i + c] * (real)s->scale[c * s->scale_step];
}

static void forward(const cn__pass *pass)
{
    share s = prepare(pass);
    cn__each_sample(pass, forward_samples, &s);
}

static void backward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (pass->dx) cn__each_sample(pass, backward_samples, &s);
}

const cn__layer_math CN_T(cn__layer_rescaling_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

#define DISTANCE(from, to) (offsetof(cn_rescaling_options, to) - offsetof(cn_rescaling_options, from))
_Static_assert(DISTANCE(scale, scales) == offsetof(cn__reals, many) &&
               DISTANCE(scale, n_scales) == offsetof(cn__reals, n) &&
                   DISTANCE(offset, offsets) == offsetof(cn__reals, many) &&
                   DISTANCE(offset, n_offsets) == offsetof(cn__reals, n), "three members are one cn__reals");

static const cn__field fields[] = {
    {"scale", CN__FIELD_REALS, offsetof(cn_rescaling_options, scale)},
    {"offset", CN__FIELD_REALS, offsetof(cn_rescaling_options, offset)},
    CN__LAYER_FIELDS(cn_rescaling_options),
};

static int check_count(const cn_layer *layer, const char *name, int64_t n)
{
    int64_t columns = layer->input_ndim ? layer->input_shape[layer->input_ndim - 1] : 1;
    if (n <= 1 || n == columns) return CN_OK;
    return cn__fail(CN_ESHAPE, "%s: %s is one number, or one for each entry of the last axis, which has %lld; got %lld",
                    cn__layer_label(layer), name, (long long)columns, (long long)n);
}

static int all_finite(double one, const double *many, int64_t n)
{
    int finite = isfinite(one);
    for (int64_t i = 0; i < n; i++) finite &= isfinite(many[i]) != 0;
    return finite;
}

static int check(cn_layer *layer)
{
    const cn_rescaling_options *o = layer->options;
    if (!all_finite(o->scale, o->scales, o->n_scales) || !all_finite(o->offset, o->offsets, o->n_offsets))
        return cn__fail(CN_EINVAL, "%s: scale and offset must be finite numbers, got %g and %g", cn__layer_label(layer),
                        o->scale, o->offset);
    return CN_OK;
}

static int build(cn_layer *layer)
{
    const cn_rescaling_options *options = layer->options;
    CN_TRY(check_count(layer, "scale", options->n_scales));
    CN_TRY(check_count(layer, "offset", options->n_offsets));
    cn__layer_keep_shape(layer);
    return CN_OK;
}

const cn__layer_class cn__layer_rescaling = {
    .name = "Rescaling",
    .snake = "rescaling",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_rescaling_options),
    .defaults = &(const cn_rescaling_options){.scale = 1},
    .check = check,
    .build = build,
};

cn_layer *cn_rescaling_create(const cn_rescaling_options *options)
{
    return cn__layer_create(&cn__layer_rescaling, options);
}
#endif
