#include "model/measure.h"

#include "model/model.h"

#include <math.h>

#define FEWEST_ROWS_PER_TASK 8

static void scale_gradient(const cn__measuring *m, const cn__scores *s, int64_t first)
{
    int wide = m->engine->bits == 64, whole = cn__loss_class_of(m->loss)->whole_batch;
    double together = 0; /* one number for all rows moves with the mean of the weights */
    if (!s->gradient || (!m->weights && m->share == 1)) return;
    for (int64_t r = 0; whole && m->weights && r < s->rows; r++) together += m->weights[r] / (double)s->rows;
    for (int64_t r = 0; r < s->rows; r++) {
        double factor = m->share * (!m->weights ? 1 : whole ? together : m->weights[first + r]);
        float narrow_factor = (float)factor;
        double *wide_row = (double *)s->gradient + r * s->columns;
        float *narrow_row = (float *)s->gradient + r * s->columns;
        for (int64_t j = 0; wide && j < s->columns; j++) wide_row[j] *= factor;
        for (int64_t j = 0; !wide && j < s->columns; j++) narrow_row[j] *= narrow_factor;
    }
}

void cn__measure_rows(const cn__measuring *m, int64_t begin, int64_t end)
{
    const cn__loss_math *math = m->engine->losses[m->loss->index];
    size_t real = cn__engine_bytes(m->engine);
    size_t row = (size_t)m->scores.columns * real;
    cn__scores s = m->scores;
    s.rows = end - begin;
    s.target = s.target ? (const char *)s.target + (size_t)begin * row : NULL;
    s.labels = s.labels ? s.labels + begin : NULL;
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

static int counts(const cn__measuring *m, int64_t row)
{
    int64_t ignored = m->loss->options.ignore_class;
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
        if (m->loss->options.ignore_class == CN__NO_CLASS) n = rows;
        else
            for (int64_t r = 0; r < rows; r++) n += counts(m, r);
        m->scores.divisor = n ? n : 1; /* all rows are ignored: 0 / 1 */
        return (double)m->scores.divisor;
    }
    if (m->loss->reduction == CN__REDUCTION_MEAN_WITH_SAMPLE_WEIGHT) {
        divisor = 0;
        for (int64_t r = 0; r < rows; r++) divisor += counts(m, r) ? (m->weights ? m->weights[r] : 1) : 0;
    } else if (cn__loss_class_of(m->loss)->whole_batch && !m->weights) {
        divisor = (double)rows; /* there is one number only, and each row holds it */
    }
    m->share = divisor == 0 ? 0 : 1 / divisor;
    return divisor == 0 ? INFINITY : divisor;
}

double cn__measure_loss(cn__measuring *m, double *divisor)
{
    const cn__loss_class *class_ = cn__loss_class_of(m->loss);
    int64_t rows = m->scores.rows;
    double sum = 0;
    m->scores.options = &m->loss->options;
    *divisor = choose_divisor(m);
    if (class_->look_first) m->scores.seen = m->engine->losses[m->loss->index]->look(&m->scores);
    if (m->around) {
        m->around->measuring = m;
        cn__parallel(m->team, m->around->count, m->around->body, m->around);
    } else if (!m->team || class_->whole_batch) measure_rows(m, 0, 0, rows);
    else cn__parallel(m->team, rows, measure_rows, m);
    for (int64_t r = 0; r < rows; r++) {
        double loss = m->engine->bits == 64 ? ((const double *)m->scores.row_loss)[r]
                                            : (double)((const float *)m->scores.row_loss)[r];
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
        if (model->metrics[i].index == CN__METRIC_mean_of_loss) needs |= cn__loss_needs_batches(&model->metrics[i].loss);
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

static void measure_metrics(const cn_model *model, const cn__scores *measured, const double *weights, double *state)
{
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
        model->engine->metrics[metric->index]->update(metric, &s, state + model->metric_places[i]);
    }
}

void cn__measure(cn_model *model, const void *output, int64_t rows, const double *weights, void *gradient,
                 cn__sums *sums, cn__around *around)
{
    const cn_layer *last = cn__model_last(model);
    const cn__plan *plan = &model->plan;
    int sparse = cn__loss_class_of(&model->loss)->sparse;
    int64_t columns = last->output_shape[last->output_ndim - 1], all = rows * cn__model_rows_per_sample(model);
    cn__measuring m = {.engine = model->engine,
                       .loss = &model->loss,
                       .from_logits = cn__model_reads_logits(model),
                       .team = !around && all < FEWEST_ROWS_PER_TASK * model->threads ? NULL : model->team,
                       .around = around,
                       .weights = weights,
                       .scores = {.rows = all,
                                  .columns = columns,
                                  .target = sparse ? NULL : plan->target,
                                  .labels = sparse ? plan->labels : NULL,
                                  .output = output,
                                  .probabilities = plan->probabilities,
                                  .row_loss = plan->row_loss,
                                  .gradient = gradient}};
    double divisor, loss = cn__measure_loss(&m, &divisor);
    sums->rows += rows;
    sums->loss += loss * ((double)rows / divisor) + cn__penalties(model, rows) * (double)rows;
    if (model->from_logits) m.scores.output = m.scores.probabilities;
    if (model->n_metrics) measure_metrics(model, &m.scores, weights, model->metric_states[sums->testing]);
}

cn__sums cn__sums_begin(cn_model *model, int testing)
{
    double *state = model->metric_states[testing];
    for (int64_t i = 0; i < model->metric_state_size; i++) state[i] = 0;
    return (cn__sums){.testing = testing};
}
