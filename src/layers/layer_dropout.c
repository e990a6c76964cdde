#include "layers/layer_parts.h"

#include <string.h>

/* In training each number stays with probability 1 - rate, multiplied by 1 / (1 - rate), and is 0 otherwise; else
 * y = x. Whether element e of the batch stays is decided by word e % 4 at index e / 4 of the layer's stream
 * (layer_parts.h): it goes if the word's upper 24 bits, as a fraction, are below rate. With a noise_shape the elements
 * are those of an array of that shape per sample. The workspace keeps the factors. */
typedef struct share {
    const cn__pass *pass;
    cn__layer_stream stream;
    uint32_t below; /* words whose upper 24 bits are below this go */
    real factor;
    int64_t size; /* factors per sample */
    int ndim;
    int64_t shape[CN_MAX_NDIM], step[CN_MAX_NDIM]; /* of a sample, and how its axes walk through the factors */
} share;

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn_dropout_options *options = layer->options;
    share s = {.pass = pass, .stream = cn__layer_stream_of(pass, CN__FOR_DROPOUT, options->seed),
               .below = (uint32_t)ceil(options->rate * 0x1p24), .size = layer->workspace_size,
               .factor = options->rate < 1 ? (real)(1 / (1 - options->rate)) : 0, .ndim = layer->input_ndim};
    int64_t step = 1;
    for (int a = s.ndim - 1; a >= 0; a--) {
        int shared = options->noise_shape[0] && options->noise_shape[a] == 1;
        s.shape[a] = layer->input_shape[a];
        s.step[a] = shared ? 0 : step;
        step *= shared ? 1 : s.shape[a];
    }
    return s;
}

static void draw(const share *s, int64_t begin, int64_t end, real *factors)
{
    uint32_t words[CN__PHILOX_WORDS];
    for (int64_t block = begin / CN__PHILOX_WORDS; block * CN__PHILOX_WORDS < end; block++) {
        int64_t from = block * CN__PHILOX_WORDS, first = from < begin ? begin - from : 0;
        int64_t n = end - from < CN__PHILOX_WORDS ? end - from : CN__PHILOX_WORDS;
        cn__philox_words(s->stream.seed, s->stream.purpose, s->stream.step, (uint64_t)block * CN__PHILOX_COUNTERS,
                         words);
        for (int64_t i = first; i < n; i++) factors[from + i - begin] = words[i] >> 8 < s->below ? 0 : s->factor;
    }
}

/* to = from * factor over one sample. A number that goes is 0 even if it was infinite. */
static void apply(const share *s, const real *factors, const real *from, real *to)
{
    int64_t size = s->pass->layer->output_size, index[CN_MAX_NDIM] = {0}, at = 0;
    if (s->size == size) {
        for (int64_t i = 0; i < size; i++) to[i] = factors[i] == 0 ? 0 : from[i] * factors[i];
        return;
    }
    for (int64_t i = 0; i < size; i++) {
        to[i] = factors[at] == 0 ? 0 : from[i] * factors[at];
        for (int a = s->ndim - 1; a >= 0; a--) {
            at += s->step[a];
            if (++index[a] < s->shape[a]) break;
            at -= s->step[a] * s->shape[a];
            index[a] = 0;
        }
    }
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn__pass *pass = s->pass;
    int64_t size = pass->layer->output_size;
    real *factors = pass->workspace;
    (void)thread;
    draw(s, begin * s->size, end * s->size, factors + begin * s->size);
    for (int64_t b = begin; b < end; b++)
        apply(s, factors + b * s->size, (const real *)pass->x + b * size, (real *)pass->y + b * size);
    cn__round_output(pass, begin, end);
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn__pass *pass = s->pass;
    int64_t size = pass->layer->output_size;
    (void)thread;
    for (int64_t b = begin; b < end; b++)
        apply(s, (const real *)pass->workspace + b * s->size, (const real *)pass->dy + b * size,
              (real *)pass->dx + b * size);
}

static void forward(const cn__pass *pass)
{
    if (pass->training <= 0) {
        memcpy(pass->y, pass->x, (size_t)(pass->batch * pass->layer->output_size) * sizeof(real));
        return;
    }
    share s = prepare(pass);
    cn__each_sample(pass, forward_samples, &s);
}

static void backward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (pass->dx) cn__each_sample(pass, backward_samples, &s);
}

const cn__layer_math CN_T(cn__layer_dropout_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"rate", CN__FIELD_REAL, offsetof(cn_dropout_options, rate)},
    {"noise_shape", CN__FIELD_SHAPE, offsetof(cn_dropout_options, noise_shape)},
    {"seed", CN__FIELD_INT64, offsetof(cn_dropout_options, seed)},
    CN__LAYER_FIELDS(cn_dropout_options),
};

static int check(cn_layer *layer)
{
    const cn_dropout_options *options = layer->options;
    if (options->rate >= 0 && options->rate <= 1) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: rate must lie in 0 ... 1, got %g", cn__layer_label(layer), options->rate);
}

static int build(cn_layer *layer)
{
    const cn_dropout_options *options = layer->options;
    int ndim = 0;
    cn__layer_keep_shape(layer);
    layer->workspace_size = layer->input_size;
    while (ndim < CN_MAX_NDIM && options->noise_shape[ndim]) ndim++;
    if (!ndim) return CN_OK;
    if (ndim != layer->input_ndim)
        return cn__fail(CN_ESHAPE, "%s: noise_shape has %d axes, a sample has %d; both go without the batch",
                        cn__layer_label(layer), ndim, layer->input_ndim);
    layer->workspace_size = 1;
    for (int a = 0; a < ndim; a++) {
        if (options->noise_shape[a] != 1 && options->noise_shape[a] != layer->input_shape[a])
            return cn__fail(CN_ESHAPE, "%s: size %d of noise_shape must be 1 or %lld as in the input, got %lld",
                            cn__layer_label(layer), a + 1, (long long)layer->input_shape[a],
                            (long long)options->noise_shape[a]);
        layer->workspace_size *= options->noise_shape[a];
    }
    return CN_OK;
}

const cn__layer_class cn__layer_dropout = {
    .name = "Dropout",
    .snake = "dropout",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_dropout_options),
    .defaults = &(const cn_dropout_options){CN_DROPOUT_DEFAULTS},
    .check = check,
    .build = build,
    .hands_on = CN__HANDS_ON_UNTRAINED,
};

cn_layer *cn_dropout_create(const cn_dropout_options *options)
{
    return cn__layer_create(&cn__layer_dropout, options);
}
#endif
