#include "model/model.h"

#include "base/error.h"

cn__pass cn__step_pass(cn_model *model, int layer, int64_t rows, int training)
{
    int last = layer == model->n_layers - 1;
    return (cn__pass){
        .layer = model->layers[layer],
        .pool = model->team,
        .batch = rows,
        .training = training,
        .bf16 = model->plan.bf16 ? &model->plan.bf16[layer] : NULL,
        .is_last = last,
        .skip_activation = last && model->is_compiled && model->from_logits && training >= 0,
        .y = model->plan.outputs[layer],
        .workspace = model->plan.workspaces[layer],
        .thread_memory = model->plan.thread_memory,
        .shared_memory = model->plan.shared_memory,
        .seed = model->seed,
        .step = (uint32_t)model->iterations,
        .number = layer - (model->layers[0]->class_ == &cn__layer_input),
        .status = &model->step_status,
    };
}

/* The panels of the first kernel, if that stands in them and the step trains it on bytes. */
static const cn__panels *panels_in_use(const cn_model *model, const cn__batch *bytes, int training)
{
    return training > 0 && bytes && model->panels && model->panels->is_open ? model->panels : NULL;
}

/* The weights of one layer, in order; `first` is the number of its first one in the model. */
void cn__step_point(const cn_model *model, int first, cn__pass *pass, void *pointers[])
{
    const cn__panels *panels = panels_in_use(model, pass->bytes, pass->training);
    for (int i = 0; i < pass->layer->n_weights; i++) {
        int in_panels = panels && first + i == model->lazy_weight;
        pointers[i] = in_panels ? panels->weight : cn__model_weight_at(model, model->block, first + i);
        if (in_panels) pass->kernel_panel = panels->panel;
    }
    pass->weights = pointers;
}

/* The lowest layer whose backward is called: below it nothing has a weight that moves. */
static int lowest_backward(const cn_model *model)
{
    for (int i = 0; i < model->n_weights; i++)
        if (cn__model_trains(model, i)) return model->weights[i].layer;
    return model->n_layers;
}

/* Layer i and the one behind it are computed together, picture by picture. */
static int takes_next(const cn_model *model, int i)
{
    return i >= 0 && i + 1 < model->n_layers && cn__conv2d_pools(model->layers[i], model->layers[i + 1]);
}

/* Up to layer `last`. */
static const void *run_forward(cn_model *model, int64_t rows, const cn__batch *bytes, int training, int last)
{
    const void *x = model->plan.x;
    int weight = 0;
    for (int i = 0; i <= last; i++) {
        const cn_layer *layer = model->layers[i];
        if (cn__layer_hands_on(layer, training > 0)) {
            weight += layer->n_weights;
            continue;
        }
        void *weights[CN__MAX_LAYER_WEIGHTS];
        cn__pass pass = cn__step_pass(model, i, rows, training);
        pass.x = bytes ? NULL : x;
        pass.bytes = bytes;
        cn__step_point(model, weight, &pass, weights);
        weight += layer->n_weights;
        cn__pass behind;
        if (takes_next(model, i)) {
            behind = cn__step_pass(model, ++i, rows, training);
            pass.behind = &behind;
        }
        int index = cn__layer_index(layer);
        model->engine->layers[index]->forward(&pass);
        x = pass.behind ? behind.y : pass.y;
        bytes = NULL;
    }
    return x;
}

int cn__step_status(cn_model *model)
{
    int status = model->step_status;
    model->step_status = CN_OK;
    return status;
}

int cn__step_reads_bytes(const cn_model *model, const cn__data *data, int64_t rows)
{
    return (data->x.codes || data->x.sparse) && model->plan.batch.rows && rows <= CN__BATCH_MOST_ROWS;
}

/* Of very few non-zeros each row of the kernel is read over its whole length. */
int cn__step_reads_panels(const cn_model *model, const cn__data *data, int64_t rows)
{
    return cn__step_reads_bytes(model, data, rows) && !data->x.sparse && !model->gradients.block;
}

int cn__step_lets_rows_wait(const cn_model *model, int lists)
{
    return model->accounts.settled && (lists || model->bf16_way == CN__BF16_TILES);
}

/* mixed_bfloat16: what reaches a layer is rounded. A dense layer does that itself. */
static void round_inputs(const cn_model *model, int64_t rows)
{
    int first = 0;
    float *x = model->plan.x;
    while (first < model->n_layers - 1 && cn__layer_hands_on(model->layers[first], 1)) first++;
    if (model->bf16_way == CN__BF16_NONE || model->layers[first]->class_ == &cn__layer_dense) return;
    for (int64_t i = 0; i < rows * model->layers[0]->input_size; i++) x[i] = cn__bf16_round(x[i]);
}

static const cn__batch *read_inputs(cn_model *model, const cn__data *data, const cn__choice *choice, int training,
                                    cn__batch *batch)
{
    if (data->x.sparse && cn__step_reads_bytes(model, data, choice->n)) {
        model->engine->gather->sparse(model->team, &data->x, choice, &model->plan.batch, batch);
        return batch;
    }
    if (cn__step_reads_bytes(model, data, choice->n)) {
        const cn__gather_math *gather = model->engine->gather;
        int halves = model->bf16_way == CN__BF16_TILES;
        if (!training || !cn__ahead_take(model, data, choice, batch))
            (halves ? gather->halves : data->as_tiles ? gather->tiles : gather->lists)(
                model->team, &data->x, choice, training, &model->plan.batch, batch);
        if (model->plan.digits_are_made) batch->digits = &model->plan.digits;
        if (panels_in_use(model, batch, training)) batch->rare_exponents = &model->plan.rare_exponents;
        return batch;
    }
    model->engine->gather->dense(model->team, &data->x, choice, model->plan.x);
    round_inputs(model, choice->n);
    return NULL;
}

/* training: 1 fit, 0 evaluate, -1 predict (the last activation is not skipped) */
const void *cn__forward(cn_model *model, const cn__data *data, const cn__choice *choice, int training)
{
    cn__batch batch;
    cn__model_choose_team(model, choice->n);
    const cn__batch *bytes = read_inputs(model, data, choice, training > 0, &batch);
    return run_forward(model, choice->n, bytes, training, model->n_layers - 1);
}

void cn__step_read_targets(cn_model *model, cn__pool *pool, const cn__data *data, const cn__choice *choice, int64_t row,
                           int64_t rows)
{
    const cn__choice some = {.picks = choice->picks ? choice->picks + row : NULL, .first = choice->first + row,
                             .n = rows};
    int64_t each = data->y.columns;
    for (int64_t i = 0; data->labels && i < rows; i++)
        for (int64_t k = 0; k < each; k++)
            model->plan.labels[(row + i) * each + k] = data->labels[cn__choice_row(&some, i) * each + k];
    if (!data->labels)
        model->engine->gather->dense(pool, &data->y, &some, (char *)model->plan.target +
                                     (size_t)(row * each) * cn__engine_bytes(model->engine));
}

static void read_targets(cn_model *model, const cn__data *data, const cn__choice *choice)
{
    if (data->labels) model->plan.sequence_labels = data->y.columns;
    cn__step_read_targets(model, model->team, data, choice, 0, choice->n);
}

/* One weight for each row of the last axis, NULL when all are 1. */
static const double *read_weights(cn_model *model, const cn__data *data, const cn__choice *choice)
{
    if (!data->weights) return NULL;
    int64_t rows = cn__weights_per_sample(model);
    for (int64_t i = 0; i < choice->n; i++)
        for (int64_t k = 0; k < rows; k++)
            model->plan.weights[i * rows + k] = data->weights[cn__choice_row(choice, i) * rows + k];
    return model->plan.weights;
}

static cn__sink store_gradient(const cn_model *model, int weight)
{
    cn__sink sink = {.stride = cn__model_weight_of(model, weight)->stride};
    if (cn__model_trains(model, weight)) sink.gradient = cn__model_weight_at(model, model->gradients.block, weight);
    return sink;
}

/* in_blocks: cn__blocks_run has been there, and only the weights are left to be moved, each for itself: the loop over
 * a first kernel with bytes comes last and takes the small ones along. */
static void run_backward(cn_model *model, const cn__data *data, const cn__choice *choice, const cn__batch *bytes,
                         int in_blocks)
{
    const int64_t rows = choice->n;
    cn__moves moves;
    cn__moves_begin(model, &moves);
    int first = lowest_backward(model), weight = model->n_weights, turn = 0;
    int rows_can_wait = cn__step_lets_rows_wait(model, bytes != NULL);
    if (!rows_can_wait) cn__lazy_settle(model); /* this step touches every row */
    model->accounts.done = (uint32_t)model->iterations;
    cn__parallel_postpone(model->team, in_blocks && bytes && model->bf16_way == CN__BF16_NONE);
    for (int i = model->n_layers - 1; i >= first; i--) {
        cn__pass behind;
        int takes = takes_next(model, i - 1);
        if (takes) {
            behind = cn__step_pass(model, i--, rows, 1);
            behind.dy = model->plan.gradients[turn];
        }
        const cn_layer *layer = model->layers[i];
        if (cn__layer_hands_on(layer, 1)) {
            weight -= layer->n_weights;
            continue;
        }
        int below = i - 1;
        while (below >= 0 && cn__layer_hands_on(model->layers[below], 1)) below--;
        void *weights[CN__MAX_LAYER_WEIGHTS];
        cn__sink sinks[CN__MAX_LAYER_WEIGHTS];
        weight -= layer->n_weights;
        cn__pass pass = cn__step_pass(model, i, rows, 1);
        pass.bytes = below < 0 ? bytes : NULL;
        cn__step_point(model, weight, &pass, weights);
        for (int k = 0; k < layer->n_weights; k++) {
            sinks[k] = model->gradients.block ? store_gradient(model, weight + k)
                                              : cn__moves_sink(model, &moves, weight + k,
                                                               panels_in_use(model, pass.bytes, 1));
            if (rows_can_wait && weight + k == model->lazy_weight)
                sinks[k].accounts = &model->accounts;
        }
        pass.x = below < 0 ? model->plan.x : model->plan.outputs[below];
        pass.sinks = sinks;
        const cn__layer_math *math = model->engine->layers[cn__layer_index(layer)];
        pass.dy = in_blocks ? model->plan.layer_gradients[i] : takes ? NULL : model->plan.gradients[turn];
        pass.behind = takes ? &behind : NULL;
        if (pass.bytes) cn__ahead_begin(model, data, choice);
        if (in_blocks) {
            if (math->backward_weights) math->backward_weights(&pass);
            continue;
        }
        pass.dx = i > first ? model->plan.gradients[1 - turn] : NULL;
        cn__penalty_of_output(model, i, rows, pass.dy);
        math->backward(&pass);
        turn = 1 - turn;
    }
    cn__parallel_postpone(model->team, 0);
    cn__parallel_rest(model->team);
    if (!model->gradients.block || cn__gradients_apply(model, &moves)) model->iterations++;
    if (!rows_can_wait) cn__lazy_mark(model);
}

void cn__test_batch(cn_model *model, const cn__data *data, const cn__choice *choice, cn__sums *sums)
{
    const void *output = cn__forward(model, data, choice, 0);
    read_targets(model, data, choice);
    cn__measure(model, output, choice->n, read_weights(model, data, choice), NULL, sums, NULL);
}

void cn__train_batch(cn_model *model, const cn__data *data, const cn__choice *choice, cn__sums *sums)
{
    cn__batch batch;
    cn__model_choose_team(model, choice->n + CN__ROWS_OF_AN_UPDATE);
    const cn__batch *bytes = read_inputs(model, data, choice, 1, &batch);
    int in_blocks = cn__blocks_serve(model, choice->n);
    if (in_blocks) cn__blocks_begin(model);
    if (in_blocks && bytes && !bytes->lists) cn__hidden_begin(model, choice->n);
    const void *output = run_forward(model, choice->n, bytes, 1,
                                     in_blocks ? cn__blocks_first(model) : model->n_layers - 1);
    const double *weights = read_weights(model, data, choice);
    if (in_blocks) {
        cn__blocks_run(model, data, choice, weights, sums);
    } else {
        read_targets(model, data, choice);
        cn__measure(model, output, choice->n, weights, model->plan.gradients[0], sums, NULL);
    }
    double scale = cn__loss_scale_now(model->optimizer, &model->loss_scale);
    if (scale != 1)
        model->engine->rules->scale(choice->n * cn__model_last(model)->output_size, scale, model->plan.gradients[0]);
    run_backward(model, data, choice, bytes, in_blocks);
    cn__hidden_end(model);
}
