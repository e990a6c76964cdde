#include "model/model.h"

#include "base/error.h"

#include <stdatomic.h>
#include <string.h>

/* Predicting many rows, a thread takes a few of them at a time through all layers, from the numbers as they were given
 * to the output, and the team meets only in the end. What a part needs stays in the thread's level-2 cache: its tiles,
 * the outputs of its layers, and the digits of the first kernel. Results of a row do not depend on how rows are
 * divided. */
#define ROWS_IN_PART 64

typedef struct parts {
    cn_model *model;
    const cn__data *data;
    char *out;
    size_t row_bytes; /* of out */
    atomic_int_fast64_t next;
    atomic_int failed;
} parts;

/* The share of one thread in the memory of the plan. */
static cn__batch_memory memory_of(const cn_model *model, int thread)
{
    const cn__batch_memory *all = &model->plan.batch;
    int64_t steps = cn__tile_steps(all->columns);
    int64_t tiles = thread * cn__tile_lines(ROWS_IN_PART) * steps,
            squares = thread * cn__tile_steps(ROWS_IN_PART) * steps;
    return (cn__batch_memory){.rows = ROWS_IN_PART,
                              .columns = all->columns,
                              .sample_tiles = all->sample_tiles + tiles * CN__TILE_BYTES,
                              .sample_filled = all->sample_filled + tiles,
                              .inked = all->inked + squares,
                              .in_order = all->in_order,
                              .entries = all->entries + thread * ROWS_IN_PART * all->columns,
                              .spans = all->spans + thread * ROWS_IN_PART,
                              .last_peaks = all->last_peaks};
}

static void *of_thread(const cn_model *model, void *rows, int thread, int64_t size)
{
    return (char *)rows + (size_t)(thread * ROWS_IN_PART * size) * cn__engine_bytes(model->engine);
}

static const void *run_layers(cn_model *model, int thread, int64_t rows, const cn__batch *bytes)
{
    const void *x = NULL;
    int weight = 0;
    for (int i = 0; i < model->n_layers; weight += model->layers[i]->n_weights, i++) {
        const cn_layer *layer = model->layers[i];
        if (cn__layer_hands_on(layer, 0)) continue;
        void *weights[CN__MAX_LAYER_WEIGHTS];
        cn__pass pass = cn__step_pass(model, i, rows, -1);
        cn__step_point(model, weight, &pass, weights);
        pass.pool = cn__pool_member(model->pool, thread);
        pass.bytes = bytes;
        pass.x = x;
        pass.y = of_thread(model, pass.y, thread, layer->output_size);
        pass.workspace = of_thread(model, pass.workspace, thread, layer->workspace_size);
        model->engine->layers[cn__layer_index(layer)]->forward(&pass);
        x = pass.y;
        bytes = NULL;
    }
    return x;
}

/* Threads mostly take turns. */
static void fetch_next(const parts *p, int64_t part, cn__batch *bytes)
{
    const cn__source *x = &p->data->x;
    int64_t row = (part + cn__pool_threads(p->model->pool)) * ROWS_IN_PART, rows = x->rows - row,
            row_bytes = x->columns;
    if (rows <= 0) return;
    if (!x->codes) row_bytes *= (int64_t)sizeof(float);
    bytes->soon = (const char *)x->data + row * row_bytes;
    bytes->soon_bytes = (rows < ROWS_IN_PART ? rows : ROWS_IN_PART) * row_bytes;
}

static void run_part(parts *p, int thread, int64_t part)
{
    cn_model *model = p->model;
    const cn__gather_math *gather = model->engine->gather;
    const cn__batch_memory memory = memory_of(model, thread);
    cn__pool *alone = cn__pool_member(model->pool, thread);
    cn__choice choice = {.first = part * ROWS_IN_PART, .n = p->data->rows - part * ROWS_IN_PART};
    if (choice.n > ROWS_IN_PART) choice.n = ROWS_IN_PART;
    cn__batch bytes;
    if (p->data->x.codes) {
        gather->tiles(alone, &p->data->x, &choice, 0, &memory, &bytes);
    } else if (!gather->encoded_tiles(alone, &p->data->x, &choice, &memory, &bytes)) {
        atomic_store(&p->failed, 1);
        return;
    }
    bytes.digits = &model->plan.digits;
    fetch_next(p, part, &bytes);
    memcpy(p->out + (size_t)choice.first * p->row_bytes, run_layers(model, thread, choice.n, &bytes),
           (size_t)choice.n * p->row_bytes);
}

/* Whoever is free takes the next part. */
static void run_parts(void *context, int thread, int64_t begin, int64_t end)
{
    parts *p = context;
    int64_t all = (p->data->rows + ROWS_IN_PART - 1) / ROWS_IN_PART, part;
    (void)begin;
    (void)end;
    while (!atomic_load(&p->failed) && (part = atomic_fetch_add(&p->next, 1)) < all) run_part(p, thread, part);
}

/* 1 if every row has codes on the scale that x has now. */
static int run(parts *p)
{
    atomic_store(&p->next, 0);
    atomic_store(&p->failed, 0);
    cn__parallel(p->model->pool, p->model->threads, run_parts, p);
    return !atomic_load(&p->failed);
}

/* Layers whose rows do not depend on each other, and which are small behind the first one. */
static int layers_serve(const cn_model *model)
{
    int64_t numbers = 0;
    for (int i = 0; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        if (cn__layer_hands_on(layer, 0)) continue;
        if (layer->class_ != &cn__layer_dense || layer->output_ndim != 1) return 0;
        for (int k = 0; model->weights[0].layer != i && k < layer->n_weights; k++)
            numbers += layer->weights[k].rows * layer->weights[k].stride;
    }
    return numbers <= CN__MOST_NUMBERS_BEHIND;
}

static int serve(const cn_model *model, const cn__data *data)
{
    const cn__source *x = &data->x;
    if (data->listing != CN__LISTS || !data->as_tiles || model->bf16_way != CN__BF16_NONE) return 0;
    if (!layers_serve(model)) return 0;
    if (data->rows < 2 * ROWS_IN_PART || model->threads * ROWS_IN_PART > CN__BATCH_MOST_ROWS) return 0;
    return x->codes || x->stored == CN__STORED_U8 || (x->stored == CN__STORED_F32 && x->scale == 1);
}

int cn__parts_predict(cn_model *model, cn__data *data, void *out)
{
    if (!serve(model, data)) return 0;
    CN_TRY(cn__plan_prepare(model, model->threads * ROWS_IN_PART, 0));
    if (!model->plan.digits.tiles) return 0;
    parts p = {.model = model, .data = data, .out = out};
    p.row_bytes = (size_t)cn__model_last(model)->output_size * cn__engine_bytes(model->engine);
    int is_done = 0;
    if (data->x.stored == CN__STORED_U8) {
        data->x.codes = data->x.data;
        data->x.code_scale = data->x.scale;
    }
    CN_TRY(cn__frequent_choose(model, data));
    cn__digits_make(model, data);
    if (data->x.codes) is_done = run(&p);
    for (int i = 0; !is_done && !data->x.codes && cn__codes_scale(&data->x, i, &data->x.code_scale); i++)
        is_done = run(&p);
    cn__digits_forget(model);
    return is_done;
}
