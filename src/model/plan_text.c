#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"
#include "kernels/block_sizes.h"
#include "layers/activation.h"

#include <stdarg.h>
#include <stdio.h>

/* cn_model_plan: asks the functions that decide in a step, and puts their answers into words. */
#define LAYER_BYTES 1400 /* no layer takes more; names are cut */
#define HEAD_BYTES 3000

typedef struct page {
    char *bytes;
    size_t used, capacity;
} page;

static void put(page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(page *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(p->bytes + p->used, p->capacity - p->used, format, arguments);
    va_end(arguments);
    if (n > 0) p->used += (size_t)n < p->capacity - p->used ? (size_t)n : p->capacity - p->used - 1;
}

static void put_blocks(page *p, const cn_model *model)
{
    const int64_t *caches = cn__pool_caches(model->team);
    const int goes_down = model->engine->isa == CN__ISA_AVX2;
    const cn__block_sizes block = goes_down ? cn__block_sizes_down(caches) : cn__block_sizes_for(caches);
    put(p, "blocks    %lld x %lld by %lld x %lld numbers in dense products: ", (long long)block.rows,
        (long long)block.terms, (long long)block.terms, (long long)block.columns);
    if (goes_down)
        put(p, "%lld terms of %d columns take half of L1,\n"
               "          the left block takes a quarter of L2, the right one stays in L3",
            (long long)block.terms, CN__BLOCK_PANEL / 2);
    else
        put(p, "%lld terms of %d columns fill L1, the right\n"
               "          block takes three eighths of L2 and the left one a third",
            (long long)block.terms, CN__BLOCK_PANEL);
    put(p, "%s\n", caches[1] > CN__BLOCK_MOST ? " (of 2 MiB: more does not help)" : "");
}

static void put_machine(page *p, const cn_model *model, int64_t rows)
{
    int64_t caches[3];
    cn__cpu_caches(caches);
    double work = cn__model_work(model, rows), update = cn__model_work(model, CN__ROWS_OF_AN_UPDATE);
    put(p, "model     %.64s, %s, batches of %lld\n", model->name, model->precision, (long long)rows);
    put(p, "kernels   %s: ", cn__isa_name(model->engine->isa));
    if (model->engine->bits == 64) put(p, "float64 has no others\n");
    else if (model->isa_wish) put(p, "%s asks for it; the best of this CPU: %s\n", model->isa_wish,
                                  cn__isa_name(cn__isa_detected()));
    else put(p, "the best of this CPU\n");
    put(p, "threads   %d of %d (affinity and quota allow %d): one batch is %.0f multiply-adds forward\n"
           "          and its updates cost as much as %.0f, a team is worth waking from %d on\n",
        cn__pool_threads(model->team), model->threads, cn__cpu_threads(), work, update, CN__WORTH_A_TEAM);
    put(p, "caches    L1 %lld KiB, L2 %lld KiB, L3 %lld KiB (0: unknown)\n", (long long)caches[0] / 1024,
        (long long)caches[1] / 1024, (long long)caches[2] / 1024);
    put_blocks(p, model);
    double real = (double)cn__engine_bytes(model->engine);
    put(p, "memory    %.1f MiB for one batch, %.1f MiB for the weights and as much for each slot of %s\n",
        (double)model->plan.bytes / 1048576, (double)model->block_size * real / 1048576,
        model->optimizer->class_->snake);
    if (model->bf16_way == CN__BF16_TILES) put(p, "bfloat16  AMX tiles\n");
    if (model->bf16_way == CN__BF16_ROUNDED)
        put(p, "bfloat16  float32 kernels on rounded copies, and exact sums where inputs are read as bytes;\n"
               "          tiles need the kernels avx512, AMX and AVX-512 bf16\n");
}

static void put_bytes(page *p, const cn_model *model, const cn__data *data, int64_t rows)
{
    if (!cn__step_reads_bytes(model, data, rows))
        put(p, "dense rows, as this batch is too large for bytes");
    else if (model->bf16_way == CN__BF16_TILES)
        put(p, "tiles of bfloat16, which hold bytes exactly");
    else if (data->x.sparse)
        put(p, "sparse lists of non-zeros, made once, summed exactly; for %.0f %% and more there are other ways",
            100 * CN__SPARSE_BELOW);
    else if (data->as_tiles)
        put(p, "tiles of bytes, summed exactly; below %.0f %% sparse lists of non-zeros are faster",
            100 * CN__SPARSE_BELOW);
    else if (model->bf16_way == CN__BF16_ROUNDED)
        put(p, "lists of non-zeros, exact sums of numbers of 14 and 15 bits");
    else
        put(p, "lists of non-zeros, summed exactly; tiles need the kernels avx512 and AMX int8");
    if (data->x.frequent && cn__step_reads_bytes(model, data, rows))
        put(p, ";\n          in fit %lld of %lld columns stand in tiles, and the others, mostly zero, in lists",
            (long long)data->x.frequent->columns, (long long)data->x.columns);
}

static void put_inputs(page *p, const cn_model *model, const cn__data *data, int64_t rows)
{
    put(p, "inputs    ");
    if (!data) {
        put(p, "taken to have no zeros, as no data set is given: dense rows\n");
        return;
    }
    if (data->ink >= 0 && model->bf16_way == CN__BF16_TILES)
        put(p, "%.1f %% of the numbers are not zero", 100 * data->ink);
    else if (data->ink >= 0)
        put(p, "%.1f %% of the numbers are not zero (bytes pay below %.0f %%)", 100 * data->ink, 100 * CN__LISTS_BELOW);
    if (data->ink >= 0 && data->x.stored == CN__STORED_U8) put(p, ", bytes");
    if (data->ink >= 0) put(p, ":\n          ");
    switch (data->listing) {
    case CN__LISTS: put_bytes(p, model, data, rows); break;
    case CN__LISTS_SEEN_ONCE: put(p, "dense rows, as they are seen only once"); break;
    case CN__LISTS_FLOAT64: put(p, "dense rows, as float64 has no sums over bytes"); break;
    case CN__LISTS_FIRST_LAYER: put(p, "dense rows, as the first layer at work is no Dense over all inputs"); break;
    case CN__LISTS_COLUMNS:
        put(p, "dense rows, as %lld inputs are too few or too many", (long long)data->x.columns);
        break;
    case CN__LISTS_INK: put(p, "dense rows"); break;
    case CN__LISTS_VALUES: put(p, "dense rows, as they are not whole multiples, 0 to 255, of one number"); break;
    }
    put(p, "\n");
}

static void put_product(page *p, const cn_model *model, const char *what, cn__product product, int64_t parts)
{
    static const char *const words[] = {
        [CN__PRODUCT_BLOCKS] = "dense product in copied blocks",
        [CN__PRODUCT_FEW_ROWS] = "dense product, few rows: the right factor is read where it lies",
        [CN__PRODUCT_FEW_COLUMNS] = "dense product, few columns: the left factor is read where it lies",
        [CN__PRODUCT_NARROW] = "dense product, few outputs: both factors are read where they lie",
        [CN__PRODUCT_ONE_ROW] = "non-zeros of a single row",
    };
    put(p, "  %-16s %s; ", what, words[product]);
    int threads = cn__pool_threads(model->team);
    if (parts > 1 && threads > 1) put(p, "%lld pieces for %d threads\n", (long long)parts, threads);
    else put(p, "one thread\n");
}

static void put_waiting(page *p, const cn_model *model, int lists)
{
    put(p, "  %-16s ", "updates");
    if (cn__step_lets_rows_wait(model, lists))
        put(p, "rows whose inputs are zero in the whole batch wait: %s leaves such weights alone\n",
            model->optimizer->class_->snake);
    else if (cn__lazy_judge(model) == CN__LAZY_OPTIMIZER)
        put(p, "every row at each step: %s moves weights without a gradient\n", model->optimizer->class_->snake);
    else if (cn__lazy_judge(model) == CN__LAZY_FROZEN)
        put(p, "none for the first kernel: it does not train\n");
    else if (cn__lazy_judge(model) == CN__LAZY_STORED)
        put(p, "every row at each step, after all gradients: clipping, averages, penalties, constraints or the rule of "
               "%s need them\n", model->optimizer->class_->snake);
    else
        put(p, "every row at each step: without bytes nobody knows which could wait\n");
}

static void put_not_needed(page *p, const char *what, const char *why)
{
    put(p, "  %-16s not needed, as %s\n", what, why);
}

/* Why the gradient of a layer's input is not computed; NULL: it is. */
static const char *without_input_gradient(const cn_model *model, const cn_layer *layer, int is_first)
{
    if (is_first) return "nothing lies below";
    for (int i = 0; i < model->n_weights && model->layers[model->weights[i].layer] != layer; i++)
        if (cn__model_trains(model, i)) return NULL;
    return "nothing below trains";
}

/* The same of its kernel's gradient. */
static const char *without_kernel_gradient(const cn_layer *layer)
{
    return layer->trainable ? NULL : "it does not train";
}

/* `bytes`: the data whose bytes this layer reads, NULL: none. */
static void put_dense(page *p, const cn_model *model, const cn_layer *layer, int64_t batch, const cn__data *bytes,
                      int is_first, int in_blocks)
{
    const char *no_input = without_input_gradient(model, layer, is_first), *no_kernel = without_kernel_gradient(layer);
    const cn__weight *kernel = &layer->weights[0];
    int64_t rows = batch * (layer->input_size / kernel->rows);
    int tiles = model->bf16_way == CN__BF16_TILES, as_tiles = tiles || (bytes && bytes->as_tiles);
    int is_sparse = bytes && bytes->x.sparse;
    static const char by_columns[] = "lists of non-zeros, each row of the kernel visited once";
    cn__dense_choice choice;
    model->engine->dense_choose(model->team, rows, kernel->rows, kernel->columns, kernel->stride, &choice);
    if (in_blocks) {
        cn__dense_choice block;
        model->engine->dense_choose(cn__pool_member(model->team, 0), cn__blocks_rows(model), kernel->rows,
                                    kernel->columns, kernel->stride, &block);
        choice.forward = block.forward;
        choice.backward_input = block.backward_input;
        choice.forward_parts = choice.backward_input_parts = 1;
    }
    put(p, "%.64s: %lld rows, %lld -> %lld\n", layer->name, (long long)rows, (long long)kernel->rows,
        (long long)kernel->columns);
    if (bytes || tiles)
        put(p, "  %-16s %s\n", "forward", as_tiles ? "tiles" : is_sparse ? by_columns
                                                              : "lists of non-zeros, two columns at a time");
    else put_product(p, model, "forward", choice.forward, choice.forward_parts);
    if (no_input) put_not_needed(p, "input gradient", no_input);
    else if (tiles) put(p, "  %-16s tiles\n", "input gradient");
    else put_product(p, model, "input gradient", choice.backward_input, choice.backward_input_parts);
    if (no_kernel) {
        put_not_needed(p, "kernel gradient", no_kernel);
    } else if (bytes || tiles) {
        put(p, "  %-16s %s\n", "kernel gradient", as_tiles ? "tiles" : is_sparse ? by_columns
                                                              : "lists of non-zeros, two samples at a time");
    } else {
        put_product(p, model, "kernel gradient", choice.backward_kernel, choice.backward_kernel_parts);
        put(p, "  %-16s %lld x %lld at a time go through the update while they are in the cache\n", "",
            (long long)choice.strip_rows, (long long)choice.strip_columns);
    }
    if (bytes && !is_sparse && cn__panels_serve(model))
        put(p, "  %-16s in panels of %d columns while fit trains: each thread has its own\n", "kernel",
            (int)cn__panels_width(model, as_tiles));
    if (is_first) put_waiting(p, model, bytes != NULL);
}

static void put_convolution(page *p, const cn_model *model, const cn_layer *layer, int64_t pictures, int is_first)
{
    const char *no_input = without_input_gradient(model, layer, is_first), *no_kernel = without_kernel_gradient(layer);
    const cn__weight *kernel = &layer->weights[0];
    int threads = cn__pool_threads(model->team);
    const int64_t *windows = layer->output_shape + layer->channels_first; /* along the height, and the width */
    put(p, "%.64s: %lld pictures, %lldx%lld windows of %lld numbers -> %lld\n", layer->name, (long long)pictures,
        (long long)windows[0], (long long)windows[1], (long long)kernel->rows, (long long)kernel->columns);
    if (layer->channels_first) put(p, "  %-16s turned into channels_last and back\n", "channels_first");
    put(p, "  %-16s windows read where they lie, or lists of non-zeros in pictures where these are few; rows of all\n"
           "  %-16s pictures divided among %d threads\n", "forward", "", threads);
    if (no_input) put_not_needed(p, "input gradient", no_input);
    if (no_kernel) put_not_needed(p, "kernel gradient", no_kernel);
    if (!no_input || !no_kernel)
        put(p, "  %-16s the same ways, picture by picture; pieces of the batch divided among %d threads\n",
            no_input ? "kernel gradient" : no_kernel ? "input gradient" : "gradients", threads);
}

static void put_layers(page *p, const cn_model *model, int64_t rows, const cn__data *bytes)
{
    int is_first = 1, in_blocks = cn__blocks_serve(model, rows);
    for (int i = 0; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        if (layer->class_ == &cn__layer_input) continue;
        if (cn__layer_hands_on(layer, 1)) {
            put(p, "%.64s: nothing is copied\n", layer->name);
            continue;
        }
        if (layer->class_ == &cn__layer_dense) put_dense(p, model, layer, rows, is_first ? bytes : NULL, is_first,
                                                            in_blocks && !is_first);
        else if (layer->class_ == &cn__layer_conv2d) put_convolution(p, model, layer, rows, is_first);
        else if (i > 0 && cn__conv2d_pools(model->layers[i - 1], layer))
            put(p, "%.64s: along with %.64s, picture by picture\n", layer->name, model->layers[i - 1]->name);
        else put(p, "%.64s: number by number, rows divided among %d threads\n", layer->name,
                 cn__pool_threads(model->team));
        if (is_first && in_blocks)
            put(p, "from here to the loss and back to here each thread takes %d rows at a time, as the layers are "
                   "small\n",
                (int)cn__blocks_rows(model));
        is_first = 0;
    }
}

char *cn_model_plan(cn_model *model, const cn_tensor *x, int64_t batch_size)
{
    if (cn__model_need_compiled(model) < 0 || cn__model_need_built(model) < 0) return NULL;
    if (batch_size < 0)
        return cn__fail_null(CN_EINVAL, "batch_size must be at least 1, got %lld", (long long)batch_size);
    if (!batch_size) batch_size = 32;
    cn__data data = {.rows = batch_size};
    if (x && cn__data_open(model, x, NULL, &data) < 0) return NULL;
    if (x && cn__frequent_find(model, &data) < 0) {
        cn__data_close(&data);
        return NULL;
    }
    int64_t rows = data.rows < batch_size ? data.rows : batch_size;
    page p = {.capacity = HEAD_BYTES + (size_t)model->n_layers * LAYER_BYTES};
    if (cn__plan_prepare(model, rows, 1) == CN_OK) p.bytes = cn__alloc(p.capacity, 1, "the plan in words");
    if (p.bytes) {
        cn__model_choose_team(model, rows + CN__ROWS_OF_AN_UPDATE);
        put_machine(&p, model, rows);
        put_inputs(&p, model, x ? &data : NULL, rows);
        put_layers(&p, model, rows, x && cn__step_reads_bytes(model, &data, rows) ? &data : NULL);
    }
    cn__data_close(&data);
    return p.bytes;
}
