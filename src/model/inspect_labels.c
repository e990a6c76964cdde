#include "model/inspect_parts.h"

#include "train/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rows of fewer labels than this are in order by chance too easily. */
#define SORTED_AT_LEAST 20
#define SUM_TOLERANCE 1e-3
/* Above this a class number is a mistake even when nobody said how many classes there are. */
#define MOST_CLASSES 1e9

typedef enum loss_family { LOSS_UNKNOWN, LOSS_SPARSE, LOSS_CATEGORICAL, LOSS_BINARY, LOSS_OTHER } loss_family;

/* "SparseCategoricalCrossentropy(from_logits=1)" and "sparse_categorical_crossentropy" are one loss. */
static loss_family family_of(const char *loss, int64_t columns, int64_t num_classes)
{
    char name[64];
    int index;
    if (!loss) return LOSS_UNKNOWN;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(loss, "( "), loss);
    if (cn__loss_is_by_shape(name)) {
        if (columns > 1) return LOSS_CATEGORICAL;
        return num_classes == 1 ? LOSS_BINARY : num_classes > 1 ? LOSS_SPARSE : LOSS_UNKNOWN;
    }
    if (!cn__loss_find(name, &index)) return LOSS_OTHER;
    if (cn__loss_classes[index]->labels_are_free || cn__loss_classes[index]->sequence) return LOSS_OTHER;
    if (cn__loss_classes[index]->sparse) return LOSS_SPARSE;
    switch (index) {
    case CN__LOSS_categorical_crossentropy:
    case CN__LOSS_categorical_focal_crossentropy: return LOSS_CATEGORICAL;
    case CN__LOSS_binary_crossentropy:
    case CN__LOSS_binary_focal_crossentropy: return LOSS_BINARY;
    default: return LOSS_OTHER;
    }
}

/* What one pass over the labels has seen. Rows of one number are class numbers; longer ones may be one-hot. */
typedef struct summary {
    int one_hot, whole;             /* true of every row */
    int rising, falling;            /* classes never fall, never rise */
    double low, high;
    int64_t n_outside, outside_row; /* numbers that no class number (or no probability) can be */
    double outside;
    int64_t n_bad_sums, sum_row;    /* rows that do not add up to 1 */
    double sum;
} summary;

typedef struct limits {
    int whole;      /* numbers have to be whole */
    double highest; /* and in 0 ... highest */
} limits;

static void add_number(summary *s, const limits *allowed, double value, int64_t row)
{
    if (value < s->low) s->low = value;
    if (value > s->high) s->high = value;
    if (value == 0 || value == 1) return; /* the many numbers of one-hot rows */
    int is_whole = value == floor(value); /* false for NaN */
    s->whole &= is_whole;
    if (value >= 0 && value <= allowed->highest && (is_whole || !allowed->whole)) return;
    if (s->n_outside++ > 0) return;
    s->outside = value;
    s->outside_row = row;
}

/* Returns the class: the number itself, or the place of the largest. */
static double add_row(summary *s, const limits *allowed, const cn__rows *y, int64_t row)
{
    int64_t k = y->features, ones = 0, zeros = 0, best = 0;
    double sum = 0, largest = -INFINITY, value = 0;
    for (int64_t j = 0; j < k; j++) {
        value = cn__rows_value(y, row * k + j);
        add_number(s, allowed, value, row);
        ones += value == 1;
        zeros += value == 0;
        sum += value;
        if (value > largest) largest = value, best = j;
    }
    if (k == 1) return value;
    s->one_hot &= ones == 1 && zeros == k - 1;
    if (!(fabs(sum - 1) <= SUM_TOLERANCE) && s->n_bad_sums++ == 0) {
        s->sum = sum;
        s->sum_row = row;
    }
    return (double)best;
}

static summary summarize(const cn__rows *y, const limits *allowed)
{
    summary s = {.one_hot = y->features > 1, .whole = 1, .rising = 1, .falling = 1, .low = INFINITY, .high = -INFINITY};
    double previous = 0;
    for (int64_t row = 0; row < y->n; row++) {
        double class = add_row(&s, allowed, y, row);
        if (row > 0) {
            s.rising &= class >= previous;
            s.falling &= class <= previous;
        }
        previous = class;
    }
    return s;
}

/* --- what is said ------------------------------------------------------------------------------------------------- */

static void say_outside(const summary *s, const char *what, const limits *allowed, int64_t units,
                        cn__findings *findings)
{
    const char *others = s->n_outside > 1 ? ", and others like it" : "";
    if (!allowed->whole)
        cn__findings_add(findings, CN_FINDING_LABEL_RANGE, "row %lld of the %s holds %g (%lld such number%s), but this "
                         "loss needs numbers in 0 ... 1", (long long)s->outside_row, what, s->outside,
                         (long long)s->n_outside, s->n_outside > 1 ? "s" : "");
    else if (!(s->outside >= 0) || s->outside != floor(s->outside) || s->outside > MOST_CLASSES || units < 2)
        cn__findings_add(findings, CN_FINDING_LABEL_RANGE, "row %lld of the %s is %g%s (%lld in all), which is no "
                         "class number: classes are numbered 0, 1, 2, ...", (long long)s->outside_row, what, s->outside,
                         others, (long long)s->n_outside);
    else
        cn__findings_add(findings, CN_FINDING_LABEL_RANGE, "row %lld of the %s is %g%s (%lld in all), but a last layer "
                         "of %lld units knows classes 0 ... %lld; give it %g units, or mend the labels",
                         (long long)s->outside_row, what, s->outside, others, (long long)s->n_outside, (long long)units,
                         (long long)units - 1, s->high + 1);
}

static void say_one_hot(const cn__rows *y, const char *what, cn__findings *findings)
{
    cn__findings_add(findings, CN_FINDING_LABEL_KIND, "the %s are one-hot rows of %lld numbers, but "
                     "sparse_categorical_crossentropy takes one class number for each input; use "
                     "categorical_crossentropy, or leave out cn_to_categorical", what, (long long)y->features);
}

static void say_numbers(const summary *s, const char *what, const cn_inspect_options *options, cn__findings *findings)
{
    double classes = options->num_classes > 0 ? (double)options->num_classes : s->high + 1;
    cn__findings_add(findings, CN_FINDING_LABEL_KIND, "the %s are class numbers in %g ... %g, one for each input, but "
                     "%.64s compares one-hot rows of %g numbers; use sparse_categorical_crossentropy, or "
                     "cn_to_categorical(labels, %g)", what, s->low, s->high, options->loss, classes, classes);
}

/* Class numbers (one number a row) against a loss. */
static void judge_numbers(const summary *s, const char *what, const limits *allowed, const cn_inspect_options *options,
                          loss_family family, cn__findings *findings)
{
    int wants_rows = family == LOSS_CATEGORICAL || (family == LOSS_OTHER && options->num_classes > 1);
    if (wants_rows && s->whole)
        say_numbers(s, what, options, findings);
    else if (s->n_outside > 0 && (family == LOSS_SPARSE || family == LOSS_BINARY))
        say_outside(s, what, allowed, options->num_classes, findings);
}

/* Rows of numbers against a loss. */
static void judge_rows(const summary *s, const cn__rows *y, const char *what, const limits *allowed,
                       const cn_inspect_options *options, loss_family family, cn__findings *findings)
{
    if (family == LOSS_SPARSE) {
        if (s->one_hot)
            say_one_hot(y, what, findings);
        else if (s->n_outside > 0)
            say_outside(s, what, allowed, options->num_classes, findings);
    } else if (family == LOSS_CATEGORICAL || family == LOSS_BINARY) {
        if (s->n_outside > 0)
            say_outside(s, what, allowed, 0, findings);
        else if (family == LOSS_CATEGORICAL && s->n_bad_sums > 0)
            cn__findings_add(findings, CN_FINDING_LABEL_RANGE, "row %lld of the %s adds up to %g instead of 1 (%lld "
                             "such row%s), but categorical_crossentropy takes probabilities; normalise the rows",
                             (long long)s->sum_row, what, s->sum, (long long)s->n_bad_sums,
                             s->n_bad_sums > 1 ? "s" : "");
    }
}

/* Where the network answers for each step of a sequence, the labels have more than two axes: each step counts. */
static cn__rows by_last_axis(const cn__rows *y)
{
    cn__rows rows = *y;
    int ndim = cn_ndim(y->tensor);
    if (ndim < 3) return rows;
    rows.features = cn_shape(y->tensor)[ndim - 1];
    rows.n = y->n * y->features / rows.features;
    return rows;
}

void cn__inspect_labels(const cn__rows *y, const char *what, const cn_inspect_options *options, int check_order,
                        cn__findings *findings)
{
    cn__rows rows = by_last_axis(y);
    loss_family family = family_of(options->loss, rows.features, options->num_classes);
    limits allowed = {family == LOSS_SPARSE, 1};
    if (family == LOSS_SPARSE)
        allowed.highest = options->num_classes > 1 ? (double)options->num_classes - 1 : MOST_CLASSES;
    summary s = summarize(&rows, &allowed);
    if (rows.features == 1)
        judge_numbers(&s, what, &allowed, options, family, findings);
    else
        judge_rows(&s, &rows, what, &allowed, options, family, findings);
    if (check_order && rows.n == y->n && y->n >= SORTED_AT_LEAST && s.rising != s.falling && (s.whole || s.one_hot))
        cn__findings_add(findings, CN_FINDING_LABELS_SORTED, "the %s are sorted by class and shuffle is off, so each "
                         "batch would show (nearly) one class only; switch shuffle on, or shuffle the rows", what);
}
