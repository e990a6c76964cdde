#include "model/inspect_parts.h"

#include <math.h>

/* Fewer rows than this are in order by chance too easily. */
#define SORTED_AT_LEAST 20

/* The label itself, or the place of the largest number; -1 for what is no class. */
static double class_of(const cn__rows *y, int64_t row)
{
    int64_t best = 0;
    for (int64_t j = 1; j < y->features; j++)
        if (cn__rows_value(y, row * y->features + j) > cn__rows_value(y, row * y->features + best)) best = j;
    double value = y->features > 1 ? (double)best : cn__rows_value(y, row);
    return value >= 0 && value == floor(value) ? value : -1;
}

typedef struct run {
    int rising, falling, whole;
    double low, high;
} run;

static run look_at(const cn__rows *y, int64_t first)
{
    run r = {1, 1, 1, INFINITY, -INFINITY};
    double previous = class_of(y, first);
    for (int64_t i = first; i < y->n; i++) {
        double class_ = class_of(y, i);
        r.rising &= class_ >= previous;
        r.falling &= class_ <= previous;
        r.whole &= class_ >= 0;
        r.low = class_ < r.low ? class_ : r.low;
        r.high = class_ > r.high ? class_ : r.high;
        previous = class_;
    }
    return r;
}

void cn__inspect_validation(const cn__rows *y, const cn_inspect_options *options, cn__findings *findings)
{
    double split = options->validation_split;
    if (!(split > 0 && split < 1) || options->validation_stratified) return;
    int64_t first = (int64_t)floor((double)y->n * (1.0 - split)), n = y->n - first;
    if (n < SORTED_AT_LEAST || first < 1) return;
    run all = look_at(y, 0), tail = look_at(y, first);
    if (!all.whole || all.low == all.high || !(tail.rising || tail.falling)) return;
    cn__findings_add(findings, CN_FINDING_VALIDATION_SORTED, "validation_split %g takes the last %lld of %lld rows, "
                     "and these are sorted by class: they hold classes %g ... %g of %g ... %g, so validation would "
                     "measure other classes than training sees; use validation_stratified (--stratified), or shuffle "
                     "the rows first",
                     split, (long long)n, (long long)y->n, tail.low, tail.high, all.low, all.high);
}
