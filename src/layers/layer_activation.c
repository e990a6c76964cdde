#include "layers/along_axes.h"

/* y = activation(x), along the last axis unless the layer says otherwise */
typedef struct share {
    const cn__pass *pass;
    const cn__activation_math *math;
    int64_t rows, columns; /* of one sample of x */
} share;

static share prepare(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    int64_t columns = layer->input_ndim ? layer->input_shape[layer->input_ndim - 1] : 1;
    int activation = pass->skip_activation ? CN__ACTIVATION_linear : layer->activation;
    return (share){pass, cn__activation_maths[activation], layer->input_size / columns, columns};
}

static void forward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer *layer = s->pass->layer;
    (void)thread;
    s->math->forward(&layer->activation_options, (end - begin) * s->rows, s->columns,
                     (const real *)s->pass->x + begin * layer->input_size,
                     (real *)s->pass->y + begin * layer->output_size);
    cn__round_output(s->pass, begin, end);
}

static void backward_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn_layer *layer = s->pass->layer;
    int64_t in = begin * layer->input_size, out = begin * layer->output_size;
    (void)thread;
    s->math->backward(&layer->activation_options, (end - begin) * s->rows, s->columns, (const real *)s->pass->x + in,
                      (const real *)s->pass->y + out, (const real *)s->pass->dy + out, (real *)s->pass->dx + in);
}

void cn__activation_forward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (pass->layer->n_along)
        cn__along_forward(&(cn__along){pass, pass->layer->input_shape, pass->x, pass->y, NULL, NULL});
    else cn__each_sample(pass, forward_samples, &s);
}

void cn__activation_backward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (!pass->dx) return;
    if (pass->layer->n_along)
        cn__along_backward(&(cn__along){pass, pass->layer->input_shape, pass->x, pass->y, pass->dy, pass->dx});
    else cn__each_sample(pass, backward_samples, &s);
}

const cn__layer_math CN_T(cn__layer_activation_math) = {cn__activation_forward, cn__activation_backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"activation", CN__FIELD_TEXT, offsetof(cn_activation_options, activation)},
    CN__LAYER_FIELDS(cn_activation_options),
};

static int check(cn_layer *layer)
{
    const cn_activation_options *options = layer->options;
    return cn__activation_find(cn__layer_label(layer), options->activation, &layer->activation,
                               &layer->activation_options);
}

static int build(cn_layer *layer)
{
    const cn__activation_class *class_ = cn__activation_classes[layer->activation];
    CN_TRY(cn__layer_set_activation_axis(layer, layer->input_ndim, layer->input_shape));
    cn__layer_keep_shape(layer);
    if (!class_->halves) return CN_OK;
    int axis = layer->n_along ? layer->along[0] : layer->output_ndim - 1;
    int64_t entries = layer->output_shape[axis];
    if (entries % 2 != 0)
        return cn__fail(CN_ESHAPE, "%s: %s splits %s axis in two halves, but it has %lld entries",
                        cn__layer_label(layer), class_->name, layer->n_along ? "its" : "the last", (long long)entries);
    layer->output_shape[axis] = entries / 2;
    return CN_OK;
}

const cn__layer_class cn__layer_activation = {
    .name = "Activation",
    .snake = "activation",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_activation_options),
    .defaults = &(const cn_activation_options){.activation = NULL},
    .check = check,
    .build = build,
};

cn_layer *cn_activation_create(const cn_activation_options *options)
{
    return cn__layer_create(&cn__layer_activation, options);
}
#endif
