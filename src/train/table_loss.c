#include "train/loss.h"

#include "base/error.h"
#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY(name) &cn__loss_##name,
const cn__loss_class *const cn__loss_classes[CN__LOSS_COUNT] = {CN__LOSS_LIST(ENTRY)};
#undef ENTRY

int cn__same_keras_name(const char *a, const char *b)
{
    return a && b && cn__same_name(a, b);
}

int cn__loss_find(const char *name, int *index)
{
    for (int i = 0; i < CN__LOSS_COUNT; i++) {
        const cn__loss_class *class_ = cn__loss_classes[i];
        if (!cn__same_keras_name(name, class_->name) && !cn__same_keras_name(name, class_->alias) &&
            !cn__same_keras_name(name, class_->alias_2))
            continue;
        *index = i;
        return 1;
    }
    return 0;
}

int cn__loss_is_by_shape(const char *name)
{
    return cn__same_keras_name(name, "crossentropy") || cn__same_keras_name(name, "ce");
}

static int find(const cn__spec *spec, cn__loss *loss)
{
    const char *names[CN__LOSS_COUNT + 1];
    if (cn__loss_is_by_shape(spec->name)) {
        if (spec->n)
            return cn__fail(CN_EINVAL, "%s takes no arguments; categorical_crossentropy and others do", spec->name);
        loss->index = CN__LOSS_categorical_crossentropy;
        loss->by_shape = 1;
        return CN_OK;
    }
    if (cn__loss_find(spec->name, &loss->index)) return CN_OK;
    for (int i = 0; i < CN__LOSS_COUNT; i++) names[i] = cn__loss_classes[i]->name;
    names[CN__LOSS_COUNT] = "crossentropy";
    return cn__fail_unknown("loss", spec->name, names, CN__LOSS_COUNT + 1);
}

int cn__loss_set_shape(cn__loss *loss, int64_t columns, int labels)
{
    int index = columns == 1 ? CN__LOSS_binary_crossentropy
                : labels     ? CN__LOSS_sparse_categorical_crossentropy
                             : CN__LOSS_categorical_crossentropy;
    if (!loss->by_shape || loss->index == index) return 0;
    loss->index = index; /* all three have the same arguments' defaults */
    return 1;
}

int cn__axis_list_read(const char *owner, const char *text, cn__axis_list *axes)
{
    const char *const between = "[](), ";
    axes->n = 0;
    if (!text || !strcmp(text, "None")) return CN_OK;
    for (const char *at = text + strspn(text, between); *at; at += strspn(at, between)) {
        char *end;
        long axis = strtol(at, &end, 10);
        if (end == at || !strchr(between, *end) || axis < -CN__MOST_AXES || axis >= CN__MOST_AXES ||
            axes->n == CN__MOST_AXES)
            return cn__fail(CN_EINVAL,
                            "%s: axis must be a whole number such as -1, or several such as (1, 2), got \"%.64s\"",
                            owner, text);
        axes->at[axes->n++] = (int)axis;
        at = end;
    }
    return axes->n ? CN_OK : cn__fail(CN_EINVAL, "%s: axis names no axis, got \"%.64s\"", owner, text);
}

int cn__labels_are_packed(int64_t n, const int32_t *labels)
{
    int64_t i = 0;
    while (i < n && labels[i] != 0) i++;
    while (i < n && labels[i] == 0) i++;
    return i == n;
}

static int read_reduction(const char *owner, const char *text, cn__reduction *reduction)
{
    static const struct {
        const char *name;
        cn__reduction reduction;
    } known[] = {
        {"sum_over_batch_size", CN__REDUCTION_SUM_OVER_BATCH_SIZE},
        {"mean", CN__REDUCTION_SUM_OVER_BATCH_SIZE},
        {"sum", CN__REDUCTION_SUM},
        {"mean_with_sample_weight", CN__REDUCTION_MEAN_WITH_SAMPLE_WEIGHT},
        {"none", CN__REDUCTION_NONE},
        {"None", CN__REDUCTION_NONE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i].name)) continue;
        *reduction = known[i].reduction;
        return CN_OK;
    }
    return cn__fail(CN_EINVAL,
                    "%s: reduction must be sum_over_batch_size (or mean), sum, mean_with_sample_weight or none, "
                    "got \"%.64s\"", owner, text);
}

/* "None" is what Keras's users write for no class and for all axes. */
static void drop_none(const cn__spec *given, cn__spec *spec)
{
    *spec = *given;
    spec->n = 0;
    for (int i = 0; i < given->n; i++) {
        int none = given->keys[i] && !strcmp(given->values[i], "None") &&
                   (!strcmp(given->keys[i], "ignore_class") || !strcmp(given->keys[i], "axis"));
        if (none) continue;
        spec->keys[spec->n] = given->keys[i];
        spec->values[spec->n++] = given->values[i];
    }
}

int cn__loss_open(cn__loss *loss, const char *text)
{
    cn__spec spec;
    *loss = (cn__loss){.index = 0};
    CN_TRY(cn__spec_parse(text, &spec));
    return cn__loss_open_spec(loss, &spec);
}

int cn__loss_open_spec(cn__loss *loss, const cn__spec *given)
{
    cn__spec spec;
    *loss = (cn__loss){.index = 0};
    drop_none(given, &spec);
    CN_TRY(find(&spec, loss));
    const cn__loss_class *class_ = cn__loss_class_of(loss);
    loss->options = class_->defaults;
    if (!cn__field_find(class_->fields, class_->n_fields, "ignore_class")) loss->options.ignore_class = CN__NO_CLASS;
    CN_TRY(cn__fields_copy(class_->fields, class_->n_fields, &class_->defaults, &loss->options));
    int status = cn__fields_set(class_->fields, class_->n_fields, &loss->options, &spec);
    if (status == CN_OK) status = read_reduction(class_->name, loss->options.reduction, &loss->reduction);
    if (status == CN_OK) status = cn__axis_list_read(class_->name, loss->options.axis, &loss->axes);
    if (status == CN_OK && class_->check) status = class_->check(&loss->options);
    if (status < 0) cn__loss_close(loss);
    return status;
}

void cn__loss_close(cn__loss *loss)
{
    const cn__loss_class *class_ = cn__loss_class_of(loss);
    cn__fields_free(class_->fields, class_->n_fields, &loss->options);
    *loss = (cn__loss){.index = 0};
}

int cn__loss_needs_batches(const cn__loss *loss)
{
    const cn__loss_class *class_ = cn__loss_class_of(loss);
    return loss->reduction != CN__REDUCTION_SUM_OVER_BATCH_SIZE || class_->whole_batch || class_->look_first ||
           class_->rows_together || loss->axes.n || loss->options.ignore_class != CN__NO_CLASS;
}

int cn__loss_check_smoothing(const char *owner, const cn__loss_options *options)
{
    if (options->label_smoothing >= 0 && options->label_smoothing <= 1) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: label_smoothing must lie in 0 ... 1, got %g", owner, options->label_smoothing);
}

int cn__loss_check_focal(const char *owner, const cn__loss_options *options)
{
    if (!(options->alpha >= 0))
        return cn__fail(CN_EINVAL, "%s: alpha must not be negative, got %g", owner, options->alpha);
    if (!(options->gamma >= 0))
        return cn__fail(CN_EINVAL, "%s: gamma must not be negative, got %g", owner, options->gamma);
    return cn__loss_check_smoothing(owner, options);
}
