#include "train/intersection.h"

#include "base/error.h"

#define EPSILON 1e-7
#define MOST_CLASSES 10000

int cn__intersection_check(const cn__metric_class *class_, const cn__metric_options *o)
{
    const char *owner = class_->name;
    if (!(o->num_classes >= 2 && o->num_classes <= MOST_CLASSES))
        return cn__fail(CN_EINVAL, "%s needs num_classes, a whole number in 2 ... %d, got %lld", owner, MOST_CLASSES,
                        (long long)o->num_classes);
    int n = cn__metric_read_list(owner, "target_class_ids", o->target_class_ids, 0, (double)o->num_classes - 1, NULL);
    return n < 0 ? n : CN_OK;
}

int cn__intersection_classes(const cn__metric_options *o, double *values)
{
    return cn__metric_read_list("target_class_ids", "each", o->target_class_ids, 0, (double)o->num_classes - 1, values);
}

static int is_one(const cn__metric *m)
{
    return m->index >= 0 && cn__metric_class_of(m)->result == cn__intersection_result &&
           m->index != CN__METRIC_binary_iou;
}

int cn__intersection_wants_labels(const cn__metric *m)
{
    return is_one(m) && m->options.sparse_y_pred && !m->options.sparse_y_true;
}

int cn__intersection_set_shape(const cn__metric *m, int64_t columns, int labels)
{
    if (!is_one(m) || labels || columns == 1 || m->options.sparse_y_pred || !m->options.sparse_y_true) return CN_OK;
    return cn__fail(CN_EINVAL, "the metric %s: with sparse_y_true its targets are class numbers, but these are rows of "
                    "%lld; sparse_y_true=0 takes the largest of each", m->name, (long long)columns);
}

int64_t cn__intersection_state_size(const cn__metric *m)
{
    return m->options.num_classes * m->options.num_classes;
}

void cn__intersection_result(const cn__metric *m, const double *state, double *values)
{
    int64_t n = m->options.num_classes;
    double sum = 0, met = 0;
    for (int i = 0; i < (m->n_thresholds ? m->n_thresholds : n); i++) {
        int64_t c = m->n_thresholds ? (int64_t)m->thresholds[i] : i;
        double both = state[c * n + c], either = -both;
        for (int64_t k = 0; k < n; k++) either += state[c * n + k] + state[k * n + c];
        if (!(either > 1e-9)) continue;
        sum += both / (either + EPSILON);
        met++;
    }
    values[0] = sum / (met + EPSILON);
}
