#include "model/config.h"

#include "base/error.h"

#if CN_WITH_JSON
#include "base/memory.h"

#include <jansson.h>
#include <string.h>

static int bad(const char *what)
{
    return cn__fail(CN_EFORMAT, "its configuration is damaged: %s", what);
}

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!object) cn__fail(CN_EFORMAT, "its configuration is no JSON: %.100s at byte %d", error.text, error.position);
    return object;
}

/* The field holds no list yet: defaults have none. */
static int read_reals(const cn__field *field, void *options, const json_t *value)
{
    size_t n = json_array_size(value);
    double *list = cn__alloc(n + 1, sizeof *list, field->name);
    if (!list) return CN_ENOMEM;
    int is_good = json_is_array(value) ? n > 0 : json_is_number(value);
    list[0] = json_number_value(value);
    for (size_t i = 0; i < n; i++) {
        is_good &= json_is_number(json_array_get(value, i));
        list[i] = json_number_value(json_array_get(value, i));
    }
    cn__reals reals = {.one = list[0], .many = n ? list : NULL, .n = (int64_t)n};
    if (is_good) memcpy((char *)options + field->offset, &reals, sizeof reals);
    if (!is_good || !n) cn__free(list);
    return is_good ? CN_OK : bad("numbers of the wrong type");
}

static int read_field(const cn__field *field, void *options, const json_t *value)
{
    char *at = (char *)options + field->offset;
    int small;
    int64_t whole;
    double real;
    char message[160];
    snprintf(message, sizeof message, "\"%.64s\" has a value of the wrong type", field->name);
    if (json_is_null(value)) return CN_OK; /* Keras's None: the default */
    switch (field->type) {
    case CN__FIELD_RANGE: {
        double range[2] = {json_number_value(value), 0};
        int two = json_array_size(value) == 2;
        for (size_t i = 0; two && i < 2; i++) range[i] = json_number_value(json_array_get(value, i));
        if (!two && !json_is_number(value)) return bad(message);
        if (two && range[1] == 0) { /* a zero goes to the front */
            range[1] = range[0];
            range[0] = 0;
        }
        memcpy(at, range, sizeof range);
        return CN_OK;
    }
    case CN__FIELD_INT:
        if (!json_is_boolean(value) && !json_is_integer(value)) return bad(message);
        small = json_is_integer(value) ? json_integer_value(value) != 0 : json_is_true(value);
        memcpy(at, &small, sizeof small);
        return CN_OK;
    case CN__FIELD_INT64:
        if (!json_is_integer(value)) return bad(message);
        whole = json_integer_value(value);
        memcpy(at, &whole, sizeof whole);
        return CN_OK;
    case CN__FIELD_REAL:
        if (!json_is_number(value)) return bad(message);
        real = json_number_value(value);
        memcpy(at, &real, sizeof real);
        return CN_OK;
    case CN__FIELD_REALS: return read_reals(field, options, value);
    case CN__FIELD_LIST: {
        double list[CN__LIST_ENTRIES] = {0};
        if (!json_is_array(value) || json_array_size(value) > CN__LIST_ENTRIES) return bad(message);
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!json_is_number(json_array_get(value, i))) return bad(message);
            list[i] = json_number_value(json_array_get(value, i));
        }
        memcpy(at, list, sizeof list);
        return CN_OK;
    }
    case CN__FIELD_TEXT: {
        if (!json_is_string(value)) return bad(message);
        return cn__field_set_text(field, options, field->name, json_string_value(value));
    }
    default: {
        int64_t shape[CN__SHAPE_ENTRIES] = {0};
        if (json_is_integer(value)) {
            shape[0] = json_integer_value(value);
            memcpy(at, shape, sizeof shape);
            return CN_OK;
        }
        if (!json_is_array(value) || json_array_size(value) > CN__SHAPE_ENTRIES) return bad(message);
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!json_is_integer(json_array_get(value, i))) return bad(message);
            shape[i] = json_integer_value(json_array_get(value, i));
        }
        memcpy(at, shape, sizeof shape);
        return CN_OK;
    }
    }
}

/* An options struct, starting from the defaults, with every known key of `config`; unknown keys are ignored, since a
 * newer version may have added some. */
static void *read_options(const cn__field *fields, int n, size_t size, const void *defaults, const json_t *config)
{
    void *options = cn__alloc(1, size, "options");
    if (!options) return NULL;
    int status = cn__fields_copy(fields, n, defaults, options);
    for (int i = 0; i < n && status == CN_OK; i++) {
        const json_t *value = json_object_get(config, fields[i].name);
        if (value) status = read_field(&fields[i], options, value);
    }
    if (status == CN_OK) return options;
    cn__fields_free(fields, n, options);
    cn__free(options);
    return NULL;
}

static int read_batch_shape(const json_t *config, int *ndim, int64_t shape[CN_MAX_NDIM])
{
    const json_t *sizes = json_object_get(config, "batch_shape");
    size_t n = json_array_size(sizes);
    if (n < 2 || n > CN_MAX_NDIM + 1) return bad("the input layer has no usable batch_shape");
    *ndim = (int)n - 1;
    for (size_t i = 1; i < n; i++) {
        const json_t *entry = json_array_get(sizes, i);
        if (!json_is_integer(entry) || json_integer_value(entry) < 1) return bad("batch_shape holds a bad size");
        shape[i - 1] = json_integer_value(entry);
    }
    return CN_OK;
}

static int read_layer(cn_model *model, const json_t *object, int *ndim, int64_t shape[CN_MAX_NDIM])
{
    const char *name = json_string_value(json_object_get(object, "class_name"));
    const json_t *config = json_object_get(object, "config");
    if (!name || !json_is_object(config)) return bad("a layer has no class_name or no config");
    const cn__layer_class *class_ = cn__layer_class_find(name);
    if (!class_) return cn_error_status();
    if (class_ == &cn__layer_input) return read_batch_shape(config, ndim, shape);
    void *options = read_options(class_->fields, class_->n_fields, class_->options_size, class_->defaults, config);
    if (!options) return cn_error_status();
    cn_error_clear();
    cn_layer *layer = cn__layer_create(class_, options);
    cn__fields_free(class_->fields, class_->n_fields, options);
    cn__free(options);
    if (layer && json_is_false(json_object_get(config, "trainable"))) cn__layer_set_trainable(layer, 0);
    return cn_add(model, layer);
}

static int read_model(cn_model *model, const json_t *root, int *ndim, int64_t shape[CN_MAX_NDIM])
{
    const char *class_name = json_string_value(json_object_get(root, "class_name"));
    const json_t *config = json_object_get(root, "config"), *layers = json_object_get(config, "layers");
    const char *name = json_string_value(json_object_get(config, "name"));
    if (!class_name || strcmp(class_name, "Sequential")) return bad("it describes no Sequential model");
    if (!json_is_array(layers)) return bad("there is no list of layers");
    *ndim = 0;
    for (size_t i = 0; i < json_array_size(layers); i++)
        CN_TRY(read_layer(model, json_array_get(layers, i), ndim, shape));
    if (!*ndim || !cn__model_first(model)) return bad("there is no input layer, or no other layer");
    if (!name) return CN_OK;
    char *copy = cn__strdup(name, "the model's name");
    if (!copy) return CN_ENOMEM;
    cn__free(model->name);
    model->name = copy;
    return CN_OK;
}

int cn__config_read_model(cn_model *model, const char *text, int *ndim, int64_t shape[CN_MAX_NDIM])
{
    json_t *root = parse(text);
    if (!root) return CN_EFORMAT;
    int status = read_model(model, root, ndim, shape);
    json_decref(root);
    return status;
}

/* Keras writes a schedule as an object where the learning rate stands. */
static int read_schedule(const json_t *value, cn_schedule *schedule)
{
    const char *name = json_string_value(json_object_get(value, "class_name"));
    const json_t *config = json_object_get(value, "config");
    if (!name || !json_is_object(config)) return bad("the learning rate is no number and no schedule");
    const cn__schedule_class *class_ = cn__schedule_class_find(name);
    if (!class_) return CN_ENAME;
    *schedule = class_->defaults;
    schedule->name = class_->snake;
    for (int i = 0; i < class_->n_fields; i++) {
        const json_t *argument = json_object_get(config, class_->fields[i].name);
        if (argument) CN_TRY(read_field(&class_->fields[i], schedule, argument));
    }
    return CN_OK;
}

static cn_optimizer *read_optimizer(const cn__optimizer_class *class_, json_t *config)
{
    json_t *rate = json_object_get(config, "learning_rate");
    cn_schedule schedule = {.name = NULL};
    if (json_is_object(rate)) {
        if (read_schedule(rate, &schedule) < 0) return NULL;
        json_object_set_new(config, "learning_rate", json_null());
    }
    void *fields = read_options(class_->fields, class_->n_fields, class_->options_size, class_->defaults, config);
    if (!fields) return NULL;
    cn_optimizer *optimizer = cn__optimizer_create_scheduled(class_, fields, schedule.name ? &schedule : NULL);
    cn__fields_free(class_->fields, class_->n_fields, fields);
    cn__free(fields);
    return optimizer;
}

static cn_optimizer *read_any_optimizer(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "class_name"));
    json_t *config = json_object_get(object, "config");
    for (int i = 0; name && i < CN__OPTIMIZER_COUNT; i++)
        if (!strcmp(cn__optimizer_classes[i]->name, name)) return read_optimizer(cn__optimizer_classes[i], config);
    const json_t *inner = json_object_get(config, "inner_optimizer");
    const char *inner_name = json_string_value(json_object_get(inner, "class_name"));
    if (name && inner_name && !strcmp(name, cn__loss_scale_optimizer.name) && strcmp(inner_name, name)) {
        const cn_loss_scale_options options = {json_number_value(json_object_get(config, "initial_scale")),
                                               json_integer_value(json_object_get(config, "dynamic_growth_steps"))};
        return cn_loss_scale_optimizer_create(read_any_optimizer(inner), &options);
    }
    bad("its optimizer is not known to this version");
    return NULL;
}

static int read_training(cn_model *model, const json_t *root)
{
    const json_t *metrics = json_object_get(root, "metrics"), *optimizer = json_object_get(root, "optimizer_config");
    cn_compile_options options = {.loss = json_string_value(json_object_get(root, "loss"))};
    const json_t *weighted = json_object_get(root, "weighted_metrics"); /* missing in files of before */
    if (!json_is_object(optimizer) || !options.loss ||
        json_array_size(metrics) + json_array_size(weighted) > CN_MAX_METRICS)
        return bad("loss, metrics or optimizer_config are missing");
    for (size_t i = 0; i < json_array_size(metrics); i++)
        options.metrics[i] = json_string_value(json_array_get(metrics, i));
    for (size_t i = 0; i < json_array_size(weighted); i++)
        options.weighted_metrics[i] = json_string_value(json_array_get(weighted, i));
    options.optimizer = read_any_optimizer(optimizer);
    return options.optimizer ? cn_model_compile(model, &options) : cn_error_status();
}

int cn__config_read_training(cn_model *model, const char *text)
{
    json_t *root = parse(text);
    if (!root) return CN_EFORMAT;
    int status = read_training(model, root);
    json_decref(root);
    return status;
}

#else

static int missing(void)
{
    return cn__fail(CN_ENOTSUP, "this build has no JSON; install libjansson-dev and build again");
}

int cn__config_read_model(cn_model *model, const char *text, int *ndim, int64_t shape[CN_MAX_NDIM])
{
    (void)model;
    (void)text;
    (void)ndim;
    (void)shape;
    return missing();
}

int cn__config_read_training(cn_model *model, const char *text)
{
    (void)model;
    (void)text;
    return missing();
}
#endif
