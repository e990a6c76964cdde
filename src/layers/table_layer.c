#include "layers/layer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

#define ENTRY(name) &cn__layer_##name,
const cn__layer_class *const cn__layer_classes[CN__LAYER_COUNT] = {CN__LAYER_LIST(ENTRY)};
#undef ENTRY

/* 2^40 numbers per sample is beyond any machine; the bound keeps later products from overflowing. */
#define LARGEST_SAMPLE ((int64_t)1 << 40)

int cn__layer_has_penalty(const cn_layer *layer)
{
    return layer->activity.l1 != 0 || layer->activity.l2 != 0;
}

int cn__layer_hands_on(const cn_layer *layer, int training)
{
    cn__hands_on how = layer->class_->hands_on;
    if (cn__layer_has_penalty(layer)) return 0; /* a penalty needs an output and a gradient of its own */
    if (how == CN__HANDS_ON && layer->channels_first) return 0; /* Flatten brings the numbers into another order */
    return how == CN__HANDS_ON || (how == CN__HANDS_ON_UNTRAINED && !training);
}

int cn__layer_index(const cn_layer *layer)
{
    int i = 0;
    while (cn__layer_classes[i] != layer->class_) i++;
    return i;
}

/* Neither case nor underscores matter: ReLU is re_lu by Keras's rule, but people write relu. */
const cn__layer_class *cn__layer_class_find(const char *name)
{
    const char *names[CN__LAYER_COUNT];
    for (int i = 0; i < CN__LAYER_COUNT; i++) {
        const cn__layer_class *class_ = cn__layer_classes[i];
        names[i] = class_->snake;
        if (cn__same_name(name, class_->snake) || (class_->also && cn__same_name(name, class_->also))) return class_;
    }
    cn__fail_unknown("layer", name, names, CN__LAYER_COUNT);
    return NULL;
}

static const char *name_option(const cn_layer *layer)
{
    const cn__field *field = cn__field_find(layer->class_->fields, layer->class_->n_fields, "name");
    const char *name;
    memcpy(&name, (const char *)layer->options + field->offset, sizeof name);
    return name;
}

const char *cn__layer_label(const cn_layer *layer)
{
    if (layer->name) return layer->name;
    const char *given = layer->options ? name_option(layer) : NULL;
    return given ? given : layer->class_->snake;
}

/* Where the option `name` stands in the layer's options; NULL if its class has no such option. */
static void *option(const cn_layer *layer, const char *name)
{
    const cn__field *field = cn__field_find(layer->class_->fields, layer->class_->n_fields, name);
    return field ? (char *)layer->options + field->offset : NULL;
}

/* The options that mean the same in every layer that has them. */
static int read_common(cn_layer *layer)
{
    const void *trainable = option(layer, "trainable"), *activity = option(layer, "activity_regularizer");
    const void *data_format = option(layer, "data_format");
    const char *text = NULL, *format = NULL, *given = name_option(layer);
    if (given && (!*given || strchr(given, '/')))
        return cn__fail(CN_EINVAL, "%s: a name must not be empty and must not contain a slash, which stands between "
                        "layer and weight in \"dense/kernel\"; got \"%s\"", layer->class_->snake, given);
    if (data_format) memcpy(&format, data_format, sizeof format);
    layer->channels_first = format && !strcmp(format, "channels_first");
    if (format && !layer->channels_first && strcmp(format, "channels_last"))
        return cn__fail(CN_EINVAL, "%s: data_format must be channels_last or channels_first, got \"%.64s\"",
                        cn__layer_label(layer), format);
    if (trainable) memcpy(&layer->trainable, trainable, sizeof layer->trainable);
    if (activity) memcpy(&text, activity, sizeof text);
    return cn__regularizer_find(cn__layer_label(layer), "activity_regularizer", text, &layer->activity);
}

void cn__layer_set_trainable(cn_layer *layer, int trainable)
{
    void *at = option(layer, "trainable");
    layer->trainable = trainable;
    if (at) memcpy(at, &trainable, sizeof trainable);
}

cn_layer *cn__layer_create(const cn__layer_class *class_, const void *options)
{
    cn_layer *layer = cn__alloc(1, sizeof *layer, "a layer");
    if (!layer) return NULL;
    layer->class_ = class_;
    layer->activation = -1;
    layer->trainable = 1;
    layer->options = cn__alloc(1, class_->options_size, "a layer's options");
    if (layer->options &&
        cn__fields_copy(class_->fields, class_->n_fields, options ? options : class_->defaults, layer->options) < 0) {
        cn__free(layer->options);
        layer->options = NULL;
    }
    if (!layer->options || read_common(layer) < 0 || (class_->check && class_->check(layer) < 0))
        cn_layer_destroy(&layer);
    return layer;
}

void cn_layer_destroy(cn_layer **layer)
{
    if (!layer || !*layer) return;
    if ((*layer)->options && (*layer)->class_->release) (*layer)->class_->release(*layer);
    if ((*layer)->options)
        cn__fields_free((*layer)->class_->fields, (*layer)->class_->n_fields, (*layer)->options);
    cn__free((*layer)->options);
    cn__free((*layer)->name);
    cn__free(*layer);
    *layer = NULL;
}

static int has_required(const cn__layer_class *class_, const cn__spec *spec)
{
    for (int i = 0; i < class_->n_required; i++) {
        const char *name = class_->fields[i].name;
        int is_given = 0;
        for (int k = 0; k < spec->n; k++) is_given |= spec->keys[k] ? !strcmp(spec->keys[k], name) : k == i;
        if (!is_given) return cn__fail(CN_EINVAL, "%s: %s is missing; it has no default", class_->snake, name);
    }
    return CN_OK;
}

cn_layer *cn_layer_from_text(const char *text)
{
    cn__spec spec;
    if (cn__spec_parse(text, &spec) < 0) return NULL;
    const cn__layer_class *class_ = cn__layer_class_find(spec.name);
    if (!class_) return NULL;
    /* The defaults may not pass the check (Dense without units), so fields are set before it runs. */
    void *options = cn__alloc(1, class_->options_size, "a layer's options");
    if (!options) return NULL;
    cn_layer *layer = NULL;
    if (cn__fields_copy(class_->fields, class_->n_fields, class_->defaults, options) == CN_OK) {
        if (cn__fields_set(class_->fields, class_->n_fields, options, &spec) == CN_OK &&
            has_required(class_, &spec) == CN_OK)
            layer = cn__layer_create(class_, options);
        cn__fields_free(class_->fields, class_->n_fields, options);
    }
    cn__free(options);
    return layer;
}

const int64_t *cn__layer_shape_option(const cn_layer *layer, int *ndim)
{
    const cn__field *field = cn__field_find(layer->class_->fields, layer->class_->n_fields, "input_shape");
    if (!field) field = cn__field_find(layer->class_->fields, layer->class_->n_fields, "shape");
    *ndim = 0;
    if (!field) return NULL;
    const int64_t *shape = (const int64_t *)(const void *)((const char *)layer->options + field->offset);
    while (*ndim < CN_MAX_NDIM && shape[*ndim] != 0) (*ndim)++;
    return *ndim ? shape : NULL;
}

static int multiply(const cn_layer *layer, int ndim, const int64_t *shape, int64_t *product)
{
    *product = 1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 1 || __builtin_mul_overflow(*product, shape[i], product) || *product > LARGEST_SAMPLE)
            return cn__fail(CN_ESHAPE, "%s: axis %d of its shape is %lld, which makes no sense for one sample",
                            cn__layer_label(layer), i, (long long)shape[i]);
    }
    return CN_OK;
}

void cn__shape_to_channels_last(int ndim, int64_t *shape)
{
    if (ndim == 0) return;
    int64_t channels = shape[0];
    for (int i = 1; i < ndim; i++) shape[i - 1] = shape[i];
    shape[ndim - 1] = channels;
}

int64_t cn__turned_size(const cn_layer *layer)
{
    return 2 * (layer->input_size + layer->output_size);
}

const char *cn__layer_picture_axes(const cn_layer *layer)
{
    return layer->channels_first ? "(channels, height, width)" : "(height, width, channels)";
}

/* The class has built its layer in channels_last. */
static void turn_back(cn_layer *layer, const int64_t *input_shape)
{
    int last = layer->output_ndim - 1;
    memcpy(layer->input_shape, input_shape, (size_t)layer->input_ndim * sizeof *input_shape);
    layer->workspace_size += cn__turned_size(layer);
    if (layer->output_ndim != layer->input_ndim || last < 0) return;
    int64_t channels = layer->output_shape[last];
    for (int i = last; i > 0; i--) layer->output_shape[i] = layer->output_shape[i - 1];
    layer->output_shape[0] = channels;
}

int cn__layer_build(cn_layer *layer, int ndim, const int64_t *shape)
{
    layer->input_ndim = ndim;
    for (int i = 0; i < ndim; i++) layer->input_shape[i] = shape[i];
    CN_TRY(multiply(layer, ndim, shape, &layer->input_size));
    layer->n_weights = 0;
    layer->workspace_size = layer->thread_size = layer->shared_size = 0;
    layer->work = 0;
    if (layer->channels_first) cn__shape_to_channels_last(ndim, layer->input_shape);
    CN_TRY(layer->class_->build(layer));
    CN_TRY(multiply(layer, layer->output_ndim, layer->output_shape, &layer->output_size));
    if (layer->channels_first) turn_back(layer, shape);
    layer->is_built = 1;
    return CN_OK;
}

void cn__layer_keep_shape(cn_layer *layer)
{
    layer->output_ndim = layer->input_ndim;
    memcpy(layer->output_shape, layer->input_shape, sizeof layer->output_shape);
}

/* Rows begin at multiples of 16 numbers (a cache line of float32). A power-of-two distance would put all rows into the
 * same few cache sets, so such strides get one line more. */
static int64_t padded(int64_t columns)
{
    int64_t stride = (columns + 15) / 16 * 16;
    return stride % 128 == 0 ? stride + 16 : stride;
}

cn__weight *cn__layer_add_weight(cn_layer *layer, const char *name, const char *initializer, int ndim,
                                 const int64_t *shape)
{
    cn__weight *weight = &layer->weights[layer->n_weights++];
    *weight = (cn__weight){.name = name, .initializer = initializer, .ndim = ndim, .rows = 1, .trainable = 1,
                            .constraint = {.kind = CN__CONSTRAINT_COUNT}};
    for (int i = 0; i < ndim; i++) {
        weight->shape[i] = shape[i];
        if (i < ndim - 1) weight->rows *= shape[i];
    }
    weight->columns = ndim ? shape[ndim - 1] : 1;
    weight->stride = padded(weight->columns);
    layer->work += (double)weight->rows * (double)weight->stride; /* a layer that uses weights more than once says so */
    return weight;
}

static int read_rules(const cn_layer *layer, const char *name, const char *regularizer, const char *constraint,
                      int ndim, cn__weight *weight)
{
    char role[80];
    snprintf(role, sizeof role, "%.40s_regularizer", name);
    CN_TRY(cn__regularizer_find(cn__layer_label(layer), role, regularizer, &weight->regularizer));
    snprintf(role, sizeof role, "%.40s_constraint", name);
    return cn__constraint_find(cn__layer_label(layer), role, constraint, ndim, &weight->constraint);
}

int cn__layer_check_rules(const cn_layer *layer, const char *weight, const char *regularizer, const char *constraint)
{
    cn__weight unused;
    return read_rules(layer, weight, regularizer, constraint, 0, &unused);
}

int cn__layer_set_rules(cn_layer *layer, const char *regularizer, const char *constraint)
{
    cn__weight *weight = &layer->weights[layer->n_weights - 1];
    return read_rules(layer, weight->name, regularizer, constraint, weight->ndim, weight);
}

cn__weight *cn__layer_add_state(cn_layer *layer, const char *name, const char *initializer, int ndim,
                                const int64_t *shape)
{
    cn__weight *weight = cn__layer_add_weight(layer, name, initializer, ndim, shape);
    weight->trainable = 0;
    return weight;
}
