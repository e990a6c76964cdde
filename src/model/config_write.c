#include "model/config.h"

#include "base/error.h"

#if CN_WITH_JSON
#include "base/memory.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static int is_shape_field(const cn__field *field)
{
    return field->type == CN__FIELD_SHAPE && (!strcmp(field->name, "shape") || !strcmp(field->name, "input_shape"));
}

static json_t *list_value(const void *at)
{
    double list[CN__LIST_ENTRIES];
    int n = CN__LIST_ENTRIES;
    json_t *numbers = json_array();
    memcpy(list, at, sizeof list);
    while (n > 0 && list[n - 1] == 0) n--;
    for (int i = 0; i < n; i++) json_array_append_new(numbers, json_real(list[i]));
    return numbers;
}

static json_t *reals_value(const void *at)
{
    cn__reals reals;
    memcpy(&reals, at, sizeof reals);
    if (!reals.n) return json_real(reals.one);
    json_t *numbers = json_array();
    for (int64_t i = 0; i < reals.n; i++) json_array_append_new(numbers, json_real(reals.many[i]));
    return numbers;
}

static json_t *field_value(const cn__field *field, const void *options)
{
    const char *at = (const char *)options + field->offset;
    int small;
    int64_t whole, shape[CN__SHAPE_ENTRIES];
    double real, range[2];
    const char *text;
    switch (field->type) {
    case CN__FIELD_RANGE: {
        memcpy(range, at, sizeof range);
        if (isnan(range[0])) return json_null();
        if (range[1] == 0) return json_real(range[0]);
        json_t *both = json_array();
        for (int i = 0; i < 2; i++) json_array_append_new(both, json_real(range[i]));
        return both;
    }
    case CN__FIELD_INT: memcpy(&small, at, sizeof small); return json_boolean(small);
    case CN__FIELD_INT64: memcpy(&whole, at, sizeof whole); return json_integer(whole);
    case CN__FIELD_REAL:
        memcpy(&real, at, sizeof real);
        return isfinite(real) ? json_real(real) : json_null(); /* Keras's None for "no bound" */
    case CN__FIELD_TEXT: memcpy(&text, at, sizeof text); return text ? json_string(text) : json_null();
    case CN__FIELD_LIST: return list_value(at);
    case CN__FIELD_REALS: return reals_value(at);
    default: {
        memcpy(shape, at, sizeof shape);
        json_t *sizes = json_array();
        for (int i = 0; i < CN__SHAPE_ENTRIES && shape[i]; i++) json_array_append_new(sizes, json_integer(shape[i]));
        return sizes;
    }
    }
}

static json_t *named(const char *class_name, json_t *config)
{
    return json_pack("{s:s, s:o}", "class_name", class_name, "config", config);
}

/* Keras puts an InputLayer in front, whether the shape was given by one or by the first layer. */
static json_t *input_layer(const cn_model *model)
{
    const cn_layer *first = model->layers[0];
    json_t *shape = json_array();
    json_array_append_new(shape, json_null());
    for (int i = 0; i < first->input_ndim; i++) json_array_append_new(shape, json_integer(first->input_shape[i]));
    const char *name = first->class_ == &cn__layer_input ? first->name : "input_layer";
    return named("InputLayer", json_pack("{s:o, s:s, s:s}", "batch_shape", shape, "dtype", "float32", "name", name));
}

static json_t *layer_object(const cn_layer *layer)
{
    json_t *config = json_object();
    json_object_set_new(config, "name", json_string(layer->name));
    json_object_set_new(config, "trainable", json_boolean(layer->trainable));
    for (int i = 0; i < layer->class_->n_fields; i++) {
        const cn__field *field = &layer->class_->fields[i];
        if (is_shape_field(field) || !strcmp(field->name, "name") || !strcmp(field->name, "trainable"))
            continue;
        json_object_set_new(config, field->name, field_value(field, layer->options));
    }
    return named(layer->class_->name, config);
}

/* jansson allocates with malloc; callers expect the library's own memory. */
static char *dump(json_t *object, const char *what)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    char *copy = text ? cn__strdup(text, what) : cn__fail_null(CN_ENOMEM, "out of memory for %s", what);
    free(text);
    json_decref(object);
    return copy;
}

char *cn__config_model_text(const cn_model *model)
{
    json_t *layers = json_array();
    json_array_append_new(layers, input_layer(model));
    for (int i = 0; i < model->n_layers; i++)
        if (model->layers[i]->class_ != &cn__layer_input)
            json_array_append_new(layers, layer_object(model->layers[i]));
    json_t *config = json_pack("{s:s, s:s, s:o}", "name", model->name, "dtype", model->precision, "layers", layers);
    return dump(named("Sequential", config), "the model's configuration");
}

static json_t *schedule_object(const cn_schedule *schedule)
{
    const cn__schedule_class *class_ = cn__schedule_class_find(schedule->name);
    json_t *config = json_object();
    for (int i = 0; i < class_->n_fields; i++)
        json_object_set_new(config, class_->fields[i].name, field_value(&class_->fields[i], schedule));
    return named(class_->name, config);
}

char *cn__config_training_text(const cn_model *model)
{
    const cn__optimizer_class *class_ = model->optimizer->class_;
    json_t *metrics = json_array(), *config = json_object();
    json_t *weighted = json_array();
    for (int i = 0; i < model->n_metrics; i++)
        json_array_append_new(i < model->n_plain_metrics ? metrics : weighted, json_string(model->metric_texts[i]));
    for (int i = 0; i < class_->n_fields; i++)
        json_object_set_new(config, class_->fields[i].name, field_value(&class_->fields[i], model->optimizer->options));
    const cn_schedule *schedule = &model->optimizer->schedule; /* the number may have been changed */
    json_object_set_new(config, "learning_rate",
                        schedule->name ? schedule_object(schedule) : json_real(model->learning_rate));
    json_t *optimizer = named(class_->name, config);
    if (cn__loss_scale_moves(model->optimizer))
        optimizer = named(cn__loss_scale_optimizer.name,
                          json_pack("{s:o, s:f, s:I}", "inner_optimizer", optimizer, "initial_scale",
                                    model->optimizer->initial_scale, "dynamic_growth_steps",
                                    (json_int_t)model->optimizer->dynamic_growth_steps));
    return dump(json_pack("{s:s, s:o, s:o, s:o}", "loss", model->loss_text, "metrics", metrics, "weighted_metrics",
                          weighted, "optimizer_config", optimizer),
                "the training configuration");
}

#else

static char *missing(void)
{
    return cn__fail_null(CN_ENOTSUP, "this build has no JSON; install libjansson-dev and build again");
}

char *cn__config_model_text(const cn_model *model)
{
    (void)model;
    return missing();
}

char *cn__config_training_text(const cn_model *model)
{
    (void)model;
    return missing();
}
#endif
