#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

/* Pass 1 adds up sizes with arena NULL, pass 2 hands out addresses. */
typedef struct carver {
    unsigned char *arena;
    size_t used;
    int overflow;
} carver;

static void *carve(carver *c, int64_t count, size_t bytes)
{
    size_t size;
    if (count < 0 || __builtin_mul_overflow((size_t)count, bytes, &size) || size > SIZE_MAX / 4) {
        c->overflow = 1;
        return NULL;
    }
    void *at = c->arena ? c->arena + c->used : NULL;
    c->used += (size + CN_ALIGNMENT - 1) / CN_ALIGNMENT * CN_ALIGNMENT;
    if (c->used > SIZE_MAX / 4) c->overflow = 1;
    return at;
}

static int64_t widest(const cn_model *model)
{
    int64_t size = model->layers[0]->input_size;
    for (int i = 0; i < model->n_layers; i++)
        if (model->layers[i]->output_size > size) size = model->layers[i]->output_size;
    return size;
}

static void *carve_bytes(carver *c, double bytes)
{
    if (bytes < 1e18) return carve(c, (int64_t)bytes, 1);
    c->overflow = 1;
    return NULL;
}

/* Each thread works on a block of rows of its own. */
static void carve_blocks(const cn_model *model, cn__plan *plan, carver *c)
{
    double most = 0;
    for (int i = cn__blocks_first(model) + 1; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        if (layer->class_ != &cn__layer_dense) continue;
        double bytes = cn__bf16_bytes(cn__blocks_rows(model), layer->input_size, layer->output_size);
        most = bytes > most ? bytes : most;
    }
    plan->block_bytes = ((size_t)most / CN_ALIGNMENT + 1) * CN_ALIGNMENT; /* blocks serve small layers only */
    plan->block_memory = carve(c, model->threads, plan->block_bytes);
}

/* mixed_bfloat16: room for the largest product, and for tiles a lasting copy of each kernel. */
static void carve_bf16(const cn_model *model, cn__plan *plan, carver *c, int64_t rows)
{
    double most = 0;
    plan->bf16 = carve(c, model->n_layers, sizeof *plan->bf16);
    plan->copied = carve(c, model->n_layers, sizeof *plan->copied);
    for (int i = 0; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        cn__bf16 part = {.way = model->bf16_way};
        if (layer->class_ == &cn__layer_dense) {
            const cn__weight *kernel = &layer->weights[0];
            double bytes = cn__bf16_bytes(rows * (layer->input_size / kernel->rows), kernel->rows, kernel->columns);
            most = bytes > most ? bytes : most;
            if (part.way == CN__BF16_TILES)
                part.copy = carve_bytes(c, cn__bf16_copy_bytes(kernel->rows, kernel->columns));
        }
        if (!c->arena) continue;
        part.copied = &plan->copied[i];
        plan->copied[i] = 0;
        plan->bf16[i] = part;
    }
    void *memory = carve_bytes(c, most);
    for (int i = 0; c->arena && i < model->n_layers; i++) plan->bf16[i].memory = memory;
}

static void carve_peaks(const cn_model *model, cn__batch_memory *batch, carver *c)
{
    int64_t peaks = widest(model) / 16 + 2;
    batch->last_peaks = carve(c, peaks, sizeof *batch->last_peaks);
    for (int64_t i = 0; c->arena && i < peaks; i++) batch->last_peaks[i] = 0;
}

static const uint16_t *carve_in_order(carver *c, int64_t columns)
{
    uint16_t *numbers = carve(c, columns, sizeof *numbers);
    for (int64_t i = 0; c->arena && i < columns; i++) numbers[i] = (uint16_t)i;
    return numbers;
}

/* Returns where the lists stand. */
static cn__ink *carve_lists(cn__batch_memory *batch, carver *c, int training)
{
    const int64_t by_samples = batch->rows * cn__list_stride((batch->columns + 1) / 2);
    const int64_t by_columns = training ? batch->columns * cn__list_stride((batch->rows + 1) / 2) : 0;
    const int64_t sparse = batch->rows * batch->columns, both = by_samples + by_columns;
    cn__ink *entries = carve(c, both > sparse ? both : sparse, sizeof *entries);
    batch->sample_ends = carve(c, batch->rows, sizeof *batch->sample_ends);
    batch->column_count = training ? carve(c, batch->columns, sizeof *batch->column_count) : NULL;
    batch->by_samples = entries;
    batch->by_columns = training && c->arena ? entries + by_samples : NULL;
    return entries;
}

static void carve_tiles(cn__batch_memory *batch, carver *c, int training)
{
    int64_t rows = batch->rows, columns = batch->columns;
    batch->sample_tiles = carve(c, cn__tile_lines(rows) * cn__tile_steps(columns), CN__TILE_BYTES);
    batch->sample_filled = carve(c, cn__tile_lines(rows) * cn__tile_steps(columns), 1);
    batch->inked = carve(c, cn__tile_steps(rows) * cn__tile_steps(columns), sizeof *batch->inked);
    batch->in_order = carve_in_order(c, columns);
    batch->spans = carve(c, rows, sizeof *batch->spans);
    if (training) batch->column_tiles = carve(c, cn__tile_lines(columns) * cn__tile_steps(rows), CN__TILE_BYTES);
}

static void carve_halves(cn__batch_memory *batch, carver *c, int training)
{
    int64_t rows = cn__tile_lines(batch->rows) * cn__half_steps(batch->columns);
    int64_t columns = cn__tile_lines(batch->columns) * cn__half_steps(batch->rows);
    batch->in_order = carve_in_order(c, batch->columns);
    batch->sample_tiles = carve(c, rows, CN__TILE_BYTES);
    batch->sample_lines = carve(c, rows, sizeof *batch->sample_lines);
    if (!training) return;
    batch->column_tiles = carve(c, columns, CN__TILE_BYTES);
    batch->column_lines = carve(c, columns, sizeof *batch->column_lines);
    batch->spans = carve(c, batch->rows, sizeof *batch->spans);
    batch->entries = carve(c, batch->rows * batch->columns, sizeof *batch->entries);
    batch->used = carve(c, batch->columns, sizeof *batch->used);
    batch->places = carve(c, batch->columns, sizeof *batch->places);
}

static void carve_exponents(const cn_model *model, cn__plan *plan, carver *c)
{
    int64_t groups = cn__exponent_groups(widest(model)), columns = plan->batch.columns;
    plan->rare_exponents = (cn__rare_exponents){.are_known = 0};
    if (!plan->batch.rows || !cn__model_makes_tiles(model)) return;
    if (model->bf16_way == CN__BF16_NONE) plan->rare_exponents.exponents = carve(c, groups * columns, 1);
}

#define MOST_DIGITS_BYTES ((int64_t)32 << 20) /* larger kernels are read from memory in any case */

static void carve_digits(const cn_model *model, cn__plan *plan, carver *c)
{
    plan->digits = (cn__digits){.tiles = NULL};
    plan->digits_are_made = 0;
    if (!plan->batch.rows || !cn__model_makes_tiles(model)) return;
    if (model->n_weights == 0 || model->bf16_way != CN__BF16_NONE) return;
    if (model->layers[model->weights[0].layer]->class_ != &cn__layer_dense) return;
    const cn__weight *kernel = cn__model_weight_of(model, 0);
    if (kernel->rows != plan->batch.columns) return;
    int64_t bytes = cn__digits_bytes(kernel->rows, kernel->columns), peaks = (kernel->columns + 31) / 32 * 2;
    if (bytes > MOST_DIGITS_BYTES) return;
    plan->digits.tiles = carve(c, bytes, 1);
    plan->digits.peaks = carve(c, peaks, sizeof *plan->digits.peaks);
    for (int64_t i = 0; c->arena && i < peaks; i++) plan->digits.peaks[i] = 0;
}

static void carve_sums(const cn_model *model, cn__batch_memory *batch, carver *c)
{
    const cn__weight *first = model->n_weights ? cn__model_weight_of(model, 0) : NULL;
    if (!first || first->rows != batch->columns || first->columns > CN__SPARSE_NARROW) return;
    int64_t sums = 2 * batch->columns * cn__sparse_lanes(first->columns);
    batch->sums = carve(c, sums, sizeof *batch->sums);
    for (int64_t i = 0; c->arena && i < sums; i++) batch->sums[i] = 0;
}

/* Batches of bytes, where the engine makes them. */
static void carve_batch(const cn_model *model, cn__batch_memory *batch, carver *c, int64_t rows, int training)
{
    int64_t inputs = model->layers[0]->input_size;
    if (rows > CN__BATCH_MOST_ROWS) rows = CN__BATCH_MOST_ROWS; /* larger ones do without, smaller ones must not care */
    *batch = (cn__batch_memory){.rows = 0};
    if (!model->engine->gather->lists || inputs > CN__BATCH_MOST_COLUMNS) return;
    *batch = (cn__batch_memory){.rows = rows, .columns = inputs};
    if (model->bf16_way == CN__BF16_TILES) {
        carve_halves(batch, c, training);
        return;
    }
    batch->entries = carve_lists(batch, c, training); /* sparse batches use the room of both lists */
    batch->used = carve(c, inputs, sizeof *batch->used);
    batch->places = carve(c, inputs, sizeof *batch->places);
    batch->is_heavy = carve(c, rows, 1);
    carve_sums(model, batch, c);
    carve_peaks(model, batch, c);
    if (cn__model_makes_tiles(model)) carve_tiles(batch, c, training);
}

#define MOST_ROWS_AHEAD 1024 /* larger batches would need much memory for it */

/* A second batch of tiles, or of lists; what a batch leaves for the next one is shared. */
static void carve_ahead(const cn_model *model, cn__plan *plan, carver *c)
{
    cn__batch_memory *ahead = &plan->ahead.memory;
    *ahead = plan->batch;
    if (ahead->rows > MOST_ROWS_AHEAD || !model->engine->gather->begin_lists) ahead->rows = 0;
    if (!ahead->rows) return;
    if (model->bf16_way == CN__BF16_TILES) {
        carve_halves(ahead, c, 1);
        return;
    }
    if (!cn__model_makes_tiles(model)) {
        carve_lists(ahead, c, 1);
        return;
    }
    carve_tiles(ahead, c, 1);
    ahead->entries = carve(c, ahead->rows * ahead->columns, sizeof *ahead->entries);
    ahead->used = carve(c, ahead->columns, sizeof *ahead->used);
    ahead->places = carve(c, ahead->columns, sizeof *ahead->places);
}

/* What layers need for the time of one call: each may use all of it. */
static void carve_temporary(const cn_model *model, cn__plan *plan, carver *c)
{
    size_t real = cn__engine_bytes(model->engine);
    int64_t per_thread = 0, shared = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        per_thread = layer->thread_size > per_thread ? layer->thread_size : per_thread;
        shared = layer->shared_size > shared ? layer->shared_size : shared;
    }
    plan->thread_memory = carve(c, model->threads * cn__thread_stride(per_thread), real);
    plan->shared_memory = carve(c, shared, real);
}

static void carve_layer_gradients(const cn_model *model, cn__plan *plan, carver *c, int64_t rows)
{
    plan->layer_gradients = carve(c, model->n_layers, sizeof *plan->layer_gradients);
    for (int i = 0; i < model->n_layers; i++) {
        void *gradient = carve(c, rows * model->layers[i]->output_size, cn__engine_bytes(model->engine));
        if (c->arena) plan->layer_gradients[i] = gradient;
    }
}

/* Other axes than the last one: room for what is moved; sequences: for the sums over paths. */
static void carve_scores(const cn_model *model, cn__plan *plan, carver *c, int64_t rows, int training)
{
    size_t real = cn__engine_bytes(model->engine);
    int64_t outputs = cn__model_last(model)->output_size, steps = cn__model_rows_per_sample(model);
    int moves = model->loss_axes.moves;
    for (int i = 0; i < model->n_metrics; i++) moves |= model->metric_axes[i].moves;
    plan->axes_room.output = carve(c, moves ? rows * outputs : 0, real);
    plan->axes_room.target = carve(c, moves ? rows * outputs : 0, real);
    plan->axes_room.gradient = carve(c, moves && training ? rows * outputs : 0, real);
    plan->axes_room.weights = carve(c, moves ? rows * outputs : 0, sizeof(double));
    if (!cn__loss_class_of(&model->loss)->sequence) return;
    plan->sequence_room = carve(c, rows * cn__loss_room(steps, steps), real);
}

static void carve_all(const cn_model *model, cn__plan *plan, carver *c, int64_t rows, int training)
{
    size_t real = cn__engine_bytes(model->engine);
    int64_t inputs = model->layers[0]->input_size, outputs = cn__model_last(model)->output_size;
    plan->outputs = carve(c, model->n_layers, sizeof *plan->outputs);
    plan->workspaces = carve(c, model->n_layers, sizeof *plan->workspaces);
    plan->x = carve(c, rows * inputs, real);
    carve_batch(model, &plan->batch, c, rows, training);
    carve_digits(model, plan, c);
    if (training) carve_exponents(model, plan, c);
    if (training) carve_ahead(model, plan, c);
    for (int i = 0; i < model->n_layers; i++) {
        void *output = carve(c, rows * model->layers[i]->output_size, real);
        void *workspace = carve(c, rows * model->layers[i]->workspace_size, real);
        if (c->arena) {
            plan->outputs[i] = output;
            plan->workspaces[i] = workspace;
        }
    }
    carve_temporary(model, plan, c);
    for (int i = 0; training && i < 2; i++) plan->gradients[i] = carve(c, rows * widest(model), real);
    if (training && cn__blocks_first(model) >= 0) carve_layer_gradients(model, plan, c, rows);
    if (training && cn__blocks_first(model) >= 0 && model->bf16_way != CN__BF16_NONE) carve_blocks(model, plan, c);
    plan->target = carve(c, rows * outputs, real);
    plan->labels = carve(c, rows * cn__model_labels_per_sample(model), sizeof *plan->labels);
    plan->weights = carve(c, rows * cn__model_rows_per_sample(model), sizeof *plan->weights);
    plan->row_loss = carve(c, rows * outputs, real);
    plan->probabilities = carve(c, rows * outputs, real);
    plan->metric_row_loss = carve(c, rows * cn__model_rows_per_sample(model), real);
    plan->metric_probabilities = carve(c, cn__model_metrics_read_logits(model) ? rows * outputs : 0, real);
    carve_scores(model, plan, c, rows, training);
    if (model->bf16_way != CN__BF16_NONE) carve_bf16(model, plan, c, rows);
}

int cn__plan_prepare(cn_model *model, int64_t rows, int training)
{
    cn__plan *plan = &model->plan;
    CN_TRY(cn__model_start_threads(model));
    if (plan->arena && plan->rows >= rows && (plan->training || !training)) return CN_OK;
    if (plan->rows > rows) rows = plan->rows;
    training |= plan->training;
    cn__plan_destroy(plan);
    carver count = {.arena = NULL};
    cn__plan unused = {.rows = 0};
    carve_all(model, &unused, &count, rows, training);
    if (count.overflow)
        return cn__fail(CN_ENOMEM, "a batch of %lld samples does not fit into memory; use a smaller batch_size",
                        (long long)rows);
    plan->arena = cn__alloc_raw(count.used ? count.used : 1, 1, "one batch of activations");
    if (!plan->arena) return CN_ENOMEM;
    carver hand_out = {.arena = plan->arena};
    carve_all(model, plan, &hand_out, rows, training);
    plan->bytes = count.used;
    plan->rows = rows;
    plan->training = training;
    return CN_OK;
}

void cn__plan_forget_copies(cn__plan *plan, int layers)
{
    for (int i = 0; plan->copied && i < layers; i++) plan->copied[i] = 0;
}

void cn__plan_destroy(cn__plan *plan)
{
    cn__free(plan->arena);
    *plan = (cn__plan){.rows = 0};
}
