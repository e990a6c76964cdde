#include "layers/engine_activation.h"
#include "layers/layer_parts.h"

/* y = activation(x) along the last axis */
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
    cn__each_sample(pass, forward_samples, &s);
}

void cn__activation_backward(const cn__pass *pass)
{
    share s = prepare(pass);
    if (pass->dx) cn__each_sample(pass, backward_samples, &s);
}

const cn__layer_math CN_T(cn__layer_activation_math) = {cn__activation_forward, cn__activation_backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"activation", CN__FIELD_TEXT, offsetof(cn_activation_options, activation)},
    {"input_shape", CN__FIELD_SHAPE, offsetof(cn_activation_options, input_shape)},
    {"activity_regularizer", CN__FIELD_TEXT, offsetof(cn_activation_options, activity_regularizer)},
    {"name", CN__FIELD_TEXT, offsetof(cn_activation_options, name)},
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
    int64_t columns = layer->input_ndim ? layer->input_shape[layer->input_ndim - 1] : 1;
    if (class_->by_row && columns == 1)
        return cn__fail(CN_EINVAL, "%s: %s over one unit is always the same; use sigmoid, or one unit per class",
                        cn__layer_label(layer), class_->name);
    if (class_->halves && columns % 2 != 0)
        return cn__fail(CN_ESHAPE, "%s: %s splits the last axis in two halves, but it has %lld entries",
                        cn__layer_label(layer), class_->name, (long long)columns);
    cn__layer_keep_shape(layer);
    if (class_->halves) layer->output_shape[layer->output_ndim - 1] = columns / 2;
    return CN_OK;
}

const cn__layer_class cn__layer_activation = {
    .name = "Activation",
    .snake = "activation",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
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
