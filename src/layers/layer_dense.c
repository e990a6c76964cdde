#include "kernels/bf16.h"
#include "kernels/dense_bf16.h"
#include "layers/along_axes.h"

/* y = activation(x . kernel + bias) on the last axis.
 *   x (B,I)  kernel (I,O)  bias (O)  y (B,O);  B is the batch times all axes but the last.
 * Backward, with dz = dy * activation'(z):  dx = dz . kernel^T,  dkernel = x^T . dz,  dbias = sum_B dz.
 * In mixed_bfloat16 the three products round their operands, and y is rounded unless it is the model's output; all else
 * stays float32 (Keras rounds z twice more on the way, before and after adding the bias). */
typedef struct share {
    const cn__activation_math *math;
    const cn__activation_options *options;
    int64_t columns;
    const real *bias, *y, *dy;
    real *z, *out;
    int rounds;
} share;

static void round_all(int64_t n, real *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = (real)cn__bf16_round((float)y[i]);
}

static void finish_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    (void)thread;
    for (int64_t r = begin; s->bias && r < end; r++)
        for (int64_t c = 0; c < s->columns; c++) s->z[r * s->columns + c] += s->bias[c];
    s->math->forward(s->options, end - begin, s->columns, s->z + begin * s->columns, s->out + begin * s->columns);
    if (s->rounds) round_all((end - begin) * s->columns, s->out + begin * s->columns);
}

static void apply_derivative(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    int64_t at = begin * s->columns;
    (void)thread;
    s->math->backward(s->options, end - begin, s->columns, s->z ? s->z + at : NULL, s->y + at, s->dy + at, s->out + at);
}

static cn__dense products_of(const cn__pass *pass)
{
    const cn__weight *kernel = &pass->layer->weights[0];
    return (cn__dense){.pool = pass->pool,
                       .rows = pass->batch * (pass->layer->input_size / kernel->rows),
                       .inputs = kernel->rows,
                       .outputs = kernel->columns,
                       .kernel = pass->weights[0],
                       .kernel_stride = pass->kernel_panel ? pass->kernel_panel / kernel->rows : kernel->stride,
                       .kernel_panel = pass->kernel_panel};
}

/* What runs over the rows of y. Along other axes it comes after them. */
static int own_activation(const cn__pass *pass)
{
    return pass->skip_activation || pass->layer->n_along ? CN__ACTIVATION_linear : pass->layer->activation;
}

static void forward(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn__weight *kernel = &layer->weights[0];
    int64_t rows = pass->batch * (layer->input_size / kernel->rows);
    int activation = own_activation(pass);
    /* Activations whose derivative needs z keep it in the workspace; the others work in place. */
    real *z = cn__activation_needs_input(activation, &layer->activation_options) ? pass->workspace : pass->y;
    cn__dense d = products_of(pass);
    /* Bytes come with the bias added and relu applied; the other products leave both to finish_rows. */
    const real *bias = layer->n_weights > 1 ? pass->weights[1] : NULL;
    int does_relu = pass->bytes && activation == CN__ACTIVATION_relu &&
                    cn__activation_is_plain(activation, &layer->activation_options);
    int rounds = pass->bf16 && !pass->is_last && !layer->n_along;
    cn__finish finish = {.bias = bias, .relu = does_relu, .rounds = does_relu && rounds};
    if (pass->bf16 && pass->bytes)
        cn__dense_forward_bf16_bytes(&d, pass->bf16, pass->bytes, &finish, z);
    else if (pass->bf16)
        cn__dense_forward_bf16(&d, pass->bf16, pass->x, z);
    else if (pass->bytes)
        cn__dense_forward_bytes(&d, pass->bytes, &finish, z, 2);
    else
        cn__dense_forward(&d, pass->x, z);
    share s = {.math = cn__activation_maths[activation], .options = &layer->activation_options,
               .columns = kernel->columns, .z = z, .out = pass->y,
               .rounds = rounds, .bias = pass->bytes ? NULL : bias};
    if (!does_relu) cn__parallel(pass->pool, rows, finish_rows, &s);
    if (layer->n_along) cn__along_forward(&(cn__along){pass, layer->output_shape, pass->y, pass->y, NULL, NULL});
}

static void backward_rows(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    const cn__weight *kernel = &layer->weights[0];
    int64_t rows = pass->batch * (layer->input_size / kernel->rows);
    int activation = own_activation(pass);
    if (layer->n_along) cn__along_backward(&(cn__along){pass, layer->output_shape, NULL, pass->y, pass->dy, pass->dy});
    if (activation != CN__ACTIVATION_linear) {
        int keeps_z = cn__activation_needs_input(activation, &layer->activation_options);
        share s = {.math = cn__activation_maths[activation], .options = &layer->activation_options,
                   .columns = kernel->columns, .y = pass->y, .dy = pass->dy, .out = pass->dy,
                   .z = keeps_z ? pass->workspace : NULL};
        cn__parallel(pass->pool, rows, apply_derivative, &s);
    }
    if (!pass->dx) return;
    cn__dense d = products_of(pass);
    if (pass->bf16) cn__dense_backward_input_bf16(&d, pass->bf16, pass->dy, pass->dx);
    else cn__dense_backward_input(&d, pass->dy, pass->dx);
}

static void backward_weights(const cn__pass *pass)
{
    const cn_layer *layer = pass->layer;
    cn__dense d = products_of(pass);
    if (layer->n_weights > 1 && !pass->bf16) cn__dense_backward_bias(&d, pass->dy, &pass->sinks[1]);
    if (pass->bf16 && pass->bytes)
        cn__dense_backward_kernel_bf16_bytes(&d, pass->bf16, pass->bytes, pass->dy, &pass->sinks[0]);
    else if (pass->bf16)
        cn__dense_backward_kernel_bf16(&d, pass->bf16, pass->x, pass->dy, &pass->sinks[0]);
    else if (pass->bytes)
        cn__dense_backward_kernel_bytes(&d, pass->bytes, pass->dy, &pass->sinks[0], 2);
    else
        cn__dense_backward_kernel(&d, pass->x, pass->dy, &pass->sinks[0]);
    if (layer->n_weights > 1 && pass->bf16) cn__dense_backward_bias_bf16(&d, pass->bf16, pass->dy, &pass->sinks[1]);
}

/* dx first: the weight gradient may move the kernel. */
static void backward(const cn__pass *pass)
{
    backward_rows(pass);
    backward_weights(pass);
}

const cn__layer_math CN_T(cn__layer_dense_math) = {forward, backward, backward_rows, backward_weights};

#if CN_ONCE
#include "base/error.h"
#include "layers/initializer.h"

static const cn__field fields[] = {
    {"units", CN__FIELD_INT64, offsetof(cn_dense_options, units)},
    {"activation", CN__FIELD_TEXT, offsetof(cn_dense_options, activation)},
    {"use_bias", CN__FIELD_INT, offsetof(cn_dense_options, use_bias)},
    {"kernel_initializer", CN__FIELD_TEXT, offsetof(cn_dense_options, kernel_initializer)},
    {"bias_initializer", CN__FIELD_TEXT, offsetof(cn_dense_options, bias_initializer)},
    {"kernel_regularizer", CN__FIELD_TEXT, offsetof(cn_dense_options, kernel_regularizer)},
    {"bias_regularizer", CN__FIELD_TEXT, offsetof(cn_dense_options, bias_regularizer)},
    {"activity_regularizer", CN__FIELD_TEXT, offsetof(cn_dense_options, activity_regularizer)},
    {"kernel_constraint", CN__FIELD_TEXT, offsetof(cn_dense_options, kernel_constraint)},
    {"bias_constraint", CN__FIELD_TEXT, offsetof(cn_dense_options, bias_constraint)},
    {"trainable", CN__FIELD_INT, offsetof(cn_dense_options, trainable)},
    {"input_shape", CN__FIELD_SHAPE, offsetof(cn_dense_options, input_shape)},
    {"name", CN__FIELD_TEXT, offsetof(cn_dense_options, name)},
};

static int check(cn_layer *layer)
{
    const cn_dense_options *options = layer->options;
    const char *label = cn__layer_label(layer);
    if (options->units < 1 || options->units > INT32_MAX)
        return cn__fail(CN_EINVAL, "%s: units must be a whole number from 1 to %d, got %lld", label, INT32_MAX,
                        (long long)options->units);
    CN_TRY(cn__activation_find(label, options->activation, &layer->activation, &layer->activation_options));
    if (cn__activation_classes[layer->activation]->by_row && options->units == 1 &&
        layer->activation_options.axis == -1)
        return cn__fail(CN_EINVAL, "%s: %s over one unit is always the same; use sigmoid, or one unit per class",
                        label, cn__activation_classes[layer->activation]->name);
    if (cn__activation_classes[layer->activation]->halves)
        return cn__fail(CN_EINVAL, "%s: %s gives half the units; put it into a layer of its own, activation(%s)", label,
                        cn__activation_classes[layer->activation]->name, options->activation);
    CN_TRY(cn__initializer_check(label, options->kernel_initializer));
    CN_TRY(cn__initializer_check(label, options->bias_initializer));
    CN_TRY(cn__layer_check_rules(layer, "kernel", options->kernel_regularizer, options->kernel_constraint));
    return cn__layer_check_rules(layer, "bias", options->bias_regularizer, options->bias_constraint);
}

static int build(cn_layer *layer)
{
    const cn_dense_options *options = layer->options;
    if (layer->input_ndim < 1)
        return cn__fail(CN_ESHAPE, "%s: needs an input with at least one axis besides the batch",
                        cn__layer_label(layer));
    cn__layer_keep_shape(layer);
    layer->output_shape[layer->output_ndim - 1] = options->units;
    int64_t inputs = layer->input_shape[layer->input_ndim - 1];
    cn__layer_add_weight(layer, "kernel", options->kernel_initializer, 2, (int64_t[]){inputs, options->units});
    CN_TRY(cn__layer_set_rules(layer, options->kernel_regularizer, options->kernel_constraint));
    if (options->use_bias) {
        cn__layer_add_weight(layer, "bias", options->bias_initializer, 1, &options->units);
        CN_TRY(cn__layer_set_rules(layer, options->bias_regularizer, options->bias_constraint));
    }
    CN_TRY(cn__layer_set_activation_axis(layer, layer->output_ndim, layer->output_shape));
    if (cn__activation_needs_input(layer->activation, &layer->activation_options))
        layer->workspace_size = layer->input_size / inputs * options->units;
    return CN_OK;
}

const cn__layer_class cn__layer_dense = {
    .name = "Dense",
    .snake = "dense",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_dense_options),
    .defaults = &(const cn_dense_options){CN_DENSE_DEFAULTS},
    .check = check,
    .build = build,
};

cn_layer *cn_dense_create(const cn_dense_options *options)
{
    return cn__layer_create(&cn__layer_dense, options);
}
#endif
