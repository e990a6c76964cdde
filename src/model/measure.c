#include "model/measure.h"

#include "model/model.h"

#include <math.h>

#define FEWEST_ROWS_PER_TASK 8

/* One number for all rows. */
static int is_whole(const cn__measuring *m)
{
    return cn__loss_class_of(m->loss)->whole_batch && !m->scores.moved;
}

static void scale_row(const cn__measuring *m, const cn__scores *s, int64_t row, double factor)
{
    int wide = m->engine->bits == 64;
    float narrow_factor = (float)factor;
    double *wide_row = (double *)s->gradient + row * s->columns;
    float *narrow_row = (float *)s->gradient + row * s->columns;
    for (int64_t j = 0; wide && j < s->columns; j++) wide_row[j] *= factor;
    for (int64_t j = 0; !wide && j < s->columns; j++) narrow_row[j] *= narrow_factor;
}

static void scale_gradient(const cn__measuring *m, const cn__scores *s, int64_t first)
{
    int whole = is_whole(m);
    double together = 0; /* one number for all rows moves with the mean of the weights */
    if (!s->gradient || (!m->weights && m->share == 1)) return;
    for (int64_t r = 0; whole && m->weights && r < s->rows; r++) together += m->weights[r] / (double)s->rows;
    for (int64_t r = 0; r < s->rows; r++)
        scale_row(m, s, r, m->share * (!m->weights ? 1 : whole ? together : m->weights[first + r]));
}

void cn__measure_rows(const cn__measuring *m, int64_t begin, int64_t end)
{
    const cn__loss_math *math = m->engine->losses[m->loss->index];
    size_t real = cn__engine_bytes(m->engine);
    size_t row = (size_t)m->scores.columns * real;
    cn__scores s = m->scores;
    s.rows = end - begin;
    s.target = s.target ? (const char *)s.target + (size_t)begin * row : NULL;
    s.labels = s.labels ? s.labels + begin * (s.steps ? s.length : 1) : NULL;
    s.room = s.room ? (char *)s.room + (size_t)(begin * cn__loss_room(s.steps, s.length)) * real : NULL;
    s.output = (const char *)s.output + (size_t)begin * row;
    s.probabilities = (char *)s.probabilities + (size_t)begin * row;
    s.row_loss = (char *)s.row_loss + (size_t)begin * real;
    s.gradient = s.gradient ? (char *)s.gradient + (size_t)begin * row : NULL;
    if (m->from_logits) math->measure_from_logits(&s);
    else math->measure(&s);
    scale_gradient(m, &s, begin);
}

static void measure_rows(void *context, int thread, int64_t begin, int64_t end)
{
    (void)thread;
    cn__measure_rows(context, begin, end);
}

static double loss_of_row(const cn__measuring *m, int64_t row)
{
    return m->engine->bits == 64 ? ((const double *)m->scores.row_loss)[row]
                                 : (double)((const float *)m->scores.row_loss)[row];
}

static int counts(const cn__measuring *m, int64_t row)
{
    int64_t ignored = m->loss->options.ignore_class;
    if (cn__loss_class_of(m->loss)->rows_together) return loss_of_row(m, row) > 0;
    return ignored == CN__NO_CLASS || !m->scores.labels || m->scores.labels[row] != ignored;
}

/* Sets divisor and share as the reduction wants them; returns what the sum of weighted losses is divided by. */
static double choose_divisor(cn__measuring *m)
{
    int64_t rows = m->scores.rows, n = 0;
    double divisor = 1;
    m->share = 1;
    m->scores.divisor = 1;
    if (m->loss->reduction == CN__REDUCTION_SUM_OVER_BATCH_SIZE) {
        if (m->loss->options.ignore_class == CN__NO_CLASS && !cn__loss_class_of(m->loss)->rows_together) n = rows;
        else
            for (int64_t r = 0; r < rows; r++) n += counts(m, r);
        m->scores.divisor = n ? n : 1; /* all rows are ignored: 0 / 1 */
        return (double)m->scores.divisor;
    }
    if (m->loss->reduction == CN__REDUCTION_MEAN_WITH_SAMPLE_WEIGHT) {
        divisor = 0;
        for (int64_t r = 0; r < rows; r++) divisor += counts(m, r) ? (m->weights ? m->weights[r] : 1) : 0;
    } else if (is_whole(m) && !m->weights) {
        divisor = (double)rows; /* there is one number only, and each row holds it */
    }
    m->share = divisor == 0 ? 0 : 1 / divisor;
    return divisor == 0 ? INFINITY : divisor;
}

/* Rows that depend on each other: the divisor is known only afterwards, and weights are part of the gradient. */
static double measure_together(cn__measuring *m)
{
    m->scores.divisor = 1;
    m->scores.weights = m->weights;
    m->engine->losses[m->loss->index]->measure(&m->scores);
    double divisor = choose_divisor(m), factor = m->share / (double)m->scores.divisor;
    for (int64_t r = 0; m->scores.gradient && r < m->scores.rows; r++) scale_row(m, &m->scores, r, factor);
    return divisor;
}

static double measure_moved(cn__measuring *m, double *divisor)
{
    size_t bytes = cn__engine_bytes(m->engine);
    cn__measuring moved = *m;
    m->scores.weights = m->weights;
    moved.axes = NULL;
    moved.scores = cn__axes_move(m->axes, &m->scores, m->samples, bytes, m->axes_room);
    moved.weights = moved.scores.weights;
    double sum = cn__measure_loss(&moved, divisor);
    if (m->scores.gradient)
        cn__axes_move_back(m->axes, m->samples, bytes, moved.scores.gradient, m->scores.gradient);
    return sum;
}

static void measure_apart(cn__measuring *m)
{
    if (cn__loss_class_of(m->loss)->look_first)
        m->scores.seen = m->engine->losses[m->loss->index]->look(&m->scores);
    if (m->around) {
        m->around->measuring = m;
        cn__parallel(m->team, m->around->count, m->around->body, m->around);
    } else if (!m->team || is_whole(m)) measure_rows(m, 0, 0, m->scores.rows);
    else cn__parallel(m->team, m->scores.rows, measure_rows, m);
}

double cn__measure_loss(cn__measuring *m, double *divisor)
{
    int64_t rows = m->scores.rows;
    double sum = 0;
    if (m->axes && m->axes->moves) return measure_moved(m, divisor);
    m->scores.options = &m->loss->options;
    if (cn__loss_class_of(m->loss)->rows_together) {
        *divisor = measure_together(m);
    } else {
        *divisor = choose_divisor(m);
        measure_apart(m);
    }
    for (int64_t r = 0; r < rows; r++) {
        double loss = loss_of_row(m, r);
        sum += m->weights ? m->weights[r] * loss : loss;
    }
    return sum;
}

int cn__model_metrics_read_logits(const cn_model *model)
{
    for (int i = 0; i < model->n_metrics; i++)
        if (model->metrics[i].loss.options.from_logits) return 1;
    return 0;
}

int cn__model_needs_batches(const cn_model *model)
{
    int needs = cn__loss_needs_batches(&model->loss);
    for (int i = 0; i < model->n_metrics; i++)
        if (model->metrics[i].index == CN__METRIC_mean_of_loss)
            needs |= cn__loss_needs_batches(&model->metrics[i].loss);
    return needs;
}

int cn__model_reads_logits(const cn_model *model)
{
    return model->from_logits || model->loss.options.from_logits;
}

/* Labels as rows of 0 and 1, for metrics that read rows. */
static void make_one_hot(const cn__engine *engine, const cn__scores *s, void *rows)
{
    int wide = engine->bits == 64;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t j = 0; j < s->columns; j++) {
            if (wide) ((double *)rows)[r * s->columns + j] = s->labels[r] == j;
            else ((float *)rows)[r * s->columns + j] = s->labels[r] == j;
        }
}

static void measure_metrics(const cn_model *model, const cn__scores *measured, int64_t samples, const double *weights,
                            double *state)
{
    size_t bytes = cn__engine_bytes(model->engine);
    cn__scores s = *measured;
    s.row_loss = model->plan.metric_row_loss;
    s.probabilities = model->plan.metric_probabilities;
    s.gradient = NULL;
    for (int i = 0; i < model->n_metrics; i++) {
        const cn__metric *metric = &model->metrics[i];
        if (s.labels && !s.target && cn__metric_reads_of(metric) == CN__READS_ROWS) {
            make_one_hot(model->engine, &s, model->plan.target);
            s.target = model->plan.target;
        }
        s.weights = i < model->n_plain_metrics ? NULL : weights;
        const cn__axes *axes = &model->metric_axes[i];
        cn__scores rows = axes->moves ? cn__axes_move(axes, &s, samples, bytes, &model->plan.axes_room) : s;
        model->engine->metrics[metric->index]->update(metric, &rows, state + model->metric_places[i]);
    }
}

void cn__measure(cn_model *model, const void *output, int64_t rows, const double *weights, void *gradient,
                 cn__sums *sums, cn__around *around)
{
    const cn_layer *last = cn__model_last(model);
    const cn__plan *plan = &model->plan;
    const cn__loss_class *loss_class = cn__loss_class_of(&model->loss);
    int sparse = loss_class->sparse;
    int64_t each = cn__model_rows_per_sample(model), steps = loss_class->sequence ? each : 0;
    int64_t columns = steps ? last->output_size : last->output_shape[last->output_ndim - 1];
    int64_t all = rows * (steps ? 1 : each);
    cn__measuring m = {.engine = model->engine,
                       .loss = &model->loss,
                       .from_logits = cn__model_reads_logits(model),
                       .team = !around && all < FEWEST_ROWS_PER_TASK * model->threads ? NULL : model->team,
                       .around = around,
                       .weights = weights,
                       .axes = &model->loss_axes,
                       .axes_room = &plan->axes_room,
                       .samples = rows,
                       .scores = {.rows = all,
                                  .columns = columns,
                                  .target = sparse ? NULL : plan->target,
                                  .labels = sparse ? plan->labels : NULL,
                                  .output = output,
                                  .probabilities = plan->probabilities,
                                  .row_loss = plan->row_loss,
                                  .steps = steps,
                                  .length = plan->sequence_labels,
                                  .room = plan->sequence_room,
                                  .gradient = gradient}};
    double divisor, loss = cn__measure_loss(&m, &divisor);
    sums->rows += rows;
    sums->loss += loss * ((double)rows / divisor) + cn__penalties(model, rows) * (double)rows;
    if (model->from_logits) m.scores.output = m.scores.probabilities;
    if (model->n_metrics) measure_metrics(model, &m.scores, rows, weights, model->metric_states[sums->testing]);
}

cn__sums cn__sums_begin(cn_model *model, int testing)
{
    double *state = model->metric_states[testing];
    for (int64_t i = 0; i < model->metric_state_size; i++) state[i] = 0;
    return (cn__sums){.testing = testing};
}
