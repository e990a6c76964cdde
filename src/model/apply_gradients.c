/* Optimizers without a model: a step for tensors and their gradients, in the order of step_gradients.c. */
#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"
#include "tensor/tensor.h"
#include "train/scaled_loss.h"

#include <math.h>
#include <string.h>

/* One variable, and what the optimizer keeps for it. */
typedef struct kept {
    const cn_tensor *variable;
    int64_t size;
    const cn__engine *engine;
    void *memory;   /* of all that follows */
    void *gradient; /* of this step, to be clipped */
    void *state[CN__MAX_STATE];
    cn__whole whole; /* for rules that move whole weights */
} kept;

typedef struct by_hand {
    int n;
    int64_t calls;
    cn__loss_scale loss_scale;
    kept *kept;
    /* The same for all: */
    void *room;
    double *row_sums;
    cn__pool *pool;
} by_hand;

static void release(void *state)
{
    by_hand *all = state;
    for (int i = 0; all->kept && i < all->n; i++) cn__free(all->kept[i].memory);
    cn__free(all->kept);
    cn__free(all->room);
    cn__free(all->row_sums);
    cn__pool_destroy(&all->pool);
    cn__free(all);
}

/* --- what is given --- */

static int check_variable(int i, const cn_tensor *variable)
{
    if (!variable) return cn__fail(CN_EINVAL, "cn_apply_gradients: variable %d is NULL", i);
    if (variable->dtype != CN_FLOAT32 && variable->dtype != CN_FLOAT64)
        return cn__fail(CN_EDTYPE, "cn_apply_gradients: variable %d is of %s; float32 and float64 can be trained", i,
                        cn_dtype_name(variable->dtype));
    if (!cn_is_contiguous(variable))
        return cn__fail(CN_EINVAL, "cn_apply_gradients: variable %d is a view with gaps; train the tensor it looks at",
                        i);
    return cn__writable("cn_apply_gradients", variable);
}

static int check_gradient(int i, const cn_tensor *gradient, const cn_tensor *variable)
{
    char one[CN_SHAPE_TEXT_BYTES], other[CN_SHAPE_TEXT_BYTES];
    if (gradient->ndim == variable->ndim &&
        !memcmp(gradient->shape, variable->shape, (size_t)variable->ndim * sizeof *variable->shape))
        return CN_OK;
    return cn__fail(CN_ESHAPE, "cn_apply_gradients: variable %d has shape %s, its gradient %s", i,
                    cn__shape_text(one, variable->ndim, variable->shape),
                    cn__shape_text(other, gradient->ndim, gradient->shape));
}

static int check(const cn_optimizer *optimizer, int n, cn_tensor *const *gradients, cn_tensor *const *variables)
{
    int n_gradients = 0;
    if (!optimizer || !gradients || !variables)
        return cn__fail(CN_EINVAL, "cn_apply_gradients: the %s NULL",
                        !optimizer ? "optimizer is" : gradients ? "variables are" : "gradients are");
    if (cn__optimizer_shared(optimizer)->exclude_from_weight_decay)
        return cn__fail(CN_EINVAL, "%s: exclude_from_weight_decay goes by names, which tensors lack; give those that "
                        "do not decay to an optimizer of their own", optimizer->class_->name);
    for (int i = 0; i < n; i++) {
        CN_TRY(check_variable(i, variables[i]));
        if (!gradients[i]) continue;
        CN_TRY(check_gradient(i, gradients[i], variables[i]));
        n_gradients++;
    }
    if (n_gradients) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: there is no gradient for any of the %d variables; does the loss depend on them?",
                    optimizer->class_->name, n);
}

/* --- state --- */

static int keep(const cn_optimizer *optimizer, const cn_tensor *variable, cn__isa isa, kept *k)
{
    const char *names[CN__MAX_STATE];
    double start[CN__MAX_STATE];
    cn__optimizer_state(optimizer, names, start);
    size_t places = 1;
    for (int s = 0; s < CN__MAX_STATE; s++) places += names[s] != NULL;
    *k = (kept){.variable = variable, .size = variable->size,
                .engine = cn__engine_find(variable->dtype == CN_FLOAT64 ? 64 : 32, isa)};
    size_t bytes = (size_t)k->size * cn__engine_bytes(k->engine);
    k->memory = cn__alloc(places, bytes, "the optimizer's state");
    if (!k->memory) return CN_ENOMEM;
    char *next = k->memory;
    k->gradient = next;
    for (int s = 0; s < CN__MAX_STATE; s++) {
        if (!names[s]) continue;
        k->state[s] = next += bytes;
        if (start[s] != 0) cn__fill_reals(k->engine, k->state[s], k->size, start[s]);
    }
    if (optimizer->class_->first_slot_is_weight) memcpy(k->state[0], variable->data, bytes);
    return CN_OK;
}

/* What rules need that move whole weights: shapes, and room for the largest. */
static int open_wholes(const cn_optimizer *optimizer, by_hand *all)
{
    static const int64_t one = 1;
    int64_t room = 0, rows = 1;
    for (int i = 0; i < all->n; i++) {
        const cn_tensor *x = all->kept[i].variable;
        int64_t columns = x->ndim > 0 ? x->shape[x->ndim - 1] : 1, high = columns ? x->size / columns : 0;
        cn__whole *whole = &all->kept[i].whole;
        *whole = (cn__whole){.rows = high, .columns = columns, .stride = columns, .ndim = x->ndim > 0 ? x->ndim : 1,
                             .shape = x->ndim > 0 ? x->shape : &one, .gradient = all->kept[i].gradient};
        if (optimizer->class_->kind) whole->kind = optimizer->class_->kind(optimizer->options, "", whole->ndim);
        int64_t n = optimizer->class_->room ? optimizer->class_->room(optimizer->options, high, columns) : 0;
        room = n > room ? n : room;
        rows = high > rows ? high : rows;
    }
    all->room = cn__alloc((size_t)room, sizeof(double), "the optimizer's rule");
    all->row_sums = cn__alloc((size_t)rows, sizeof *all->row_sums, "the optimizer's rule");
    all->pool = cn__pool_create(1);
    for (int i = 0; i < all->n; i++) {
        all->kept[i].whole.room = all->room;
        all->kept[i].whole.row_sums = all->row_sums;
        all->kept[i].whole.pool = all->pool;
    }
    return all->room && all->row_sums && all->pool ? CN_OK : CN_ENOMEM;
}

static int open(cn_optimizer *optimizer, int n, cn_tensor *const *variables)
{
    cn__isa isa;
    CN_TRY(cn__isa_choose(NULL, &isa));
    by_hand *all = cn__alloc(1, sizeof *all, "the optimizer's state");
    if (!all) return CN_ENOMEM;
    all->kept = cn__alloc((size_t)n, sizeof *all->kept, "the optimizer's state");
    int status = all->kept ? CN_OK : CN_ENOMEM;
    for (; status == CN_OK && all->n < n; all->n++)
        status = keep(optimizer, variables[all->n], isa, &all->kept[all->n]);
    if (status == CN_OK && optimizer->class_->moves_whole) status = open_wholes(optimizer, all);
    if (status < 0) {
        release(all);
        return status;
    }
    optimizer->by_hand = all;
    optimizer->release_by_hand = release;
    return CN_OK;
}

static int check_same(const by_hand *all, int n, cn_tensor *const *variables)
{
    if (n != all->n)
        return cn__fail(CN_EINVAL, "cn_apply_gradients: the first call had %d variables, this one has %d; variables "
                        "with a state of their own need an optimizer of their own", all->n, n);
    for (int i = 0; i < n; i++)
        if (variables[i] != all->kept[i].variable || variables[i]->size != all->kept[i].size)
            return cn__fail(CN_EINVAL, "cn_apply_gradients: variable %d is not the one of the first call; make an "
                            "optimizer for each list of variables", i);
    return CN_OK;
}

/* --- a step --- */

typedef struct moving {
    const cn__shared_options *options;
    cn__step step;
    double rate;
    double loss_scale; /* of the gradients that are given */
    int moves;         /* 0: gradients are only added up */
    int overwrites;    /* 1: a variable becomes its average */
    double keep;       /* momentum of the average, this time */
} moving;

static void begin(const cn_optimizer *optimizer, const by_hand *all, moving *m)
{
    const cn__shared_options *o = cn__optimizer_shared(optimizer);
    int64_t every = o->gradient_accumulation_steps, frequency = o->ema_overwrite_frequency;
    int64_t before = every > 1 ? all->calls / every : all->calls;
    double rate = cn__optimizer_learning_rate(optimizer, all->calls);
    *m = (moving){.options = o, .rate = rate, .loss_scale = cn__loss_scale_now(optimizer, &all->loss_scale),
                  .moves = every < 2 || (all->calls + 1) % every == 0,
                  .overwrites = frequency > 0 && (before + 1) % frequency == 0,
                  .keep = before == 0 ? 0 : o->ema_momentum};
    optimizer->class_->begin_step(optimizer->options, before + 1, rate, &m->step);
    m->step.decay = o->weight_decay * rate;
}

/* The gradient as it is to be used, but for clipping by a norm; returns the sum of its squares. */
static double take_gradient(const moving *m, const kept *k, const cn_tensor *gradient)
{
    const cn__weight_rules *rules = k->engine->rules;
    void *sum = k->state[CN__ACCUMULATOR];
    cn__tensor_to_real(gradient, k->gradient, k->engine->bits);
    if (m->loss_scale != 1) rules->scale(k->size, 1 / m->loss_scale, k->gradient);
    if (sum) {
        rules->add(k->size, k->gradient, sum);
        if (!m->moves) return 0;
        memcpy(k->gradient, sum, (size_t)k->size * cn__engine_bytes(k->engine));
        rules->scale(k->size, 1 / (double)m->options->gradient_accumulation_steps, k->gradient);
        memset(sum, 0, (size_t)k->size * cn__engine_bytes(k->engine));
    }
    if (m->options->clipvalue > 0) rules->clip(k->size, m->options->clipvalue, k->gradient);
    int by_norm = m->options->clipnorm > 0 || m->options->global_clipnorm > 0;
    return by_norm ? rules->sums(k->size, k->gradient).squares : 0;
}

/* The rule, on a gradient that is clipped. */
static void step_by_rule(const moving *m, const cn_optimizer *optimizer, kept *k)
{
    cn__sink sink = {.update = *k->engine->updates[cn__optimizer_index(optimizer)], .step = &m->step,
                     .weight = k->variable->data, .stride = k->size};
    for (int s = 0; s < CN__MAX_SLOTS; s++) sink.slots[s] = k->state[s];
    if (!optimizer->class_->moves_whole) {
        k->engine->rules->hand(&sink, 0, k->size, k->gradient);
        return;
    }
    cn__step step = m->step;
    step.whole = &k->whole;
    if (optimizer->class_->decay) step.decay = optimizer->class_->decay(optimizer->options, k->whole.kind) * m->rate;
    if (step.decay != 0) k->engine->rules->decay(k->size, step.decay, sink.weight);
    sink.update(&step, k->size, sink.weight, sink.slots, k->gradient);
}

static void move(const moving *m, const cn_optimizer *optimizer, kept *k, double factor)
{
    const cn__weight_rules *rules = k->engine->rules;
    void *weight = k->variable->data, *average = k->state[CN__AVERAGE];
    if (m->moves && factor != 1) rules->scale(k->size, factor, k->gradient);
    if (m->moves && k->size > 0) step_by_rule(m, optimizer, k);
    if (average) rules->average(k->size, weight, m->keep, average);
    if (average && m->overwrites) memcpy(weight, average, (size_t)k->size * cn__engine_bytes(k->engine));
}

static int are_finite(const by_hand *all, cn_tensor *const *gradients)
{
    for (int i = 0; i < all->n; i++) {
        const kept *k = &all->kept[i];
        if (!gradients[i]) continue;
        cn__tensor_to_real(gradients[i], k->gradient, k->engine->bits);
        if (!isfinite(k->engine->rules->sums(k->size, k->gradient).absolute)) return 0;
    }
    return 1;
}

static void apply(const cn_optimizer *optimizer, by_hand *all, cn_tensor *const *gradients)
{
    moving m;
    int finds_scale = cn__loss_scale_moves(optimizer), finite = !finds_scale || are_finite(all, gradients);
    if (!finite) {
        cn__loss_scale_note(optimizer, &all->loss_scale, 0);
        return;
    }
    begin(optimizer, all, &m);
    double together = 0, limit = m.options->clipnorm, global = m.options->global_clipnorm;
    for (int i = 0; global > 0 && i < all->n; i++)
        if (gradients[i]) together += take_gradient(&m, &all->kept[i], gradients[i]);
    double factor = global > 0 ? cn__global_factor(global, sqrt(together)) : 1;
    for (int i = 0; i < all->n; i++) {
        if (!gradients[i]) continue;
        double norm = global > 0 ? 0 : sqrt(take_gradient(&m, &all->kept[i], gradients[i]));
        move(&m, optimizer, &all->kept[i], limit > 0 && norm > limit ? limit / norm : factor);
    }
    if (finds_scale) cn__loss_scale_note(optimizer, &all->loss_scale, 1);
    all->calls++;
}

int cn_apply_gradients(cn_optimizer *optimizer, int n, cn_tensor *const *gradients, cn_tensor *const *variables)
{
    CN_TRY(check(optimizer, n, gradients, variables));
    if (!optimizer->by_hand) CN_TRY(open(optimizer, n, variables));
    CN_TRY(check_same(optimizer->by_hand, n, variables));
    apply(optimizer, optimizer->by_hand, gradients);
    return CN_OK;
}

double cn_loss_scale(const cn_optimizer *optimizer)
{
    if (!optimizer) {
        cn__fail(CN_EINVAL, "cn_loss_scale: the optimizer is NULL");
        return 0;
    }
    const by_hand *all = optimizer->by_hand;
    return cn__loss_scale_now(optimizer, all ? &all->loss_scale : &(const cn__loss_scale){0, 0});
}

int cn_finalize_variables(cn_optimizer *optimizer)
{
    const by_hand *all = optimizer ? optimizer->by_hand : NULL;
    if (!all || all->calls == 0)
        return cn__fail(CN_EINVAL, "cn_finalize_variables: the optimizer has made no step with cn_apply_gradients");
    for (int i = 0; i < all->n; i++) {
        const kept *k = &all->kept[i];
        if (k->state[CN__AVERAGE])
            memcpy(k->variable->data, k->state[CN__AVERAGE], (size_t)k->size * cn__engine_bytes(k->engine));
    }
    return CN_OK;
}
