#include "model/model.h"

/* After the first layer with weights, a small network has so little to do that bringing the team together for each
 * layer takes longer than the work. Where rows do not depend on each other, a thread therefore takes a block of rows
 * through all further layers, the loss and back down again, and the team meets once. Every number is the same as
 * before: results of a row do not depend on how a batch is cut.
 *
 * What then moves the weights of such layers is as little work, so it waits for the loop that makes the first kernel's
 * gradient, and is done by threads that are through with that (cn__parallel_soon). */

typedef struct block_job {
    cn__around around;
    cn_model *model;
    const cn__data *data;
    const cn__choice *choice;
    int first; /* the layer below which nothing has weights */
    int64_t each; /* rows of a block */
    int64_t rows;
} block_job;

/* Products on tiles are made in squares 32 high, and each block turns the kernels for its input gradient anew. */
int64_t cn__blocks_rows(const cn_model *model)
{
    return model->bf16_way == CN__BF16_TILES ? 32 : 16;
}

int cn__blocks_first(const cn_model *model)
{
    int first = 0;
    while (first < model->n_layers && cn__layer_hands_on(model->layers[first], 1)) first++;
    int64_t numbers = 0;
    for (int i = first; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        if (cn__layer_hands_on(layer, 1)) continue;
        if (!model->engine->layers[cn__layer_index(layer)]->backward_rows) return -1;
        if (layer->thread_size || layer->shared_size || layer->output_ndim != 1) return -1;
        for (int k = 0; i > first && k < layer->n_weights; k++)
            numbers += layer->weights[k].rows * layer->weights[k].stride;
    }
    return first + 1 >= model->n_layers || numbers > CN__MOST_NUMBERS_BEHIND ? -1 : first;
}

/* The loss looks at rows one by one and no output has a penalty. */
int cn__blocks_serve(const cn_model *model, int64_t rows)
{
    const cn__loss_class *loss = cn__loss_class_of(&model->loss);
    int first = model->plan.layer_gradients ? cn__blocks_first(model) : -1;
    if (first < 0 || rows < 2 * cn__blocks_rows(model) || loss->whole_batch || loss->look_first) return 0;
    if (cn__loss_is_scaled(model->optimizer) || loss->rows_together || loss->sequence || model->loss_axes.moves)
        return 0;
    if (cn__model_rows_per_sample(model) != 1 || !cn__model_trains(model, 0)) return 0;
    for (int i = 0; i < model->n_layers; i++)
        if (cn__penalizes_output(model, i)) return 0;
    return 1;
}

static void *row_at(const cn_model *model, void *rows, int64_t row, int64_t size)
{
    return (char *)rows + (size_t)(row * size) * cn__engine_bytes(model->engine);
}

static cn__pass make_pass(const block_job *job, int i, int64_t row, int64_t rows, int thread, cn__bf16 *bf16)
{
    cn_model *model = job->model;
    const cn_layer *layer = model->layers[i];
    cn__pass pass = cn__step_pass(model, i, rows, 1);
    pass.pool = cn__pool_member(model->team, thread);
    pass.y = row_at(model, pass.y, row, layer->output_size);
    pass.workspace = row_at(model, pass.workspace, row, layer->workspace_size);
    pass.dy = row_at(model, model->plan.layer_gradients[i], row, layer->output_size);
    if (!pass.bf16) return pass;
    *bf16 = *pass.bf16;
    if (bf16->x_tiles) bf16->x_tiles += row * layer->input_size;
    if (bf16->dx_tiles) bf16->dx_tiles += row * layer->input_size;
    bf16->memory = model->plan.block_memory + (size_t)thread * model->plan.block_bytes;
    pass.bf16 = bf16;
    return pass;
}

static int below(const cn_model *model, int i)
{
    do i--;
    while (i >= 0 && cn__layer_hands_on(model->layers[i], 1));
    return i;
}

static void up_and_down(const block_job *job, int thread, int64_t row, int64_t rows)
{
    cn_model *model = job->model;
    int weight = 0;
    /* They are anywhere in memory, and the products need not wait for them. */
    cn__step_read_targets(model, cn__pool_member(model->team, thread), job->data, job->choice, row, rows);
    for (int i = 0; i < model->n_layers; weight += model->layers[i]->n_weights, i++) {
        if (i <= job->first || cn__layer_hands_on(model->layers[i], 1)) continue;
        void *weights[CN__MAX_LAYER_WEIGHTS];
        cn__bf16 bf16;
        cn__pass pass = make_pass(job, i, row, rows, thread, &bf16);
        cn__step_point(model, weight, &pass, weights);
        pass.x = row_at(model, model->plan.outputs[below(model, i)], row, model->layers[i]->input_size);
        model->engine->layers[cn__layer_index(model->layers[i])]->forward(&pass);
    }
    cn__measure_rows(job->around.measuring, row, row + rows);
    const int lowest = job->first + cn__hidden_in_tiles(model);
    for (int i = model->n_layers - 1; i >= lowest; i--) {
        weight -= model->layers[i]->n_weights;
        if (cn__layer_hands_on(model->layers[i], 1)) continue;
        void *weights[CN__MAX_LAYER_WEIGHTS];
        cn__bf16 bf16;
        cn__pass pass = make_pass(job, i, row, rows, thread, &bf16);
        int under = below(model, i);
        if (i > job->first) {
            cn__step_point(model, weight, &pass, weights);
            pass.x = row_at(model, model->plan.outputs[under], row, model->layers[i]->input_size);
            pass.dx = row_at(model, model->plan.layer_gradients[under], row, model->layers[i]->input_size);
        }
        model->engine->layers[cn__layer_index(model->layers[i])]->backward_rows(&pass);
    }
}

/* Threads would fill the lasting copy of a kernel one over the other. A row of whatever stands there fills it
 * before. */
static void fill_copies(cn_model *model, int first)
{
    int weight = 0;
    for (int i = 0; model->plan.copied && i < model->n_layers; weight += model->layers[i]->n_weights, i++) {
        if (i <= first || model->layers[i]->class_ != &cn__layer_dense || model->plan.copied[i]) continue;
        void *weights[CN__MAX_LAYER_WEIGHTS];
        cn__pass pass = cn__step_pass(model, i, 1, 1);
        cn__step_point(model, weight, &pass, weights);
        pass.x = model->plan.outputs[below(model, i)];
        model->engine->layers[cn__layer_index(model->layers[i])]->forward(&pass);
    }
}

static void run_blocks(void *context, int thread, int64_t begin, int64_t end)
{
    const block_job *job = context;
    for (int64_t b = begin; b < end; b++) {
        int64_t row = b * job->each, rows = job->rows - row;
        up_and_down(job, thread, row, rows < job->each ? rows : job->each);
    }
}

void cn__blocks_begin(cn_model *model)
{
    fill_copies(model, cn__blocks_first(model));
}

void cn__blocks_run(cn_model *model, const cn__data *data, const cn__choice *choice, const double *weights,
                    cn__sums *sums)
{
    int last = model->n_layers - 1;
    int64_t rows = choice->n;
    int64_t each = cn__blocks_rows(model);
    block_job job = {.around = {.body = run_blocks, .count = (rows + each - 1) / each},
                     .model = model,
                     .data = data,
                     .choice = choice,
                     .first = cn__blocks_first(model),
                     .each = each,
                     .rows = rows};
    if (cn__layer_hands_on(model->layers[last], 1)) last = below(model, last);
    /* The divisor needs to know beforehand which labels are ignored. */
    if (data->labels && model->loss.options.ignore_class != CN__NO_CLASS)
        cn__step_read_targets(model, model->team, data, choice, 0, rows);
    cn__measure(model, model->plan.outputs[last], rows, weights, model->plan.layer_gradients[last], sums, &job.around);
}
