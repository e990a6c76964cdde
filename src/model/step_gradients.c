#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Most optimizers move a row of weights while its gradient is still in the cache. Clipping by a norm, averages of
 * weights, accumulation, regularizers, constraints and a scaled loss need more than the row, so with any of them the
 * gradients are stored first. A step then takes two passes over the rows of each weight, with the norms between them:
 *
 *   before   loss scale, penalty, accumulation, clipping by value, sum of squares
 *   after    clipping by norm, decay and rule (the sink), average, overwriting
 *
 * and constraints at the end: Keras's order (base_optimizer.py, apply). */

static int wants(const cn_model *model)
{
    const cn__shared_options *o = cn__optimizer_shared(model->optimizer);
    if (model->optimizer->class_->moves_whole || cn__loss_is_scaled(model->optimizer)) return 1;
    if (o->clipnorm > 0 || o->clipvalue > 0 || o->global_clipnorm > 0 || o->use_ema || o->gradient_accumulation_steps)
        return 1;
    for (int i = 0; i < model->n_weights; i++) {
        const cn__weight *w = cn__model_weight_of(model, i);
        if (w->regularizer.l1 != 0 || w->regularizer.l2 != 0 || w->constraint.kind != CN__CONSTRAINT_COUNT) return 1;
    }
    return 0;
}

int cn__gradients_are_stored(const cn_model *model)
{
    return wants(model);
}

/* Numbers the rows of a weight by the norm they belong to; returns how many norms there are in a column. */
static int64_t group_rows(const cn__weight *w, int64_t *groups)
{
    int64_t n = 1;
    for (int a = 0; a < w->ndim - 1; a++)
        if (!(w->constraint.axes >> a & 1)) n *= w->shape[a];
    for (int64_t r = 0; groups && r < w->rows; r++) {
        int64_t rest = r, group = 0, step = 1;
        for (int a = w->ndim - 2; a >= 0; a--) {
            if (!(w->constraint.axes >> a & 1)) {
                group += rest % w->shape[a] * step;
                step *= w->shape[a];
            }
            rest /= w->shape[a];
        }
        groups[r] = group;
    }
    return n;
}

int cn__gradients_open(cn_model *model)
{
    cn__gradients_close(model);
    if (!wants(model) || !model->block_size) return CN_OK;
    const cn_optimizer *optimizer = model->optimizer;
    int64_t rows = 1, norms = 1, room = 0;
    for (int i = 0; i < model->n_weights; i++) {
        const cn__weight *w = cn__model_weight_of(model, i);
        int64_t n = w->constraint.kind == CN__CONSTRAINT_COUNT ? 0 : group_rows(w, NULL) * w->columns;
        rows = w->rows > rows ? w->rows : rows;
        norms = n > norms ? n : norms;
        n = optimizer->class_->room ? optimizer->class_->room(optimizer->options, w->rows, w->columns) : 0;
        room = n > room ? n : room;
    }
    cn__gradients *g = &model->gradients;
    g->block = cn__alloc((size_t)model->block_size, cn__engine_bytes(model->engine), "the gradients");
    g->row_sums = cn__alloc((size_t)rows, sizeof *g->row_sums, "the gradients");
    g->groups = cn__alloc((size_t)rows, sizeof *g->groups, "the constraints");
    g->norms = cn__alloc((size_t)norms, sizeof *g->norms, "the constraints");
    g->room = cn__alloc((size_t)room, cn__engine_bytes(model->engine), "the optimizer's rule");
    return g->block && g->row_sums && g->groups && g->norms && g->room ? CN_OK : CN_ENOMEM;
}

void cn__gradients_close(cn_model *model)
{
    cn__free(model->gradients.block);
    cn__free(model->gradients.row_sums);
    cn__free(model->gradients.groups);
    cn__free(model->gradients.norms);
    cn__free(model->gradients.room);
    model->gradients = (cn__gradients){.block = NULL};
}

/* One weight's part in a pass over rows. */
typedef struct work {
    const cn_model *model;
    const cn__weight *w;
    const cn__weight_rules *rules;
    const cn__shared_options *options;
    int number;        /* of the weight */
    int moves;         /* 1: w moves in this step; 0: gradients are only added up */
    int overwrites;    /* 1: w becomes its average */
    double keep;       /* momentum of the average, this time */
    double factor;     /* of the gradient, from its norm */
    double loss_scale;
    int is_whole;      /* the rule wants the whole weight */
    cn__sink sink;
} work;

static void *row_of(const work *k, void *block, int64_t row)
{
    if (!block) return NULL;
    return (char *)cn__model_weight_at(k->model, block, k->number) +
           (size_t)(row * k->w->stride) * cn__engine_bytes(k->model->engine);
}

static void before(void *context, int thread, int64_t begin, int64_t end)
{
    const work *k = context;
    const cn__regularizer *r = &k->w->regularizer;
    int64_t n = k->w->columns;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        void *g = row_of(k, k->model->gradients.block, i), *sum = row_of(k, k->model->slots[CN__ACCUMULATOR], i);
        if (k->loss_scale != 1) k->rules->scale(n, 1 / k->loss_scale, g);
        if (r->l1 != 0 || r->l2 != 0)
            k->rules->add_penalty(n, row_of(k, k->model->block, i), r->l1, r->l2, g);
        if (sum && !k->moves) {
            k->rules->add(n, g, sum);
            continue;
        }
        if (sum) {
            k->rules->add(n, sum, g);
            k->rules->scale(n, 1 / (double)k->options->gradient_accumulation_steps, g);
            memset(sum, 0, (size_t)n * cn__engine_bytes(k->model->engine));
        }
        if (k->options->clipvalue > 0) k->rules->clip(n, k->options->clipvalue, g);
        if (k->options->clipnorm > 0 || k->options->global_clipnorm > 0)
            k->model->gradients.row_sums[i] = k->rules->sums(n, g).squares;
    }
}

static void after(void *context, int thread, int64_t begin, int64_t end)
{
    const work *k = context;
    int64_t n = k->w->columns;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        void *g = row_of(k, k->model->gradients.block, i), *w = row_of(k, k->model->block, i);
        void *average = row_of(k, k->model->slots[CN__AVERAGE], i);
        if (k->moves && !k->is_whole && k->factor != 1) k->rules->scale(n, k->factor, g);
        if (k->moves && !k->is_whole) k->rules->hand(&k->sink, i, n, g);
        if (average) k->rules->average(n, w, k->keep, average);
        if (average && k->overwrites) memcpy(w, average, (size_t)n * cn__engine_bytes(k->model->engine));
    }
}

/* Clipping by norm and decay of rows whose rule wants the whole weight. */
static void prepare_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const work *k = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        if (k->factor != 1) k->rules->scale(k->w->columns, k->factor, row_of(k, k->model->gradients.block, i));
        if (k->sink.step->decay != 0)
            k->rules->decay(k->w->columns, k->sink.step->decay, row_of(k, k->model->block, i));
    }
}

static void move_whole(work *k, const cn__moves *moves)
{
    const cn_model *model = k->model;
    const cn_optimizer *optimizer = model->optimizer;
    const char *name = model->weights[k->number].name;
    cn__whole whole = {.rows = k->w->rows, .columns = k->w->columns, .stride = k->w->stride, .ndim = k->w->ndim,
                       .shape = k->w->shape, .gradient = row_of(k, model->gradients.block, 0),
                       .room = model->gradients.room, .row_sums = model->gradients.row_sums, .pool = model->team};
    cn__step step = *k->sink.step;
    if (optimizer->class_->kind) whole.kind = optimizer->class_->kind(optimizer->options, name, k->w->ndim);
    if (optimizer->class_->decay && cn__optimizer_decays(optimizer, name))
        step.decay = optimizer->class_->decay(optimizer->options, whole.kind) * model->learning_rate;
    step.whole = &whole;
    k->sink.step = &step;
    cn__parallel(model->team, k->w->rows, prepare_rows, k);
    moves->update(&step, k->w->rows * k->w->columns, k->sink.weight, k->sink.slots, whole.gradient);
}

typedef struct bounding {
    const cn__weight_rules *rules;
    cn__bounded b;
    const int64_t *groups;
} bounding;

static void bound_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const bounding *k = context;
    (void)thread;
    k->rules->bound(&k->b, k->groups, begin, end);
}

static void constrain(const work *k)
{
    const cn__constraint *c = &k->w->constraint;
    void *weight = row_of(k, k->model->block, 0);
    if (c->kind == CN__CONSTRAINT_COUNT) return;
    if (c->kind == CN__CONSTRAINT_non_neg) {
        for (int64_t i = 0; i < k->w->rows; i++) k->rules->not_negative(k->w->columns, row_of(k, k->model->block, i));
        return;
    }
    bounding job = {.rules = k->rules, .groups = k->model->gradients.groups};
    job.b = (cn__bounded){.weight = weight, .rows = k->w->rows, .columns = k->w->columns, .stride = k->w->stride,
                          .n_groups = group_rows(k->w, k->model->gradients.groups),
                          .across_columns = (int)(c->axes >> (k->w->ndim - 1) & 1),
                          .low = c->min_value, .high = c->max_value, .rate = c->rate,
                          .unit = c->kind == CN__CONSTRAINT_unit_norm, .norms = k->model->gradients.norms};
    if (job.b.across_columns) bound_columns(&job, 0, 0, k->w->columns);
    else cn__parallel(k->model->team, k->w->columns, bound_columns, &job);
}

static double sum_of_rows(const work *k)
{
    double sum = 0;
    for (int64_t i = 0; i < k->w->rows; i++) sum += k->model->gradients.row_sums[i];
    return sum;
}

/* All weights that train: numbers from `i` on; -1 past the last. */
static int next_weight(const cn_model *model, int i)
{
    while (i < model->n_weights && !cn__model_trains(model, i)) i++;
    return i < model->n_weights ? i : -1;
}

static work make_work(const cn_model *model, const cn__moves *moves, int weight)
{
    const cn__shared_options *o = cn__optimizer_shared(model->optimizer);
    int64_t every = o->gradient_accumulation_steps, frequency = o->ema_overwrite_frequency;
    return (work){.model = model, .w = cn__model_weight_of(model, weight), .rules = model->engine->rules, .options = o,
                  .number = weight, .moves = every < 2 || (model->iterations + 1) % every == 0,
                  .overwrites = frequency > 0 && (moves->before + 1) % frequency == 0,
                  .keep = moves->before == 0 ? 0 : o->ema_momentum, .factor = 1,
                  .loss_scale = cn__loss_scale_now(model->optimizer, &model->loss_scale),
                  .is_whole = model->optimizer->class_->moves_whole,
                  .sink = cn__moves_sink(model, moves, weight, NULL)};
}

/* A norm that is not finite makes all of them NaN. */
double cn__global_factor(double limit, double norm)
{
    double factor = norm > limit ? limit / norm : 1;
    return isfinite(norm) ? factor : (double)NAN;
}

static int are_finite(const cn_model *model)
{
    for (int i = next_weight(model, 0); i >= 0; i = next_weight(model, i + 1)) {
        const cn__weight *w = cn__model_weight_of(model, i);
        const char *g = cn__model_weight_at(model, model->gradients.block, i);
        size_t row = (size_t)w->stride * cn__engine_bytes(model->engine);
        for (int64_t r = 0; r < w->rows; r++)
            if (!isfinite(model->engine->rules->sums(w->columns, g + (size_t)r * row).absolute)) return 0;
    }
    return 1;
}

int cn__gradients_apply(cn_model *model, const cn__moves *moves)
{
    const cn__shared_options *o = cn__optimizer_shared(model->optimizer);
    double all = 0, factor = 1;
    int finds_scale = cn__loss_scale_moves(model->optimizer), finite = !finds_scale || are_finite(model);
    if (!finite) {
        cn__loss_scale_note(model->optimizer, &model->loss_scale, 0);
        return 0;
    }
    /* A norm over all weights is known only after the first pass over all; otherwise both passes can follow each other
     * while a weight is in the cache. */
    for (int i = next_weight(model, 0); o->global_clipnorm > 0 && i >= 0; i = next_weight(model, i + 1)) {
        work k = make_work(model, moves, i);
        cn__parallel(model->team, k.w->rows, before, &k);
        if (k.moves) all += sum_of_rows(&k);
    }
    if (o->global_clipnorm > 0) factor = cn__global_factor(o->global_clipnorm, sqrt(all));
    for (int i = next_weight(model, 0); i >= 0; i = next_weight(model, i + 1)) {
        work k = make_work(model, moves, i);
        k.factor = factor;
        if (o->global_clipnorm == 0) cn__parallel(model->team, k.w->rows, before, &k);
        if (k.moves && o->clipnorm > 0) {
            double norm = sqrt(sum_of_rows(&k));
            k.factor = norm > o->clipnorm ? o->clipnorm / norm : 1;
        }
        if (k.moves && k.is_whole) move_whole(&k, moves);
        cn__parallel(model->team, k.w->rows, after, &k);
        constrain(&k);
    }
    cn__plan_forget_copies(&model->plan, model->n_layers);
    if (finds_scale) cn__loss_scale_note(model->optimizer, &model->loss_scale, 1);
    return 1;
}

/* Averages become weights, or with `both` the two change places. */
static void take_averages(cn_model *model, int both)
{
    size_t bytes = cn__engine_bytes(model->engine);
    for (int i = next_weight(model, 0); i >= 0; i = next_weight(model, i + 1)) {
        const cn__weight *w = cn__model_weight_of(model, i);
        unsigned char *weight = cn__model_weight_at(model, model->block, i);
        unsigned char *average = cn__model_weight_at(model, model->slots[CN__AVERAGE], i);
        for (size_t k = 0; k < (size_t)(w->rows * w->stride) * bytes; k++) {
            unsigned char before = weight[k];
            weight[k] = average[k];
            if (both) average[k] = before;
        }
    }
    cn__plan_forget_copies(&model->plan, model->n_layers);
}

void cn__gradients_swap(cn_model *model)
{
    if (model->iterations == 0) return;
    take_averages(model, 1);
    model->holds_averages = !model->holds_averages;
}

void cn__gradients_finish(cn_model *model)
{
    if (!cn__optimizer_shared(model->optimizer)->use_ema || model->iterations == 0) return;
    if (model->holds_averages) cn__gradients_swap(model); /* the averages are where the weights should be */
    take_averages(model, 0);
}
