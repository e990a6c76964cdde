#include "layers/engine_activation.h"
#include "layers/layer.h"

/* y = activation(x) */
typedef struct share {
    const cn__pass *pass;
    const cn__activation_math *math;
} share;

static void forward_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t columns = s->pass->layer->output_shape[s->pass->layer->output_ndim - 1];
    (void)thread;
    s->math->forward(end - begin, columns, (const real *)s->pass->x + begin * columns,
                     (real *)s->pass->y + begin * columns);
}

static void backward_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t columns = s->pass->layer->output_shape[s->pass->layer->output_ndim - 1], at = begin * columns;
    (void)thread;
    s->math->backward(end - begin, columns, (const real *)s->pass->x + at, (const real *)s->pass->y + at,
                      (const real *)s->pass->dy + at, (real *)s->pass->dx + at);
}

static int64_t count_rows(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    return pass->batch * (layer->output_size / layer->output_shape[layer->output_ndim - 1]);
}

static void forward(const cn__pass *pass)
{
    int activation = pass->skip_activation ? CN__ACTIVATION_linear : pass->layer->activation;
    cn__parallel(pass->pool, count_rows(pass), forward_rows, &(share){pass, cn__activation_maths[activation]});
}

static void backward(const cn__pass *pass)
{
    int activation = pass->skip_activation ? CN__ACTIVATION_linear : pass->layer->activation;
    if (pass->dx)
        cn__parallel(pass->pool, count_rows(pass), backward_rows, &(share){pass, cn__activation_maths[activation]});
}

const cn__layer_math CN_T(cn__layer_activation_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"activation", CN__FIELD_TEXT, offsetof(cn_activation_options, activation)},
    {"input_shape", CN__FIELD_SHAPE, offsetof(cn_activation_options, input_shape)},
    {"name", CN__FIELD_TEXT, offsetof(cn_activation_options, name)},
};

static int check(cn_layer *layer)
{
    const cn_activation_options *options = layer->options;
    return cn__activation_find(cn__layer_label(layer), options->activation, &layer->activation);
}

static int build(cn_layer *layer)
{
    if (cn__activation_classes[layer->activation]->by_row && layer->input_shape[layer->input_ndim - 1] == 1)
        return cn__fail(CN_EINVAL, "%s: softmax over one unit is always 1; use sigmoid, or one unit per class",
                        cn__layer_label(layer));
    cn__layer_keep_shape(layer);
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
