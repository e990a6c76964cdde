#include "kernel_list.h"

#include "kernels/tensor_math.h"

#include <cornu/layer.h>
#include <stdio.h>
#include <string.h>

static kernel_array *add(kernel_job *job, const char *name, kernel_role role, int64_t rows, int64_t columns)
{
    kernel_array *a = &job->arrays[job->n_arrays++];
    *a = (kernel_array){.name = name, .role = role, .rows = rows, .columns = columns, .stride = columns};
    if (role == MEMORY) a->columns = a->stride = (columns + 15) / 16 * 16;
    return a;
}

/* --- layers: forward and backward, the second also in two parts where a layer offers that --- */

enum { X, Y, DY, DX, WORKSPACE, THREADS, SHARED, WEIGHTS };

static int open_layer(kernel_job *job, int threads, int ndim, const int64_t *shape)
{
    static const char *const gradients[] = {"gradient of weight 0", "gradient of weight 1", "gradient of weight 2",
                                            "gradient of weight 3"};
    cn_layer *layer = job->layer = cn_layer_from_text(job->entry->text);
    if (!layer || cn__layer_build(layer, ndim, shape) < 0) return -1;
    if (job->rows == 0 && layer->n_weights) return -1; /* cn_fit refuses an empty x, which has no mean */
    add(job, "x", GIVEN, job->rows, layer->input_size);
    add(job, "y", RESULT, job->rows, layer->output_size);
    add(job, "dy", MEMORY, 1, job->rows * layer->output_size);
    add(job, "dx", RESULT, job->rows, layer->input_size);
    add(job, "workspace", MEMORY, 1, job->rows * layer->workspace_size);
    add(job, "memory of threads", MEMORY, 1, threads * cn__thread_stride(layer->thread_size));
    add(job, "shared memory", MEMORY, 1, layer->shared_size);
    for (int i = 0; i < layer->n_weights; i++) {
        const cn__weight *w = &layer->weights[i];
        add(job, w->name, w->trainable ? GIVEN_SMALL : CHANGED_SMALL, w->rows, w->columns)->stride = w->stride;
        add(job, gradients[i], w->trainable ? RESULT : MEMORY, w->rows, w->columns)->stride = w->stride;
    }
    return 0;
}

static int open_row_layer(kernel_job *job, int threads)
{
    return open_layer(job, threads, 1, (const int64_t[]){job->columns});
}

static int open_image_layer(kernel_job *job, int threads)
{
    return open_layer(job, threads, 3, (const int64_t[]){7, 6, job->columns});
}

static void run_layer(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    const cn_layer *layer = job->layer;
    const cn__layer_math *math = engine->layers[cn__layer_index(layer)];
    void *weights[CN__MAX_LAYER_WEIGHTS];
    cn__sink sinks[CN__MAX_LAYER_WEIGHTS] = {{.update = NULL}};
    for (int i = 0; i < layer->n_weights; i++) {
        const kernel_array *gradient = &job->arrays[WEIGHTS + 2 * i + 1];
        weights[i] = job->arrays[WEIGHTS + 2 * i].at;
        sinks[i] = (cn__sink){.gradient = layer->weights[i].trainable ? gradient->at : NULL,
                              .stride = gradient->stride};
    }
    const cn__pass pass = {.layer = layer, .pool = pool, .batch = job->rows, .training = 1, .x = job->arrays[X].at,
                           .y = job->arrays[Y].at, .dy = job->arrays[DY].at, .dx = job->arrays[DX].at,
                           .workspace = job->arrays[WORKSPACE].at, .thread_memory = job->arrays[THREADS].at,
                           .shared_memory = job->arrays[SHARED].at, .weights = weights, .sinks = sinks, .seed = 5,
                           .step = 3};
    math->forward(&pass);
    for (int64_t i = 0; i < job->rows * layer->output_size; i++) /* small whole numbers, zeros among them */
        job->arrays[DY].at[i] = (float)(i * 7 % 11) - 5;
    if (math->backward_rows && pool && cn__pool_threads(pool) > 1) {
        math->backward_rows(&pass);
        math->backward_weights(&pass);
    } else {
        math->backward(&pass);
    }
}

/* --- losses and metrics --- */

enum { TARGET, OUTPUT, PROBABILITIES, ROW_LOSS, GRADIENT, STATE = GRADIENT, ROOM };

enum { STEPS = 3, LENGTH = 2 }; /* of sequences */

static int open_scores(kernel_job *job, int labels, int answers, kernel_role probabilities, kernel_role row_loss)
{
    kernel_array *target = add(job, "target", labels ? GIVEN_LABELS : answers ? GIVEN_ANSWERS : GIVEN, job->rows,
                               labels ? 1 : job->columns);
    target->limit = (int)job->columns;
    add(job, "output", GIVEN, job->rows, job->columns);
    add(job, "probabilities", probabilities, job->rows, job->columns);
    add(job, "loss of a row", row_loss, job->rows, 1);
    return job->rows > 0 ? 0 : -1; /* nobody measures nothing */
}

static cn__scores scores_of(const kernel_job *job)
{
    const kernel_array *target = &job->arrays[TARGET];
    int labels = target->role == GIVEN_LABELS;
    return (cn__scores){.rows = job->rows, .columns = job->columns, .options = &job->loss.options,
                        .target = labels ? NULL : target->at, .labels = labels ? (const void *)target->at : NULL,
                        .output = job->arrays[OUTPUT].at, .probabilities = job->arrays[PROBABILITIES].at,
                        .row_loss = job->arrays[ROW_LOSS].at, .divisor = job->rows};
}

static int open_loss(kernel_job *job, int threads)
{
    (void)threads;
    if (cn__loss_open(&job->loss, job->entry->text) < 0) return -1;
    const cn__loss_class *class_ = cn__loss_class_of(&job->loss);
    if (class_->sequence && (job->columns % STEPS || job->columns / STEPS < 2)) return -1;
    int status = open_scores(job, class_->sparse, 0, job->loss.options.from_logits ? RESULT : MEMORY, RESULT);
    if (class_->sequence) {
        kernel_array *labels = &job->arrays[TARGET];
        labels->columns = labels->stride = LENGTH;
        labels->limit = (int)(job->columns / STEPS);
    }
    add(job, "gradient", RESULT, job->rows, job->columns);
    add(job, "room", MEMORY, 1, class_->sequence ? job->rows * cn__loss_room(STEPS, LENGTH) : 0);
    return status;
}

static void run_loss(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    const cn__loss_math *math = engine->losses[job->loss.index];
    cn__scores scores = scores_of(job);
    (void)pool;
    scores.gradient = job->arrays[GRADIENT].at;
    scores.room = job->arrays[ROOM].at;
    scores.steps = cn__loss_class_of(&job->loss)->sequence ? STEPS : 0;
    scores.length = scores.steps ? LENGTH : 0;
    if (math->look) scores.seen = math->look(&scores);
    (job->loss.options.from_logits ? math->measure_from_logits : math->measure)(&scores);
}

static int open_metric(kernel_job *job, int labels)
{
    if (cn__metric_open(&job->metric, job->entry->text) < 0) return -1;
    if (cn__metric_set_shape(&job->metric, job->columns, labels) < 0) return -1;
    int status = open_scores(job, labels && cn__metric_reads_of(&job->metric) != CN__READS_ROWS, 1, MEMORY, MEMORY);
    add(job, "state", CHANGED_SMALL, 1, 2 * cn__metric_state_size(&job->metric)); /* float64 */
    return status;
}

static int open_metric_of_rows(kernel_job *job, int threads)
{
    (void)threads;
    return open_metric(job, 0);
}

static int open_metric_of_labels(kernel_job *job, int threads)
{
    (void)threads;
    return open_metric(job, 1);
}

static void run_metric(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    cn__scores scores = scores_of(job);
    double *state = (double *)(void *)job->arrays[STATE].at;
    (void)pool;
    scores.options = &job->metric.loss.options;
    memset(state, 0, (size_t)cn__metric_state_size(&job->metric) * sizeof *state);
    engine->metrics[job->metric.index]->update(&job->metric, &scores, state);
}

/* --- optimizers --- */

enum { OPTIMIZER_GRADIENT, OPTIMIZER_WEIGHT, OPTIMIZER_SLOTS };

static int open_optimizer(kernel_job *job, int threads)
{
    const char *names[CN__MAX_SLOTS] = {NULL};
    (void)threads;
    job->optimizer = cn_optimizer_from_text(job->entry->text);
    if (!job->optimizer) return -1;
    const cn__optimizer_class *class_ = job->optimizer->class_;
    class_->begin_step(job->optimizer->options, 3, 0.01, &job->step);
    add(job, "gradient", class_->moves_whole ? SPENT : GIVEN, 1, job->rows * job->columns);
    add(job, "weight", CHANGED, 1, job->rows * job->columns);
    job->n_slots = class_->slots(job->optimizer->options, names);
    for (int i = 0; i < job->n_slots; i++)
        add(job, names[i] ? names[i] : "no slot", CHANGED_SMALL, 1, job->rows * job->columns);
    if (!class_->moves_whole) return 0;
    const void *options = job->optimizer->options;
    add(job, "room", MEMORY, 1, class_->room ? class_->room(options, job->rows, job->columns) : 0);
    add(job, "sums of rows", MEMORY, 1, 2 * job->rows);
    job->shape[0] = job->rows;
    job->shape[1] = job->columns;
    job->whole = (cn__whole){.rows = job->rows, .columns = job->columns, .stride = job->columns, .ndim = 2,
                             .kind = class_->kind ? class_->kind(options, "dense/kernel", 2) : 0};
    return job->rows > 0 ? 0 : -1;
}

static void slots_of(const kernel_job *job, void *slots[CN__MAX_SLOTS])
{
    const char *names[CN__MAX_SLOTS] = {NULL};
    job->optimizer->class_->slots(job->optimizer->options, names);
    for (int i = 0; i < CN__MAX_SLOTS; i++)
        slots[i] = i < job->n_slots && names[i] ? job->arrays[OPTIMIZER_SLOTS + i].at : NULL;
}

static void run_update(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    void *slots[CN__MAX_SLOTS];
    cn__step step = job->step;
    cn__whole whole = job->whole;
    slots_of(job, slots);
    if (job->optimizer->class_->moves_whole) {
        whole.shape = job->shape;
        whole.pool = pool;
        whole.gradient = job->arrays[OPTIMIZER_GRADIENT].at;
        whole.room = job->arrays[OPTIMIZER_SLOTS + job->n_slots].at;
        whole.row_sums = (double *)(void *)job->arrays[OPTIMIZER_SLOTS + job->n_slots + 1].at;
        step.whole = &whole;
    }
    (*engine->updates[cn__optimizer_index(job->optimizer)])(&step, job->rows * job->columns,
                                                            job->arrays[OPTIMIZER_WEIGHT].at, slots,
                                                            job->arrays[OPTIMIZER_GRADIENT].at);
}

static int open_idle(kernel_job *job, int threads)
{
    const cn__optimizer_class *class_;
    if (open_optimizer(job, threads) < 0) return -1;
    class_ = job->optimizer->class_;
    return class_->can_idle && class_->can_idle(job->optimizer->options) ? 0 : -1;
}

static void run_idle(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    void *slots[CN__MAX_SLOTS];
    (void)pool;
    slots_of(job, slots);
    (*engine->idles[cn__optimizer_index(job->optimizer)])(&job->step, job->rows * job->columns, slots,
                                                          job->columns % 2 ? 7 : 300);
}

/* --- rules for weights --- */

static int open_rule(kernel_job *job, int threads)
{
    (void)threads;
    add(job, "x", GIVEN, job->rows, job->columns);
    add(job, "changed", CHANGED, job->rows, job->columns);
    add(job, "sums", RESULT, 1, 4); /* two float64 */
    return 0;
}

static void run_rule(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    const cn__weight_rules *rules = engine->rules;
    const char *rule = job->entry->text;
    int64_t n = job->rows * job->columns;
    const float *x = job->arrays[0].at;
    float *changed = job->arrays[1].at;
    cn__norm_sums sums = {0, 0};
    (void)pool;
    if (!strcmp(rule, "sums")) sums = rules->sums(n, x);
    else if (!strcmp(rule, "add_penalty")) rules->add_penalty(n, x, 0.01, 0.02, changed);
    else if (!strcmp(rule, "add")) rules->add(n, x, changed);
    else if (!strcmp(rule, "scale")) rules->scale(n, 1 / 3.0, changed);
    else if (!strcmp(rule, "clip")) rules->clip(n, 0.5, changed);
    else if (!strcmp(rule, "average")) rules->average(n, x, 0.99, changed);
    else if (!strcmp(rule, "not_negative")) rules->not_negative(n, changed);
    else if (!strcmp(rule, "hand"))
        for (int64_t r = 0; r < job->rows; r++)
            rules->hand(&(cn__sink){.gradient = changed, .stride = job->columns}, r, job->columns,
                        x + r * job->columns);
    memcpy(job->arrays[2].at, &sums, sizeof sums);
}

static int open_bound(kernel_job *job, int threads)
{
    (void)threads;
    add(job, "weight", CHANGED, job->rows, job->columns);
    add(job, "norms", MEMORY, 1, 2 * 2 * job->columns);
    add(job, "groups", MEMORY, 1, 2 * job->rows);
    return 0;
}

static void run_bound(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    int64_t *groups = (int64_t *)(void *)job->arrays[2].at;
    cn__bounded b = {.weight = job->arrays[0].at, .rows = job->rows, .columns = job->columns, .stride = job->columns,
                     .n_groups = 2, .across_columns = !strcmp(job->entry->text, "bound across columns"), .low = 0.1,
                     .high = 0.7, .rate = 0.5, .norms = (double *)(void *)job->arrays[1].at};
    (void)pool;
    for (int64_t r = 0; r < job->rows; r++) groups[r] = r % 2;
    engine->rules->bound(&b, groups, 0, job->columns);
}

/* --- gathering --- */

static cn__stored stored_of(const char *text, int64_t *bytes)
{
    static const char *const names[] = {"u8", "i32", "i64", "f32", "f64"};
    static const int64_t sizes[] = {1, 4, 8, 4, 8};
    int kind = 0;
    while (kind < 4 && !strstr(text, names[kind])) kind++;
    *bytes = sizes[kind];
    return (cn__stored)kind;
}

static int open_gather(kernel_job *job, int threads)
{
    int64_t bytes;
    (void)threads;
    stored_of(job->entry->text, &bytes);
    kernel_array *source = add(job, "source", GIVEN, 1, (job->rows * job->columns * bytes + 3) / 4);
    source->stride = source->columns;
    add(job, "gathered", RESULT, job->rows, job->columns);
    add(job, "picks", MEMORY, 1, job->rows);
    return 0;
}

static void run_gather(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    int64_t bytes;
    cn__source source = {.data = job->arrays[0].at, .stored = stored_of(job->entry->text, &bytes), .rows = job->rows,
                         .columns = job->columns, .scale = strstr(job->entry->text, "scaled") ? 1 / 255.0 : 1};
    uint32_t *picks = (uint32_t *)(void *)job->arrays[2].at;
    for (int64_t r = 0; r < job->rows; r++) picks[r] = (uint32_t)(job->rows - 1 - r);
    engine->gather->dense(pool, &source, &(cn__choice){.picks = picks, .n = job->rows}, job->arrays[1].at);
}

/* --- tensors --- */

#define X(engine) extern const cn__tensor_math cn__tensor_math_##engine;
CN_ENGINES
#undef X

static const cn__tensor_math *tensor_math_of(const cn__engine *engine)
{
#define X(engine) &cn__tensor_math_##engine,
    static const cn__tensor_math *const all[] = {CN_ENGINES};
#undef X
    size_t i = 0;
    while (all[i]->bits != engine->bits || all[i]->isa != engine->isa) i++;
    return all[i];
}

static int open_map(kernel_job *job, int threads)
{
    (void)threads;
    add(job, "x", GIVEN, job->rows, job->columns);
    add(job, "z", RESULT, job->rows, job->columns);
    return 0;
}

static void run_map(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    cn__map map = !strcmp(job->entry->text, "exp") ? CN__MAP_EXP : !strcmp(job->entry->text, "log") ? CN__MAP_LOG
                                                                                                   : CN__MAP_TANH;
    (void)pool;
    tensor_math_of(engine)->maps[map](job->rows * job->columns, job->arrays[0].at, job->arrays[1].at);
}

enum { MATMUL_COLUMNS = 19 };

static int open_matmul(kernel_job *job, int threads)
{
    (void)threads;
    add(job, "a", GIVEN, job->rows, job->columns);
    add(job, "b", GIVEN, MATMUL_COLUMNS, job->columns); /* read transposed */
    add(job, "c", RESULT, job->rows, MATMUL_COLUMNS);
    return 0;
}

static void run_matmul(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    tensor_math_of(engine)->matmul(strstr(job->entry->text, "alone") ? NULL : pool, job->rows, MATMUL_COLUMNS,
                                   job->columns, job->arrays[0].at, job->columns, 1, job->arrays[1].at, 1, job->columns,
                                   job->arrays[2].at, MATMUL_COLUMNS);
}

/* The same with B as it lies, also of three columns and with gaps between its rows. */
static int64_t columns_of_rows(const kernel_job *job)
{
    return strstr(job->entry->text, "three") ? 3 : MATMUL_COLUMNS;
}

static int64_t row_of_rows(const kernel_job *job)
{
    return columns_of_rows(job) + (strstr(job->entry->text, "gaps") ? 2 : 0);
}

static int open_matmul_rows(kernel_job *job, int threads)
{
    (void)threads;
    add(job, "a", GIVEN, job->rows, job->columns);
    add(job, "b", GIVEN, job->columns, row_of_rows(job));
    add(job, "c", RESULT, job->rows, columns_of_rows(job));
    return 0;
}

static void run_matmul_rows(const cn__engine *engine, cn__pool *pool, const kernel_job *job)
{
    tensor_math_of(engine)->matmul(strstr(job->entry->text, "alone") ? NULL : pool, job->rows, columns_of_rows(job),
                                   job->columns, job->arrays[0].at, job->columns, 1, job->arrays[1].at,
                                   row_of_rows(job), 1, job->arrays[2].at, columns_of_rows(job));
}

/* --- the list --- */

static const kernel_entry listed[] = {
    {"layer", "dense(33)", open_row_layer, run_layer},
    {"layer", "dense(10, activation=softmax)", open_row_layer, run_layer},
    {"layer", "dense(10, activation=gelu, use_bias=false)", open_row_layer, run_layer},
    {"layer", "rescaling(0.5, offset=-1)", open_row_layer, run_layer},
    {"layer", "dropout(0.4)", open_row_layer, run_layer},
    {"layer", "batch_normalization", open_row_layer, run_layer},
    {"layer", "batch_normalization", open_image_layer, run_layer},
    {"layer", "layer_normalization", open_row_layer, run_layer},
    {"layer", "layer_normalization", open_image_layer, run_layer},
    {"layer", "re_lu(max_value=6, negative_slope=0.1)", open_row_layer, run_layer},
    {"layer", "leaky_re_lu", open_row_layer, run_layer},
    {"layer", "p_re_lu", open_row_layer, run_layer},
    {"layer", "elu", open_row_layer, run_layer},
    {"layer", "softmax", open_row_layer, run_layer},
    {"layer", "conv2d(18, 3)", open_image_layer, run_layer},
    {"layer", "conv2d(5, 2, padding=same, activation=relu)", open_image_layer, run_layer},
    {"layer", "max_pooling2d(2)", open_image_layer, run_layer},
    {"layer", "average_pooling2d(3, strides=2, padding=same)", open_image_layer, run_layer},
    {"layer", "global_max_pooling2d", open_image_layer, run_layer},
    {"layer", "global_average_pooling2d", open_image_layer, run_layer},
    {"layer", "permute((3, 1, 2))", open_image_layer, run_layer},
    {"layer", "zero_padding2d(2)", open_image_layer, run_layer},
    {"layer", "random_translation(0.3, 0.3)", open_image_layer, run_layer},
    {"layer", "random_rotation(0.2)", open_image_layer, run_layer},
    {"layer", "random_zoom(0.3)", open_image_layer, run_layer},
    {"metric", "binary_accuracy", open_metric_of_rows, run_metric},
    {"metric", "categorical_accuracy", open_metric_of_rows, run_metric},
    {"metric", "sparse_categorical_accuracy", open_metric_of_labels, run_metric},
    {"metric", "top_k_categorical_accuracy(k=2)", open_metric_of_rows, run_metric},
    {"metric", "sparse_top_k_categorical_accuracy(k=2)", open_metric_of_labels, run_metric},
    {"metric", "precision", open_metric_of_rows, run_metric},
    {"metric", "recall(top_k=1)", open_metric_of_rows, run_metric},
    {"metric", "true_positives", open_metric_of_rows, run_metric},
    {"metric", "false_positives", open_metric_of_rows, run_metric},
    {"metric", "true_negatives", open_metric_of_rows, run_metric},
    {"metric", "false_negatives", open_metric_of_rows, run_metric},
    {"metric", "auc", open_metric_of_rows, run_metric},
    {"metric", "f1_score", open_metric_of_rows, run_metric},
    {"metric", "fbeta_score", open_metric_of_rows, run_metric},
    {"metric", "sensitivity_at_specificity(0.5)", open_metric_of_rows, run_metric},
    {"metric", "specificity_at_sensitivity(0.5)", open_metric_of_rows, run_metric},
    {"metric", "precision_at_recall(0.5)", open_metric_of_rows, run_metric},
    {"metric", "recall_at_precision(0.5)", open_metric_of_rows, run_metric},
    {"metric", "root_mean_squared_error", open_metric_of_rows, run_metric},
    {"metric", "cosine_similarity", open_metric_of_rows, run_metric},
    {"metric", "r2_score", open_metric_of_rows, run_metric},
    {"metric", "pearson_correlation", open_metric_of_rows, run_metric},
    {"metric", "concordance_correlation", open_metric_of_rows, run_metric},
    {"metric", "exact_accuracy", open_metric_of_rows, run_metric},
    {"metric", "mean", open_metric_of_rows, run_metric},
    {"metric", "sum", open_metric_of_rows, run_metric},
    {"metric", "iou(3, [0, 1])", open_metric_of_rows, run_metric},
    {"metric", "binary_iou", open_metric_of_rows, run_metric},
    {"metric", "mean_iou(3)", open_metric_of_rows, run_metric},
    {"metric", "one_hot_iou(3, [0, 1])", open_metric_of_rows, run_metric},
    {"metric", "one_hot_mean_iou(3)", open_metric_of_rows, run_metric},
    {"metric", "hinge", open_metric_of_rows, run_metric},
    {"rule", "sums", open_rule, run_rule},
    {"rule", "add_penalty", open_rule, run_rule},
    {"rule", "add", open_rule, run_rule},
    {"rule", "scale", open_rule, run_rule},
    {"rule", "clip", open_rule, run_rule},
    {"rule", "average", open_rule, run_rule},
    {"rule", "not_negative", open_rule, run_rule},
    {"rule", "hand", open_rule, run_rule},
    {"rule", "bound", open_bound, run_bound},
    {"rule", "bound across columns", open_bound, run_bound},
    {"gather", "u8 scaled", open_gather, run_gather},
    {"gather", "i32", open_gather, run_gather},
    {"gather", "i64 scaled", open_gather, run_gather},
    {"gather", "f32", open_gather, run_gather},
    {"gather", "f32 scaled", open_gather, run_gather},
    {"gather", "f64", open_gather, run_gather},
    {"tensor", "exp", open_map, run_map},
    {"tensor", "log", open_map, run_map},
    {"tensor", "tanh", open_map, run_map},
    {"tensor", "matmul", open_matmul, run_matmul},
    {"tensor", "matmul alone", open_matmul, run_matmul},
    {"tensor", "matmul by rows", open_matmul_rows, run_matmul_rows},
    {"tensor", "matmul by rows alone", open_matmul_rows, run_matmul_rows},
    {"tensor", "matmul by rows alone, three columns", open_matmul_rows, run_matmul_rows},
    {"tensor", "matmul by rows alone, with gaps", open_matmul_rows, run_matmul_rows},
};
enum { N_LISTED = sizeof listed / sizeof *listed };

/* The rest of the list comes from the tables themselves, so that a new line there cannot be forgotten here. */
int kernel_list_get(int i, kernel_entry *entry)
{
    static char texts[CN__ACTIVATION_COUNT][64];
    if (i < N_LISTED) return *entry = listed[i], 1;
    i -= N_LISTED;
    if (i < CN__ACTIVATION_COUNT) {
        const char *name = cn__activation_classes[i]->name;
        snprintf(texts[i], sizeof texts[i], "activation(%s)",
                 strcmp(name, "threshold") ? name : "\"threshold(0.1, 0.5)\"");
        return *entry = (kernel_entry){"layer", texts[i], open_row_layer, run_layer}, 1;
    }
    i -= CN__ACTIVATION_COUNT;
    if (i < CN__LOSS_COUNT) return *entry = (kernel_entry){"loss", cn__loss_classes[i]->name, open_loss, run_loss}, 1;
    i -= CN__LOSS_COUNT;
    static const char *const from_logits[] = {"categorical_crossentropy(from_logits=true)",
                                              "sparse_categorical_crossentropy(from_logits=true)",
                                              "binary_crossentropy(from_logits=true)"};
    if (i < 3) return *entry = (kernel_entry){"loss", from_logits[i], open_loss, run_loss}, 1;
    i -= 3;
    if (i < CN__OPTIMIZER_COUNT)
        return *entry = (kernel_entry){"update", cn__optimizer_classes[i]->snake, open_optimizer, run_update}, 1;
    i -= CN__OPTIMIZER_COUNT;
    static const char *const can_idle[] = {"rmsprop", "sgd", "rmsprop(centered=true)"};
    if (i < 3) return *entry = (kernel_entry){"idle", can_idle[i], open_idle, run_idle}, 1;
    return 0;
}

int kernel_job_open(kernel_job *job, const kernel_entry *entry, int64_t rows, int64_t columns, int threads)
{
    *job = (kernel_job){.entry = entry, .rows = rows, .columns = columns};
    snprintf(job->name, sizeof job->name, "%s %s", entry->family, entry->text);
    if (entry->open(job, threads) == 0) return 0;
    kernel_job_close(job);
    return -1;
}

void kernel_job_close(kernel_job *job)
{
    cn_layer_destroy(&job->layer);
    cn_optimizer_destroy(&job->optimizer);
    cn__loss_close(&job->loss);
    cn__metric_close(&job->metric);
}
