#include "train/threshold_buckets.h"

const cn__metric_math CN_T(cn__metric_auc_math) = {cn__fill_buckets};

#if CN_ONCE
#include "base/error.h"

#include <string.h>

static const cn__field fields[] = {
    CN__METRIC_FIELD(num_thresholds, INT64),
    CN__METRIC_FIELD(curve, TEXT),
    CN__METRIC_FIELD(summation_method, TEXT),
    CN__METRIC_FIELD(name, TEXT),
    CN__METRIC_FIELD(thresholds, TEXT),
    CN__METRIC_FIELD(multi_label, INT),
    CN__METRIC_FIELD(num_labels, INT64),
    CN__METRIC_FIELD(label_weights, TEXT),
    CN__METRIC_FIELD(from_logits, INT),
};

typedef enum curve { ROC, PR, PRGAIN, NO_CURVE } curve;
typedef enum summation { INTERPOLATION, MINORING, MAJORING, NO_SUMMATION } summation;

static curve curve_of(const char *text)
{
    static const char *const names[] = {"ROC", "PR", "PRGAIN"};
    int i = 0;
    while (i < NO_CURVE && strcmp(text, names[i])) i++;
    return (curve)i;
}

static summation summation_of(const char *text)
{
    static const char *const names[] = {"interpolation", "minoring", "majoring"};
    int i = 0;
    while (i < NO_SUMMATION && strcmp(text, names[i])) i++;
    return (summation)i;
}

static int check(const cn__metric_class *class_, const cn__metric_options *o)
{
    if (curve_of(o->curve) == NO_CURVE)
        return cn__fail(CN_EINVAL, "%s: curve must be ROC, PR or PRGAIN, got \"%.64s\"", class_->name, o->curve);
    if (summation_of(o->summation_method) == NO_SUMMATION)
        return cn__fail(CN_EINVAL, "%s: summation_method must be interpolation, minoring or majoring, got \"%.64s\"",
                        class_->name, o->summation_method);
    if (!(o->num_thresholds >= 2 && o->num_thresholds <= 1000000))
        return cn__fail(CN_EINVAL, "%s: num_thresholds must lie in 2 ... 1000000, got %lld", class_->name,
                        (long long)o->num_thresholds);
    if (o->num_labels != CN__NOT_GIVEN && !o->multi_label)
        return cn__fail(CN_EINVAL, "%s: num_labels goes with multi_label=1 only", class_->name);
    return CN_OK;
}

/* Just below 0, what is between, just above 1: every output lies between the first and the last. */
static int thresholds(const cn__metric_options *o, double *values)
{
    int between = o->thresholds
        ? cn__metric_read_list("thresholds", "each", o->thresholds, 0, 1, values ? values + 1 : NULL)
                                : (int)o->num_thresholds - 2;
    if (between < 0) return between;
    if (!values) return between + 2;
    for (int i = 1; !o->thresholds && i <= between; i++) values[i] = (double)i / (between + 1);
    values[0] = -1e-7;
    values[between + 1] = 1 + 1e-7;
    return between + 2;
}

/* The area between one threshold and the next. */
typedef struct area {
    curve curve;
    summation summation;
    int is_begun;
    cn__curve_point last;
    double x, y, sum;
} area;

/* Davis and Goadrich: true positives are linear in all that is called positive, so precision is not. */
static double interpolated(const cn__curve_point *low, const cn__curve_point *high)
{
    double positives = low->tp + low->fp, fewer = high->tp + high->fp, hits = low->tp - high->tp;
    double slope = cn__quotient(hits, positives - fewer), intercept = high->tp - slope * fewer;
    double ratio = positives > 0 && fewer > 0 ? positives / fewer : 1;
    return cn__quotient(slope * (hits + intercept * log(ratio)), high->tp + high->fn);
}

static void coordinates(const area *a, const cn__curve_point *p, double *x, double *y)
{
    double scale = cn__quotient(p->tp + p->fn, p->tn + p->fp);
    switch (a->curve) {
    case ROC:
        *x = cn__quotient(p->fp, p->fp + p->tn);
        *y = cn__curve_recall(p);
        break;
    case PR:
        *x = cn__curve_recall(p);
        *y = cn__curve_precision(p);
        break;
    default:
        *x = p->tp == 0 ? 0 : fmax(0, 1 - scale * cn__quotient(p->fn, p->tp));
        *y = p->tp == 0 ? 1 : 1 - scale * cn__quotient(p->fp, p->tp);
    }
}

static void add(void *context, const cn__curve_point *p)
{
    area *a = context;
    double x, y, height;
    coordinates(a, p, &x, &y);
    height = a->summation == MINORING ? fmin(y, a->y) : a->summation == MAJORING ? fmax(y, a->y) : (y + a->y) / 2;
    if (a->is_begun)
        a->sum += a->curve == PR && a->summation == INTERPOLATION ? interpolated(p, &a->last) : (x - a->x) * height;
    a->is_begun = 1;
    a->last = *p;
    a->x = x;
    a->y = y;
}

static void result(const cn__metric *m, const double *state, double *values)
{
    int64_t labels = m->options.multi_label ? m->columns : 1;
    double weights = 0;
    values[0] = 0;
    for (int64_t label = 0; label < labels; label++) {
        area a = {.curve = curve_of(m->options.curve), .summation = summation_of(m->options.summation_method)};
        cn__curve_walk(m, state, label, add, &a);
        double weight = m->label_weights && m->options.multi_label ? m->label_weights[label] : 1;
        values[0] += weight * a.sum;
        weights += weight;
    }
    values[0] = cn__quotient(values[0], weights);
}

const cn__metric_class cn__metric_auc = {
    .name = "auc",
    CN__METRIC_FIELDS(fields),
    .defaults = {.num_thresholds = 200, .curve = "ROC", .summation_method = "interpolation", .class_id = CN__NOT_GIVEN,
                 .num_labels = CN__NOT_GIVEN},
    .check = check,
    .thresholds = thresholds,
    .state_size = cn__bucket_state_size,
    .result = result,
};
#endif
