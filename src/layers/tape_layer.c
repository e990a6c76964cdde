/* The part of layer_tape.c that is the same for every engine: callbacks, shapes, and tensors over the plan's memory. */
#include "layers/layer_tape.h"

#include "autodiff/tape.h"
#include "base/error.h"
#include "layers/initializer.h"

#include <stdio.h>
#include <string.h>

typedef struct tape_options {
    cn_tape_layer_options given;
    int is_building;
    cn__tape_layer_state state;
} tape_options;

static tape_options *options_of(const cn_layer *layer)
{
    return layer->options;
}

cn__tape_layer_state *cn__tape_layer_state_of(const cn_layer *layer)
{
    return &options_of(layer)->state;
}

/* --- tensors over the plan's memory --- */

static cn_tensor *over_batch(const cn__pass *pass, cn_dtype dtype, int ndim, const int64_t *shape, const void *numbers)
{
    int64_t whole[CN_MAX_NDIM] = {pass->batch};
    for (int i = 0; i < ndim; i++) whole[i + 1] = shape[i];
    return cn_tensor_wrap(dtype, ndim + 1, whole, (void *)numbers);
}

static cn_tensor *over_weight(const cn__weight *weight, cn_dtype dtype, void *numbers)
{
    cn_tensor *tensor = cn_tensor_wrap(dtype, weight->ndim, weight->shape, numbers);
    if (!tensor || weight->ndim < 2) return tensor;
    int64_t stride = weight->stride * (int64_t)cn_dtype_size(dtype);
    for (int i = weight->ndim - 2; i >= 0; i--) {
        tensor->strides[i] = stride;
        stride *= weight->shape[i];
    }
    return tensor;
}

static void forget_pass(cn__tape_layer_state *state)
{
    cn_tape_destroy(&state->tape);
    cn_tensor_destroy(&state->x);
    for (int i = 0; i < CN__MAX_LAYER_WEIGHTS; i++) cn_tensor_destroy(&state->weights[i]);
    state->y = NULL;
}

/* --- forward and backward --- */

static int check_output(const cn_layer *layer, int64_t batch, const cn_tensor *y)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (!y)
        return cn_error_status() < 0 ? cn__fail_prefix("%s: ", cn__layer_label(layer))
                                     : cn__fail(CN_EINVAL, "%s: its call returned NULL", cn__layer_label(layer));
    cn__shape_text(text, y->ndim, y->shape);
    if (y->ndim < 1 || y->shape[0] != batch)
        return cn__fail(CN_ESHAPE, "%s: its call gave shape %s for a batch of %lld; the first axis is the batch",
                        cn__layer_label(layer), text, (long long)batch);
    if (layer->is_built && (y->ndim != layer->output_ndim + 1 ||
                            memcmp(y->shape + 1, layer->output_shape, (size_t)layer->output_ndim * sizeof *y->shape)))
        return cn__fail(CN_ESHAPE, "%s: its call gave shape %s, but another one for the first batch",
                        cn__layer_label(layer), text);
    return CN_OK;
}

static int run_forward(const cn__pass *pass, cn_dtype dtype)
{
    const cn_layer *layer = pass->layer;
    const cn_tape_layer_options *given = &options_of(layer)->given;
    cn__tape_layer_state *state = cn__tape_layer_state_of(layer);
    forget_pass(state);
    state->x = over_batch(pass, dtype, layer->input_ndim, layer->input_shape, pass->x);
    if (!state->x) return CN_ENOMEM;
    for (int i = 0; i < layer->n_weights; i++) {
        state->weights[i] = over_weight(&layer->weights[i], dtype, pass->weights[i]);
        if (!state->weights[i]) return CN_ENOMEM;
    }
    state->tape = cn_tape_create(NULL);
    if (!state->tape) return CN_ENOMEM;
    if (pass->training > 0) {
        CN_TRY(cn_tape_watch(state->tape, state->x));
        for (int i = 0; i < layer->n_weights; i++) CN_TRY(cn_tape_watch(state->tape, state->weights[i]));
    }
    state->y = given->call(state->x, state->weights, pass->training > 0, given->context);
    cn_tape_stop(state->tape);
    CN_TRY(check_output(layer, pass->batch, state->y));
    cn__tensor_convert(state->y, dtype, pass->y);
    if (pass->training <= 0) forget_pass(state);
    return CN_OK;
}

/* After a failure the numbers do not matter, but they are numbers. */
static void fail_forward(const cn__pass *pass, cn_dtype dtype, int status)
{
    cn_tape_stop(cn__tape_layer_state_of(pass->layer)->tape);
    forget_pass(cn__tape_layer_state_of(pass->layer));
    memset(pass->y, 0, (size_t)(pass->batch * pass->layer->output_size) * cn_dtype_size(dtype));
    *pass->status = status;
}

void cn__tape_layer_forward(const cn__pass *pass, cn_dtype dtype)
{
    cn__recorder *others = cn__record_pause(); /* the caller's tapes have no part in this */
    int status = run_forward(pass, dtype);
    cn__record_resume(others);
    if (status < 0) fail_forward(pass, dtype, status);
}

static int run_backward(const cn__pass *pass, cn_dtype dtype)
{
    const cn_layer *layer = pass->layer;
    cn__tape_layer_state *state = cn__tape_layer_state_of(layer);
    cn_tensor *sources[1 + CN__MAX_LAYER_WEIGHTS], *gradients[1 + CN__MAX_LAYER_WEIGHTS] = {NULL};
    int n = 0;
    for (int i = 0; i < layer->n_weights; i++) sources[n++] = state->weights[i];
    if (pass->dx) sources[n++] = state->x;

    cn__record_begin(&state->tape->recorder); /* what is made here goes with the tape */
    state->tape->recorder.records = 0;
    cn_tensor *dy = over_batch(pass, dtype, layer->output_ndim, layer->output_shape, pass->dy);
    cn__record_end(&state->tape->recorder);
    if (!dy) return CN_ENOMEM;
    CN_TRY(cn__tape_gradient(state->tape, state->y, dy, n, sources, gradients));
    for (int i = 0; i < n; i++) {
        if (gradients[i]) continue;
        cn__record_begin(&state->tape->recorder);
        gradients[i] = cn_tensor_create(dtype, sources[i]->ndim, sources[i]->shape);
        cn__record_end(&state->tape->recorder);
        if (!gradients[i]) return CN_ENOMEM;
    }
    for (int i = 0; i < layer->n_weights; i++) state->gradients[i] = gradients[i];
    if (pass->dx) cn__tensor_convert(gradients[n - 1], dtype, pass->dx);
    return CN_OK;
}

int cn__tape_layer_backward(const cn__pass *pass, cn_dtype dtype)
{
    if (*pass->status < 0) return 0;
    cn__recorder *others = cn__record_pause();
    int status = run_backward(pass, dtype);
    cn__record_resume(others);
    if (status == CN_OK) return 1;
    cn__fail_prefix("%s: ", cn__layer_label(pass->layer));
    if (pass->dx) memset(pass->dx, 0, (size_t)(pass->batch * pass->layer->input_size) * cn_dtype_size(dtype));
    forget_pass(cn__tape_layer_state_of(pass->layer));
    *pass->status = status;
    return 0;
}

/* --- the layer --- */

static const cn__field fields[] = {
    {"input_shape", CN__FIELD_SHAPE, offsetof(tape_options, given.input_shape)},
    {"name", CN__FIELD_TEXT, offsetof(tape_options, given.name)},
};

int cn_layer_add_weight(cn_layer *layer, const char *name, const char *initializer, int ndim, const int64_t *shape)
{
    if (!layer || layer->class_ != &cn__layer_tape || !options_of(layer)->is_building)
        return cn__fail(CN_EINVAL, "cn_layer_add_weight: call it from the build function of a cn_tape_layer, with the "
                                   "layer that it is given");
    const char *label = cn__layer_label(layer);
    cn__tape_layer_state *state = cn__tape_layer_state_of(layer);
    int i = layer->n_weights;
    if (i == CN_TAPE_LAYER_MAX_WEIGHTS)
        return cn__fail(CN_EINVAL, "%s: a layer has at most %d weights; put several into one tensor and slice it",
                        label, CN_TAPE_LAYER_MAX_WEIGHTS);
    if (!name || !*name || strlen(name) >= sizeof state->weight_names[i])
        return cn__fail(CN_EINVAL, "%s: a weight needs a name of 1 ... 63 characters", label);
    if (!initializer || strlen(initializer) >= sizeof state->initializers[i])
        return cn__fail(CN_EINVAL, "%s: weight %s needs an initializer of at most 127 characters, such as "
                                   "\"glorot_uniform\"", label, name);
    CN_TRY(cn__initializer_check(label, initializer));
    int64_t size = cn__shape_size(CN_FLOAT64, ndim, shape);
    if (size < 1)
        return size < 0 ? cn__fail_prefix("%s: weight %s: ", label, name)
                        : cn__fail(CN_ESHAPE, "%s: weight %s has an axis of size 0", label, name);
    snprintf(state->weight_names[i], sizeof state->weight_names[i], "%s", name);
    snprintf(state->initializers[i], sizeof state->initializers[i], "%s", initializer);
    cn__layer_add_weight(layer, state->weight_names[i], state->initializers[i], ndim, shape);
    return CN_OK;
}

/* The shape of the output is whatever comes out for two samples of zeros. */
static int try_call(cn_layer *layer)
{
    enum { SAMPLES = 2 };
    const cn_tape_layer_options *given = &options_of(layer)->given;
    int64_t shape[CN_MAX_NDIM] = {SAMPLES};
    if (layer->input_ndim + 1 > CN_MAX_NDIM)
        return cn__fail(CN_ESHAPE, "%s: an input of %d axes and the batch are more than %d", cn__layer_label(layer),
                        layer->input_ndim, CN_MAX_NDIM);
    for (int i = 0; i < layer->input_ndim; i++) shape[i + 1] = layer->input_shape[i];
    cn_tensor *weights[CN__MAX_LAYER_WEIGHTS] = {NULL}, *x = cn_tensor_create(CN_FLOAT32, layer->input_ndim + 1, shape);
    if (!x) return CN_ENOMEM;
    for (int i = 0; i < layer->n_weights; i++) {
        weights[i] = cn_tensor_create(CN_FLOAT32, layer->weights[i].ndim, layer->weights[i].shape);
        if (!weights[i]) return CN_ENOMEM;
    }
    cn_tensor *y = given->call(x, weights, 0, given->context);
    CN_TRY(check_output(layer, SAMPLES, y));
    layer->output_ndim = y->ndim - 1;
    for (int i = 0; i < layer->output_ndim; i++) layer->output_shape[i] = y->shape[i + 1];
    return CN_OK;
}

static int build(cn_layer *layer)
{
    tape_options *options = options_of(layer);
    if (!options->given.call)
        return cn__fail(CN_ENOTSUP, "%s: a layer written as tensor operations is code that no text or file can hold; "
                        "build the model in a program, with cn_tape_layer; cn_model_load_weights then reads its "
                        "weights",
                        cn__layer_label(layer));
    cn__recorder *others = cn__record_pause();
    cn_tape *scratch = cn_tape_create(NULL); /* only to clean up */
    int status = scratch ? CN_OK : CN_ENOMEM;
    options->is_building = 1;
    if (status == CN_OK && options->given.build) {
        status = options->given.build(layer, layer->input_ndim, layer->input_shape, options->given.context);
        if (status < 0) cn__fail_prefix("%s: ", cn__layer_label(layer));
    }
    options->is_building = 0;
    if (status >= 0) status = try_call(layer);
    cn_tape_destroy(&scratch);
    cn__record_resume(others);
    return status;
}

static void release(cn_layer *layer)
{
    forget_pass(cn__tape_layer_state_of(layer));
}

const cn__layer_class cn__layer_tape = {
    .name = "TapeLayer",
    .snake = "tape_layer",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(tape_options),
    .defaults = &(const tape_options){.is_building = 0},
    .build = build,
    .release = release,
};

cn_layer *cn_tape_layer_create(const cn_tape_layer_options *options)
{
    if (!options || !options->call)
        return cn__fail_null(CN_EINVAL, "cn_tape_layer: the function that computes the layer is NULL");
    tape_options all = {.given = *options};
    cn_layer *layer = cn__layer_create(&cn__layer_tape, &all);
    if (!layer) return NULL;
    options_of(layer)->given.call = options->call;
    options_of(layer)->given.build = options->build;
    options_of(layer)->given.context = options->context;
    return layer;
}
