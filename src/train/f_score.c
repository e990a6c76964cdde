#include "train/f_score.h"

#include "base/error.h"

#include <string.h>

#define EPSILON 1e-7

int cn__f_score_check(const cn__metric_class *class_, const cn__metric_options *o)
{
    const char *owner = class_->name;
    if (o->average && strcmp(o->average, "micro") && strcmp(o->average, "macro") && strcmp(o->average, "weighted") &&
        strcmp(o->average, "None"))
        return cn__fail(CN_EINVAL, "%s: average must be micro, macro, weighted or None, got \"%.64s\"", owner,
                        o->average);
    if (!(o->beta > 0)) return cn__fail(CN_EINVAL, "%s: beta must be above 0, got %g", owner, o->beta);
    if (o->threshold != o->threshold || (o->threshold > 0 && o->threshold <= 1)) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: threshold must lie in 0 ... 1 (0 excluded), got %g", owner, o->threshold);
}

static int is_average(const cn__metric *m, const char *name)
{
    return m->options.average && !strcmp(m->options.average, name);
}

int64_t cn__f_score_state_size(const cn__metric *m)
{
    return CN__F_PARTS * m->columns;
}

int64_t cn__f_score_n_results(const cn__metric *m)
{
    return m->options.average && !is_average(m, "None") ? 1 : m->columns;
}

/* (1 + beta^2) precision recall / (beta^2 precision + recall), Keras's epsilon in every denominator */
static double score(const cn__metric *m, double tp, double fp, double fn)
{
    double precision = tp / (tp + fp + EPSILON), recall = tp / (tp + fn + EPSILON);
    double beta = m->options.beta * m->options.beta;
    return precision * recall / (beta * precision + recall + EPSILON) * (1 + beta);
}

void cn__f_score_result(const cn__metric *m, const double *state, double *values)
{
    int64_t n = m->columns;
    const double *tp = state, *fp = tp + n, *fn = fp + n, *class_ = fn + n;
    double tp_all = 0, fp_all = 0, fn_all = 0, class_all = 0, sum = 0, weighted = 0;
    for (int64_t j = 0; j < n; j++) {
        tp_all += tp[j];
        fp_all += fp[j];
        fn_all += fn[j];
        class_all += class_[j];
    }
    for (int64_t j = 0; j < n; j++) {
        double of_class = score(m, tp[j], fp[j], fn[j]);
        if (cn__f_score_n_results(m) > 1) values[j] = of_class;
        sum += of_class;
        weighted += of_class * (class_[j] / (class_all + EPSILON));
    }
    if (cn__f_score_n_results(m) > 1) return;
    values[0] = is_average(m, "micro") ? score(m, tp_all, fp_all, fn_all)
                : is_average(m, "weighted") ? weighted : sum / (double)n;
}
