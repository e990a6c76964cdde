#include "train/loss_rows.h"

/* Connectionist temporal classification (Graves and others 2006). A path takes one state at each step; the states are
 * the labels with a blank (class 0) before, between and behind them: 2 length + 1 of them. From a state a path stays,
 * goes to the next one, or skips a blank between two different labels. */

static real log_add(real a, real b)
{
    real top = a <= b ? b : a, low = a <= b ? a : b;
    return low == -(real)INFINITY ? top : top + cn__log1p(cn__exp(low - top));
}

static int32_t class_of(const int32_t *labels, int64_t state)
{
    return state % 2 ? labels[state / 2] : 0;
}

static int skips_to(const int32_t *labels, int64_t state)
{
    return state % 2 && state >= 3 && labels[state / 2] != labels[state / 2 - 1];
}

static int64_t count_labels(int64_t n, const int32_t *labels)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += labels[i] != 0;
    return count;
}

/* One sequence: z (steps, k) and p, its softmax; from its logarithms. */
typedef struct sequence {
    int64_t steps, k, states;
    const int32_t *labels;
    const real *z, *log_sums; /* log p = z - log_sums of the step */
} sequence;

static real log_p(const sequence *q, int64_t step, int64_t state)
{
    return q->z[step * q->k + class_of(q->labels, state)] - q->log_sums[step];
}

/* paths[t][s]: log of the sum over all paths that are in state s at step t, up to and including that step. */
static void go_forward(const sequence *q, real *paths)
{
    const real nowhere = -(real)INFINITY;
    for (int64_t s = 0; s < q->states; s++) paths[s] = s < 2 ? log_p(q, 0, s) : nowhere;
    for (int64_t t = 1; t < q->steps; t++) {
        const real *before = paths + (t - 1) * q->states;
        for (int64_t s = 0; s < q->states; s++) {
            real sum = s > 0 ? log_add(before[s], before[s - 1]) : before[s];
            if (skips_to(q->labels, s)) sum = log_add(sum, before[s - 2]);
            paths[t * q->states + s] = sum + log_p(q, t, s);
        }
    }
}

/* Over what is still to come behind step t, for each state there; `rest` at step t + 1 becomes that at step t. */
static void go_back(const sequence *q, int64_t t, const real *after, real *rest)
{
    for (int64_t s = 0; s < q->states; s++) {
        real sum = after[s] + log_p(q, t + 1, s);
        if (s + 1 < q->states) sum = log_add(sum, after[s + 1] + log_p(q, t + 1, s + 1));
        if (s + 2 < q->states && skips_to(q->labels, s + 2)) sum = log_add(sum, after[s + 2] + log_p(q, t + 1, s + 2));
        rest[s] = sum;
    }
}

/* p minus the share of paths that take the class at that step. `turns` has room for the rests of two steps. */
static void subtract_paths(const sequence *q, const real *paths, real loss, real *turns, real share, real *gradient)
{
    real *rest = turns, *other = turns + q->states;
    for (int64_t s = 0; s < q->states; s++) rest[s] = s + 2 >= q->states ? 0 : -(real)INFINITY;
    for (int64_t t = q->steps - 1; t >= 0; t--) {
        for (int64_t s = 0; s < q->states; s++) {
            real *slot = &gradient[t * q->k + class_of(q->labels, s)];
            *slot = FMA(-share, cn__exp(paths[t * q->states + s] + rest[s] + loss), *slot);
        }
        if (t == 0) break;
        go_back(q, t - 1, rest, other);
        real *kept = rest;
        rest = other;
        other = kept;
    }
}

/* loss = -log sum over paths that spell the labels of the product of their p */
static void measure(const cn__scores *s)
{
    int64_t k = s->columns / s->steps, size = cn__loss_room(s->steps, s->length);
    const real share = 1 / (real)s->divisor;
    for (int64_t r = 0; r < s->rows; r++) {
        real *p = (real *)s->probabilities + r * s->columns, *gradient = cn__gradient_row(s, r);
        real *paths = (real *)s->room + r * size;
        const int32_t *labels = s->labels + r * s->length;
        sequence q = {.steps = s->steps, .k = k, .states = 2 * count_labels(s->length, labels) + 1, .labels = labels,
                      .z = cn__output_row(s, r)};
        real *log_sums = paths + size - s->steps;
        for (int64_t t = 0; t < s->steps; t++) log_sums[t] = cn__row_softmax(k, q.z + t * k, p + t * k);
        q.log_sums = log_sums;
        go_forward(&q, paths);
        const real *end = paths + (q.steps - 1) * q.states;
        real loss = -(q.states > 1 ? log_add(end[q.states - 1], end[q.states - 2]) : end[0]);
        ((real *)s->row_loss)[r] = loss;
        if (!gradient) continue;
        for (int64_t j = 0; j < s->columns; j++) gradient[j] = p[j] * share;
        subtract_paths(&q, paths, loss, paths + q.steps * q.states, share, gradient);
    }
}

const cn__loss_math CN_T(cn__loss_ctc_math) = {measure, measure, NULL};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_ctc = {
    .name = "ctc",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .from_logits = 1},
    .sparse = 1,
    .sequence = 1,
};
#endif
