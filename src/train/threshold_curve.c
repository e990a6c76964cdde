#include "train/threshold_curve.h"

#include "base/error.h"

#include <math.h>

/* --- a few thresholds --- */

const cn__field cn__confusion_fields[2] = {CN__METRIC_FIELD(thresholds, TEXT), CN__METRIC_FIELD(name, TEXT)};
const cn__field cn__confusion_choice_fields[4] = {CN__METRIC_FIELD(thresholds, TEXT), CN__METRIC_FIELD(top_k, INT64),
                                                  CN__METRIC_FIELD(class_id, INT64), CN__METRIC_FIELD(name, TEXT)};

int cn__confusion_thresholds(const cn__metric_options *o, double *values)
{
    int n = cn__metric_read_list("thresholds", "each", o->thresholds, 0, 1, values);
    if (n != 0) return n;
    if (values) values[0] = o->top_k == CN__NOT_GIVEN ? 0.5 : -INFINITY;
    return 1;
}

int64_t cn__confusion_state_size(const cn__metric *m)
{
    return 4 * (int64_t)m->n_thresholds;
}

int64_t cn__confusion_n_results(const cn__metric *m)
{
    return m->n_thresholds;
}

void cn__confusion_result(const cn__metric *m, const double *state, double *values)
{
    for (int i = 0; i < m->n_thresholds; i++) {
        const cn__curve_point at = {.tp = cn__count_at(m, state, CN__TRUE_POSITIVES, i),
                                    .fp = cn__count_at(m, state, CN__FALSE_POSITIVES, i),
                                    .tn = cn__count_at(m, state, CN__TRUE_NEGATIVES, i),
                                    .fn = cn__count_at(m, state, CN__FALSE_NEGATIVES, i)};
        values[i] = cn__metric_class_of(m)->rate(&at);
    }
}

int cn__confusion_check(const cn__metric_class *class_, const cn__metric_options *o)
{
    if (o->top_k == CN__NOT_GIVEN || o->top_k >= 1) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: top_k must be at least 1, got %lld", class_->name, (long long)o->top_k);
}

/* --- many thresholds --- */

int64_t cn__bucket_state_size(const cn__metric *m)
{
    return 2 * (m->options.multi_label ? m->columns : 1) * ((int64_t)m->n_thresholds + 1);
}

int cn__even_thresholds(const cn__metric_options *o, double *values)
{
    int n = (int)o->num_thresholds;
    for (int i = 0; values && i < n; i++) values[i] = n == 1 ? 0.5 : (double)i / (n - 1);
    return n;
}

int cn__curve_check(const cn__metric_class *class_, const cn__metric_options *o)
{
    const char *owner = class_->name, *argument = class_->fields[0].name;
    if (!(o->num_thresholds >= 1 && o->num_thresholds <= 1000000))
        return cn__fail(CN_EINVAL, "%s: num_thresholds must lie in 1 ... 1000000, got %lld", owner,
                        (long long)o->num_thresholds);
    if (isnan(o->at))
        return cn__fail(CN_EINVAL, "%s needs the %s that is to be reached, as in %s(0.9)", owner, argument, owner);
    if (o->at >= 0 && o->at <= 1) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: %s must lie in 0 ... 1, got %g", owner, argument, o->at);
}

void cn__curve_walk(const cn__metric *m, const double *state, int64_t label,
                    void (*visit)(void *context, const cn__curve_point *point), void *context)
{
    const double *trues = state + cn__bucket_place(m, label, 1), *falses = state + cn__bucket_place(m, label, 0);
    double positives = 0, negatives = 0;
    cn__curve_point at = {0, 0, 0, 0};
    for (int b = 0; b <= m->n_thresholds; b++) {
        positives += trues[b];
        negatives += falses[b];
    }
    for (int b = m->n_thresholds; b >= 1; b--) {
        at.tp += trues[b];
        at.fp += falses[b];
        at.fn = positives - at.tp;
        at.tn = negatives - at.fp;
        visit(context, &at);
    }
}

typedef struct search {
    double at, best;
    const cn__metric_class *class_;
} search;

static void look(void *context, const cn__curve_point *point)
{
    search *s = context;
    double wanted = s->class_->rate(point);
    /* rates and bounds are float32 numbers in Keras, so 0.8 is reached by 4 of 5 */
    if ((float)s->class_->held(point) >= (float)s->at && wanted > s->best) s->best = wanted;
}

void cn__curve_best(const cn__metric *m, const double *state, double *values)
{
    search s = {m->options.at, 0, cn__metric_class_of(m)};
    cn__curve_walk(m, state, 0, look, &s);
    values[0] = s.best;
}

double cn__curve_recall(const cn__curve_point *p)
{
    return cn__quotient(p->tp, p->tp + p->fn);
}

double cn__curve_precision(const cn__curve_point *p)
{
    return cn__quotient(p->tp, p->tp + p->fp);
}

double cn__curve_specificity(const cn__curve_point *p)
{
    return cn__quotient(p->tn, p->tn + p->fp);
}
