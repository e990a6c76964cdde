#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

/* Only the first layer that works on the inputs has rows that can wait: its inputs are the ones that can be zero for a
 * whole batch. */
static int first_kernel(const cn_model *model)
{
    for (int i = 0; i < model->n_layers; i++) {
        if (cn__layer_hands_on(model->layers[i], 1)) continue;
        return model->layers[i]->class_ == &cn__layer_dense ? 0 : -1; /* its kernel is weight 0 of the model */
    }
    return -1;
}

static int64_t pieces(const cn__weight *kernel)
{
    return (kernel->columns + CN__IDLE_COLUMNS - 1) / CN__IDLE_COLUMNS;
}

cn__lazy cn__lazy_judge(const cn_model *model)
{
    const cn__optimizer_class *class_ = model->optimizer->class_;
    if (first_kernel(model) < 0) return CN__LAZY_NO_KERNEL;
    if (!model->is_built) return CN__LAZY_UNBUILT;
    if (!cn__model_trains(model, first_kernel(model))) return CN__LAZY_FROZEN;
    if (cn__gradients_are_stored(model)) return CN__LAZY_STORED;
    if (cn__optimizer_shared(model->optimizer)->weight_decay != 0) return CN__LAZY_OPTIMIZER;
    return class_->can_idle && class_->can_idle(model->optimizer->options) ? CN__LAZY : CN__LAZY_OPTIMIZER;
}

int cn__lazy_open(cn_model *model)
{
    cn__lazy_close(model);
    cn__panels_destroy(model); /* they are made for one optimizer's slots */
    if (cn__lazy_judge(model) != CN__LAZY) return CN_OK;
    int weight = first_kernel(model);
    const cn__weight *kernel = cn__model_weight_of(model, weight);
    model->accounts.idle = *model->engine->idles[cn__optimizer_index(model->optimizer)];
    model->accounts.rows = kernel->rows;
    model->accounts.settled = cn__alloc((size_t)(kernel->rows * pieces(kernel)), sizeof(uint32_t), "the lazy updates");
    model->lazy_weight = weight;
    return model->accounts.settled ? CN_OK : CN_ENOMEM;
}

void cn__lazy_close(cn_model *model)
{
    cn__free(model->accounts.settled);
    model->accounts = (cn__accounts){.settled = NULL};
}

typedef struct settling {
    const cn_model *model;
    const cn__step *step;
} settling;

static void settle_pieces(void *context, int thread, int64_t begin, int64_t end)
{
    const settling *s = context;
    const cn_model *model = s->model;
    const cn__accounts *accounts = &model->accounts;
    const cn__weight *kernel = cn__model_weight_of(model, model->lazy_weight);
    size_t bytes = cn__engine_bytes(model->engine);
    (void)thread;
    for (int64_t p = begin; p < end; p++) {
        int64_t column = p * CN__IDLE_COLUMNS, n = kernel->columns - column;
        if (n > CN__IDLE_COLUMNS) n = CN__IDLE_COLUMNS;
        for (int64_t row = 0; row < kernel->rows; row++) {
            uint32_t *settled = &accounts->settled[p * kernel->rows + row];
            int64_t missed = (int64_t)(uint32_t)model->iterations - (int64_t)*settled;
            void *slots[CN__MAX_SLOTS] = {NULL};
            for (int k = 0; k < CN__MAX_SLOTS; k++)
                if (model->slots[k])
                    slots[k] = (char *)cn__model_weight_at(model, model->slots[k], model->lazy_weight) +
                               (size_t)(row * kernel->stride + column) * bytes;
            if (missed > 0) accounts->idle(s->step, n, slots, missed);
            *settled = (uint32_t)model->iterations;
        }
    }
}

void cn__lazy_settle(const cn_model *model)
{
    if (!model->accounts.settled) return;
    cn__panels_close(model); /* before the threads ask where a slot stands */
    cn__step step = {.switches = 0};
    model->optimizer->class_->begin_step(model->optimizer->options, model->iterations, model->learning_rate, &step);
    settling s = {.model = model, .step = &step};
    int64_t n = pieces(cn__model_weight_of(model, model->lazy_weight));
    if (model->pool) cn__parallel(model->pool, n, settle_pieces, &s);
    else settle_pieces(&s, 0, 0, n);
}

void cn__lazy_mark(cn_model *model)
{
    if (!model->accounts.settled) return;
    const cn__weight *kernel = cn__model_weight_of(model, model->lazy_weight);
    for (int64_t i = 0; i < kernel->rows * pieces(kernel); i++)
        model->accounts.settled[i] = (uint32_t)model->iterations;
}
