#include "train/metric.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "train/intersection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY(name) &cn__metric_##name,
const cn__metric_class *const cn__metric_classes[CN__METRIC_COUNT] = {CN__METRIC_LIST(ENTRY)};
#undef ENTRY

/* mean_of_loss is the last of the metrics and nobody writes it; the losses stand in its place. A loss that a metric has
 * the name of is listed once. */
enum { MOST_NAMES = CN__METRIC_COUNT + CN__LOSS_COUNT };

const char *cn__metric_name(int i)
{
    if (i < 0) return NULL;
    if (i == 0) return "accuracy";
    if (i < CN__METRIC_COUNT) return cn__metric_classes[i - 1]->name;
    int loss = 0;
    for (i -= CN__METRIC_COUNT; loss < CN__LOSS_COUNT; loss++)
        if (loss != CN__LOSS_cosine_similarity && i-- == 0) return cn__loss_classes[loss]->name;
    return NULL;
}

const cn__metric_class *cn__metric_class_of(const cn__metric *m)
{
    return cn__metric_classes[m->index];
}

cn__metric_reads cn__metric_reads_of(const cn__metric *m)
{
    if (m->index == CN__METRIC_mean_of_loss)
        return cn__loss_class_of(&m->loss)->sparse ? CN__READS_LABELS : CN__READS_ROWS;
    return cn__metric_class_of(m)->reads;
}

int cn__metric_is_whole(const cn__metric *m)
{
    return m->index == CN__METRIC_mean_of_loss && cn__loss_class_of(&m->loss)->whole_batch;
}

/* --- from text --- */

int cn__metric_read_list(const char *owner, const char *argument, const char *text, double low, double high,
                         double *values)
{
    const cn__field number = {argument, CN__FIELD_REAL, 0};
    const char *const between = "[](), ";
    int n = 0;
    if (!text || !strcmp(text, "None")) return 0;
    for (const char *at = text + strspn(text, between); *at; at += strspn(at, between)) {
        char word[32];
        size_t length = strcspn(at, between);
        double value = NAN;
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word), at);
        if (cn__field_set_text(&number, &value, owner, word) < 0 || !(value >= low && value <= high))
            return cn__fail(CN_EINVAL, "%s: %s must be a number in %g ... %g, or a list such as [0, 1], got \"%.64s\"",
                            owner, argument, low, high, text);
        if (values) values[n] = value;
        n++;
        at += length;
    }
    return n > 0 ? n : cn__fail(CN_EINVAL, "%s: the list \"%.64s\" is empty", owner, text);
}

int cn__metric_check_k(const cn__metric_class *class_, const cn__metric_options *options)
{
    if (options->k >= 1) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: k must be at least 1, got %lld", class_->name, (long long)options->k);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int make_thresholds(cn__metric *m)
{
    const cn__metric_class *class_ = cn__metric_class_of(m);
    if (!class_->thresholds) return CN_OK;
    int n = class_->thresholds(&m->options, NULL);
    if (n < 0) return cn__fail_prefix("%s: ", class_->name);
    if (n == 0) return CN_OK;
    m->thresholds = cn__alloc((size_t)n, sizeof *m->thresholds, "a metric's thresholds");
    if (!m->thresholds) return CN_ENOMEM;
    m->n_thresholds = class_->thresholds(&m->options, m->thresholds);
    /* results come in the order given, but buckets must rise */
    if (!strcmp(class_->name, "auc")) qsort(m->thresholds, (size_t)n, sizeof *m->thresholds, compare);
    return CN_OK;
}

static int make_label_weights(cn__metric *m)
{
    const char *owner = cn__metric_class_of(m)->name;
    int n = cn__metric_read_list(owner, "label_weights", m->options.label_weights, 0, 1e30, NULL);
    if (n <= 0) return n;
    m->label_weights = cn__alloc((size_t)n, sizeof *m->label_weights, "a metric's label_weights");
    if (!m->label_weights) return CN_ENOMEM;
    m->n_label_weights = n;
    cn__metric_read_list(owner, "label_weights", m->options.label_weights, 0, 1e30, m->label_weights);
    return CN_OK;
}

/* "None" stands for an argument that is not given. */
static void drop_none(cn__spec *spec)
{
    int n = 0;
    for (int i = 0; i < spec->n; i++) {
        if (spec->keys[i] && !strcmp(spec->values[i], "None") && strcmp(spec->keys[i], "class_aggregation")) continue;
        spec->keys[n] = spec->keys[i];
        spec->values[n++] = spec->values[i];
    }
    spec->n = n;
}

static int open_class(cn__metric *m, const cn__spec *spec)
{
    const cn__metric_class *class_ = cn__metric_class_of(m);
    m->options = class_->defaults;
    CN_TRY(cn__fields_copy(class_->fields, class_->n_fields, &class_->defaults, &m->options));
    CN_TRY(cn__fields_set(class_->fields, class_->n_fields, &m->options, spec));
    if (class_->check) CN_TRY(class_->check(class_, &m->options));
    CN_TRY(cn__axis_list_read(class_->name, m->options.axis, &m->axes));
    CN_TRY(make_thresholds(m));
    return make_label_weights(m);
}

/* The arguments without name= are those of the loss. */
static int open_loss(cn__metric *m, cn__spec *spec)
{
    int n = 0;
    for (int i = 0; i < spec->n; i++) {
        if (spec->keys[i] && !strcmp(spec->keys[i], "reduction"))
            return cn__fail(CN_EINVAL, "%s: a metric is the mean over all samples and takes no reduction", spec->name);
        if (spec->keys[i] && !strcmp(spec->keys[i], "name")) {
            if (m->options.name) return cn__fail(CN_EINVAL, "%s: name is given twice", spec->name);
            m->options.name = cn__strdup(spec->values[i], "the name of a metric");
            if (!m->options.name) return CN_ENOMEM;
            continue;
        }
        spec->keys[n] = spec->keys[i];
        spec->values[n++] = spec->values[i];
    }
    spec->n = n;
    m->index = CN__METRIC_mean_of_loss;
    CN_TRY(cn__loss_open_spec(&m->loss, spec));
    m->axes = m->loss.axes;
    return CN_OK;
}

static int find_and_open(cn__metric *m, cn__spec *spec)
{
    const char *names[MOST_NAMES];
    int n = 0, ignored;
    if (cn__same_keras_name(spec->name, "accuracy") || cn__same_keras_name(spec->name, "acc")) {
        if (spec->n) return cn__fail(CN_EINVAL, "%s takes no arguments; binary_accuracy and others do", spec->name);
        m->index = CN__METRIC_BY_SHAPE;
        m->by_shape = 1;
        return CN_OK;
    }
    for (int i = 0; i < CN__METRIC_mean_of_loss; i++) {
        const cn__metric_class *class_ = cn__metric_classes[i];
        if (!cn__same_keras_name(spec->name, class_->name) && !cn__same_keras_name(spec->name, class_->alias)) continue;
        m->index = i;
        return open_class(m, spec);
    }
    if (cn__loss_find(spec->name, &ignored)) return open_loss(m, spec);
    while (n < MOST_NAMES && cn__metric_name(n)) {
        names[n] = cn__metric_name(n);
        n++;
    }
    return cn__fail_unknown("metric", spec->name, names, n);
}

int cn__metric_open(cn__metric *m, const char *text)
{
    cn__spec spec;
    *m = (cn__metric){.index = CN__METRIC_mean_of_loss};
    m->loss.options.ignore_class = CN__NO_CLASS;
    CN_TRY(cn__spec_parse(text, &spec));
    drop_none(&spec);
    int status = find_and_open(m, &spec);
    if (status == CN_OK) {
        m->name = cn__strdup(m->options.name ? m->options.name : spec.name, "the name of a metric");
        if (!m->name) status = CN_ENOMEM;
    }
    if (status < 0) cn__metric_close(m);
    return status;
}

void cn__metric_close(cn__metric *m)
{
    if (m->index != CN__METRIC_BY_SHAPE && !m->by_shape) {
        const cn__metric_class *class_ = cn__metric_class_of(m);
        cn__fields_free(class_->fields, class_->n_fields, &m->options);
    }
    cn__loss_close(&m->loss);
    cn__free(m->name);
    cn__free(m->thresholds);
    cn__free(m->label_weights);
    *m = (cn__metric){.index = CN__METRIC_mean_of_loss};
}

/* --- with the shape --- */

int cn__metric_set_shape(cn__metric *m, int64_t columns, int sparse)
{
    const cn__metric_options *o = &m->options;
    if (m->by_shape) {
        m->index = columns == 1 ? CN__METRIC_binary_accuracy
                   : sparse     ? CN__METRIC_sparse_categorical_accuracy
                                : CN__METRIC_categorical_accuracy;
        m->options = cn__metric_class_of(m)->defaults;
    }
    m->columns = columns;
    if (cn__metric_reads_of(m) == CN__READS_LABELS && !sparse)
        return cn__fail(CN_EINVAL, "the metric %s reads labels, whole numbers, but the targets are rows of numbers; "
                        "use the one without sparse_", m->name);
    const cn__metric_class *class_ = cn__metric_class_of(m);
    if (cn__field_find(class_->fields, class_->n_fields, "class_id") && o->class_id != CN__NOT_GIVEN &&
        !(o->class_id >= 0 && o->class_id < columns))
        return cn__fail(CN_EINVAL, "the metric %s: class_id must lie in 0 ... %lld, got %lld", m->name,
                        (long long)columns - 1, (long long)o->class_id);
    CN_TRY(cn__intersection_set_shape(m, columns, sparse));
    int has_labels = cn__field_find(class_->fields, class_->n_fields, "num_labels") != NULL;
    if (has_labels && o->num_labels != CN__NOT_GIVEN && o->num_labels != columns)
        return cn__fail(CN_EINVAL, "the metric %s: num_labels is %lld, but there are %lld columns", m->name,
                        (long long)o->num_labels, (long long)columns);
    if (m->label_weights && m->n_label_weights != columns)
        return cn__fail(CN_EINVAL, "the metric %s: label_weights has %d numbers, but there are %lld columns", m->name,
                        m->n_label_weights, (long long)columns);
    return CN_OK;
}

int64_t cn__metric_state_size(const cn__metric *m)
{
    const cn__metric_class *class_ = cn__metric_class_of(m);
    return class_->state_size ? class_->state_size(m) : 2;
}

int64_t cn__metric_n_results(const cn__metric *m)
{
    const cn__metric_class *class_ = cn__metric_class_of(m);
    return class_->n_results ? class_->n_results(m) : 1;
}

void cn__metric_result(const cn__metric *m, const double *state, double *values)
{
    const cn__metric_class *class_ = cn__metric_class_of(m);
    if (class_->result) class_->result(m, state, values);
    else values[0] = state[1] == 0 ? 0 : state[0] / state[1];
}
