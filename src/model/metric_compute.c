#include "base/error.h"
#include "base/memory.h"
#include "model/scored.h"
#include "tensor/tensor.h"
#include "train/intersection.h"

#include <cornu/metric.h>
#include <cornu/operations.h>
#include <string.h>

struct cn_metric {
    cn__metric metric;
    double *state; /* NULL before the first batch */
};

cn_metric *cn_metric_from_text(const char *text)
{
    cn_metric *metric = cn__alloc(1, sizeof *metric, "a metric");
    if (!metric) return NULL;
    if (cn__metric_open(&metric->metric, text) < 0) {
        cn__free(metric);
        return NULL;
    }
    return metric;
}

void cn_metric_destroy(cn_metric **metric)
{
    if (!metric || !*metric) return;
    cn__metric_close(&(*metric)->metric);
    cn__free((*metric)->state);
    cn__free(*metric);
    *metric = NULL;
}

const char *cn_metric_name(const cn_metric *metric)
{
    return metric ? metric->metric.name : NULL;
}

/* At the first batch; later ones must have the same number of columns. */
static int shape(cn_metric *m, const cn__scored *s)
{
    int64_t columns = s->steps ? s->columns / s->steps : s->columns;
    if (m->state && columns != m->metric.columns)
        return cn__fail(CN_ESHAPE, "%s: y_pred has %lld columns, but %lld in the batches before; cn_metric_reset_state "
                        "begins anew", m->metric.name, (long long)columns, (long long)m->metric.columns);
    CN_TRY(cn__metric_set_shape(&m->metric, columns, s->labels != NULL));
    if (m->state) return CN_OK;
    m->state = cn__alloc((size_t)cn__metric_state_size(&m->metric) + 1, sizeof *m->state, "the state of a metric");
    return m->state ? CN_OK : CN_ENOMEM;
}

/* Labels as rows of 0 and 1, for metrics that read rows. */
static int make_target(cn__scored *s, const char *owner)
{
    if (s->axes.moves)
        return cn__fail(CN_ESHAPE, "%s: over other axes than the last one it reads rows of numbers, not labels", owner);
    s->target = cn_tensor_create(cn_dtype_of(s->output), 2, (int64_t[]){s->rows, s->columns});
    if (!s->target) return CN_ENOMEM;
    for (int64_t r = 0; r < s->rows; r++) {
        int64_t label = s->labels[r];
        if (label < 0 || label >= s->columns) continue;
        if (s->engine->bits == 64) ((double *)cn_data(s->target))[r * s->columns + label] = 1;
        else ((float *)cn_data(s->target))[r * s->columns + label] = 1;
    }
    return CN_OK;
}

static cn__scored_wish wish_of(const cn__metric *m, const cn_tensor *y_true)
{
    if (m->index == CN__METRIC_mean_of_loss) {
        cn__scored_wish wish = cn__scored_wish_of(&m->loss);
        wish.owner = m->name;
        if (wish.kind == CN__SCORED_LABELS || wish.kind == CN__SCORED_ROWS) wish.kind = CN__SCORED_AS_SHAPED;
        return wish;
    }
    if (m->options.from_sorted_ids)
        return (cn__scored_wish){.owner = m->name, .kind = CN__SCORED_FREE, .ignored = CN__NO_CLASS, .axes = &m->axes};
    int without = m->index != CN__METRIC_BY_SHAPE && cn__metric_reads_of(m) == CN__READS_OUTPUT && !y_true;
    static const cn__axis_list last = {0};
    return (cn__scored_wish){.owner = m->name, .kind = without ? CN__SCORED_NOTHING : CN__SCORED_AS_SHAPED,
                             .ignored = m->loss.options.ignore_class,
                             .axes = m->options.sparse_y_pred ? &last : &m->axes}; /* class numbers have no rows */
}

static int update(cn_metric *metric, const cn_tensor *y_true, const cn_tensor *y_pred, const cn_tensor *sample_weight)
{
    cn__scored s;
    cn__metric *m = &metric->metric;
    cn__scored_wish wish = wish_of(m, y_true);
    CN_TRY(cn__scored_open(&s, y_true, y_pred, sample_weight, &wish));
    int status = shape(metric, &s);
    if (status == CN_OK && s.labels && cn__metric_reads_of(m) == CN__READS_ROWS) status = make_target(&s, m->name);
    if (status == CN_OK) {
        cn__scores scores = cn__scored_scores(&s);
        if (s.axes.moves)
            scores = cn__axes_move(&s.axes, &scores, s.samples, (size_t)s.engine->bits / 8, &s.axes_room);
        s.engine->metrics[m->index]->update(m, &scores, metric->state);
    }
    cn__scored_close(&s);
    return status;
}

/* Of targets that are rows where outputs are class numbers: the numbers of their largest. */
static int update_with_classes(cn_metric *metric, const cn_tensor *y_true, const cn_tensor *y_pred,
                               const cn_tensor *sample_weight)
{
    const cn__axis_list *axes = &metric->metric.axes;
    cn_tensor *classes = cn_tensor_argmax(y_true, axes->n ? axes->at[0] : -1, 0);
    int status = classes ? update(metric, classes, y_pred, sample_weight)
                         : cn__fail_prefix("%s: y_true: ", metric->metric.name);
    cn_tensor_destroy(&classes);
    return status;
}

int cn_metric_update_state(cn_metric *metric, const cn_tensor *y_true, const cn_tensor *y_pred,
                           const cn_tensor *sample_weight)
{
    if (!metric) return cn__fail(CN_EINVAL, "cn_metric_update_state: the metric is NULL");
    int with_classes = y_true && cn__intersection_wants_labels(&metric->metric);
    return (with_classes ? update_with_classes : update)(metric, y_true, y_pred, sample_weight);
}

cn_tensor *cn_metric_result(const cn_metric *metric)
{
    if (!metric) return cn__fail_null(CN_EINVAL, "cn_metric_result: the metric is NULL");
    if (!metric->state)
        return cn__fail_null(CN_ESTATE, "%s has seen nothing yet; call cn_metric_update_state first",
                             metric->metric.name);
    cn_tensor *values = cn_tensor_create(CN_FLOAT64, 1, (int64_t[]){cn__metric_n_results(&metric->metric)});
    if (values) cn__metric_result(&metric->metric, metric->state, cn_data(values));
    return values;
}

void cn_metric_reset_state(cn_metric *metric)
{
    if (!metric) return;
    cn__free(metric->state);
    metric->state = NULL;
}
