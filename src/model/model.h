/* What a model is made of, for the files of this folder. */
#ifndef CN_MODEL_MODEL_H
#define CN_MODEL_MODEL_H

#include "base/pool.h"
#include "model/data.h"
#include "model/engine.h"
#include "model/measure.h"
#include "train/history.h"
#include "train/scaled_loss.h"

#include <cornu/model.h>

/* One weight of the model: number `index` of layer `layer`. */
typedef struct cn__model_weight {
    int layer, index;
    int64_t offset; /* numbers from the beginning of the block of weights */
    char name[96];  /* "dense/kernel" */
} cn__model_weight;

/* The batch behind this one, gathered while the first kernel's gradient is made. */
typedef struct cn__ahead {
    cn__batch_memory memory; /* rows 0: there is none */
    cn__batch batch;
    cn__gathering gathering;
    cn__pool *team;        /* NULL: nothing has been gathered; otherwise the team that did, */
    const cn__data *data;  /* and what: */
    const uint32_t *picks;
    int64_t rows, iterations; /* of the model when it is used */
} cn__ahead;

/* Memory for batches of up to `rows` samples, carved from one arena:
 *
 *   | x | bytes | y of layer 0 | y of layer 1 | ... | workspaces | threads | shared | dy | dx | target | labels |
 *   | weights | loss | p | bf16 |
 */
typedef struct cn__plan {
    int64_t rows;
    int training;
    unsigned char *arena;
    size_t bytes; /* of the arena */
    void *x;
    cn__batch_memory batch; /* of bytes */
    cn__ahead ahead;
    cn__digits digits;      /* of the first kernel */
    int digits_are_made;    /* while evaluate or predict runs */
    cn__rare_exponents rare_exponents; /* while fit has the kernel in panels */
    void **outputs;    /* one per layer */
    void **workspaces; /* one per layer */
    void *thread_memory, *shared_memory; /* for the layer that works just now */
    void *gradients[2];/* dy and dx take turns */
    void **layer_gradients; /* one dy per layer, where blocks of rows go through all layers; or NULL */
    void *target;
    int32_t *labels;
    double *weights;
    void *row_loss;
    void *probabilities;
    cn__axes_room axes_room; /* where loss or metrics run over other axes than the last one */
    void *sequence_room;     /* of losses of sequences */
    int64_t sequence_labels; /* labels for each sequence of the batch */
    void *metric_row_loss, *metric_probabilities; /* room for the metrics */
    cn__bf16 *bf16;    /* one per layer, NULL unless the precision is mixed_bfloat16 */
    int64_t *copied;
    unsigned char *block_memory; /* cn__bf16.memory of each thread for a block of rows, block_bytes each */
    size_t block_bytes;
} cn__plan;

/* What a pass over rows adds up to. Checkpoints store it as it is, so it holds no pointers. */
typedef struct cn__sums {
    int64_t rows;
    double loss;  /* sum over rows */
    int testing;  /* which of the model's metric_states the metrics add to */
} cn__sums;

/* The logs of an epoch, with room for what callbacks add. */
#define CN__MOST_ADDED_LOGS 8
#define CN__MOST_LOGS (2 * (CN_MAX_METRICS + 1) + CN__MOST_ADDED_LOGS)
typedef struct cn__log_line {
    cn_logs logs;
    const char *names[CN__MOST_LOGS];
    double values[CN__MOST_LOGS];
    int n_added;
    char added[CN__MOST_ADDED_LOGS][48];
} cn__log_line;

/* Where a fit stands. */
typedef struct cn__running {
    const cn_fit_options *options;
    const cn__data *train;
    int64_t train_rows, validation_rows;
    int64_t steps;            /* batches of an epoch */
    int epoch;                /* what comes next is batch `step` of this epoch */
    int64_t step;
    cn__sums sums;            /* over its batches so far */
    int is_begun;             /* its on_epoch_begin was called, maybe before an interruption */
    int was_cut;              /* training was asked to stop by a batch of the last epoch */
    const cn__choice *choice; /* rows of the last batch */
    cn__log_line *line;       /* during on_epoch_end */
} cn__running;

/* Optimizer state: the optimizer's own slots, and what its options need. */
enum { CN__AVERAGE = CN__MAX_SLOTS, CN__ACCUMULATOR, CN__MAX_STATE };

/* Gradients stored before weights move, see step_gradients.c; all NULL where nothing needs them. */
typedef struct cn__gradients {
    void *block;      /* laid out like the weights */
    double *row_sums; /* squares of each row of a weight */
    int64_t *groups;  /* constraints: the norm that each row belongs to */
    double *norms;
    void *room;       /* of rules that move whole weights */
} cn__gradients;

/* What weights are moved by in one step. */
typedef struct cn__moves {
    cn__update update;
    cn__step step, decaying_step; /* the second for weights with weight decay */
    int64_t before;               /* moves before this one */
} cn__moves;

/* The first kernel and its slots in panels: column c of row r at c / width * panel + r * width + c % width. While it is
 * open, the block of weights and the slots are out of date there. */
typedef struct cn__panels {
    int is_open;
    int64_t width, panel;
    float *weight, *slots[CN__MAX_SLOTS];
} cn__panels;

#define CN__MOST_WARNINGS 8

struct cn_model {
    char *name;
    uint64_t seed;
    const char *precision;
    int threads;
    const cn__engine *engine;
    const char *isa_wish; /* who asked for this level (cn__isa_wish), NULL: nobody */
    cn__bf16_way bf16_way;
    cn__pool *pool;  /* made at first use */
    cn__pool *alone; /* a team of one, for batches too small to share; made with the other */
    cn__pool *team;  /* the one that works on the current batch */

    int status; /* the first failure of cn_add */
    char sentence[1024];

    int n_layers, capacity;
    cn_layer **layers; /* the Input, if there is one, is layer 0 */
    int is_built;

    int n_weights;
    cn__model_weight *weights;
    int64_t block_size; /* numbers */
    void *block;        /* all weights */
    void *slots[CN__MAX_STATE]; /* optimizer state, laid out like the weights; NULL where not needed */
    cn__gradients gradients;

    /* Rows of the first kernel whose updates wait (see cn__accounts); settled is NULL when none may. */
    cn__accounts accounts;
    int lazy_weight; /* number of that kernel */
    cn__panels *panels; /* of that kernel; NULL until fit first needs them */

    int is_compiled;
    cn_optimizer *optimizer;
    double learning_rate;
    int64_t iterations; /* updates done by this optimizer */
    cn__loss_scale loss_scale;
    int holds_averages; /* weights and averages have changed places (SwapEMAWeights) */
    cn__loss loss;
    cn__axes loss_axes, metric_axes[CN_MAX_METRICS];
    char *loss_text; /* as it was given to cn_compile */
    int from_logits; /* the loss reads the input of the last activation */
    int n_metrics;
    cn__metric metrics[CN_MAX_METRICS]; /* the weighted ones come last */
    char *metric_texts[CN_MAX_METRICS]; /* as they were given to cn_compile */
    int n_plain_metrics;                /* those that are not weighted */
    int64_t metric_places[CN_MAX_METRICS]; /* where the state of each begins */
    int64_t metric_state_size;
    double *metric_states[2];           /* of training, of testing; both in one block */
    int n_logs;
    const char *log_names[2 * (CN_MAX_METRICS + 1)]; /* sorted; the second half has "val_" in front */
    int log_sources[CN_MAX_METRICS + 1];             /* metric number, -1 for the loss */
    char *validation_names[CN_MAX_METRICS + 1];

    cn__plan plan;
    cn_history *history;
    int stop_training;
    int step_status; /* cn__step_status */
    char stop_reason[1024]; /* "": none was given */
    char *warnings[CN__MOST_WARNINGS]; /* of the last fit, up to the first NULL */
    cn__running *running; /* NULL outside of fit */
};

/* --- build.c: layers and weights --- */
int cn__model_build(cn_model *model, int ndim, const int64_t *shape);
/* First real layer (behind the Input), NULL when there is none. */
const cn_layer *cn__model_first(const cn_model *model);
const cn_layer *cn__model_last(const cn_model *model);
/* Fails unless built. */
int cn__model_need_built(const cn_model *model);
int cn__model_need_compiled(const cn_model *model);
/* Makes the thread pools if they are not there yet. */
int cn__model_start_threads(cn_model *model);
/* Multiply-adds of one forward pass; waking a sleeping thread takes longer than CN__WORTH_A_TEAM of them. */
double cn__model_work(const cn_model *model, int64_t rows);
#define CN__WORTH_A_TEAM 1500000
/* Moving a weight in training takes as long as this many multiply-adds. */
#define CN__ROWS_OF_AN_UPDATE 8
/* Chooses the team for a batch of that many rows. */
void cn__model_choose_team(cn_model *model, int64_t rows);
/* Rows of the last axis in one sample's output: the loss measures each. */
int64_t cn__model_rows_per_sample(const cn_model *model);
/* Labels for each sample where the loss takes labels; of sequences at most. */
int64_t cn__model_labels_per_sample(const cn_model *model);
/* "crossentropy" looks at the targets and becomes one of three; before targets are read. Error: CN_EINVAL,
 * CN_ENOMEM. */
int cn__model_choose_loss(cn_model *model, const cn_tensor *y);
/* 1 if the loss is measured from logits: those before the last activation, or the model's own output. */
int cn__model_reads_logits(const cn_model *model);
/* 1 if a metric is a loss measured from logits. */
int cn__model_metrics_read_logits(const cn_model *model);
/* 1 if loss or metrics depend on how the rows are cut into batches. */
int cn__model_needs_batches(const cn_model *model);
void *cn__model_weight_at(const cn_model *model, void *block, int weight);
const cn__weight *cn__model_weight_of(const cn_model *model, int weight);

/* --- weights.c: `block` is model->block or one of model->slots --- */
cn_tensor *cn__model_copy_weight(const cn_model *model, int i, void *block);
/* The shapes must agree. */
void cn__model_store_weight(cn_model *model, int i, void *block, const cn_tensor *values);

/* All weights as one piece of memory of cn__model_block_bytes, laid out as in this process. */
size_t cn__model_block_bytes(const cn_model *model);
void cn__model_copy_block(const cn_model *model, void *to);
void cn__model_restore_block(cn_model *model, const void *from);

/* --- compile.c --- */
/* Gives back all that compiling has made. */
void cn__model_forget_compile(cn_model *model);
/* What an optimizer keeps for each weight: names ("velocity", "average"), NULL where there is nothing, and the numbers
 * it starts from. */
void cn__optimizer_state(const cn_optimizer *optimizer, const char *names[CN__MAX_STATE], double start[CN__MAX_STATE]);
/* The names for the model's optimizer. */
void cn__state_names(const cn_model *model, const char *names[CN__MAX_STATE]);
/* The part of compiling that needs shapes; runs again when they become known only with the data. */
int cn__model_finish_compile(cn_model *model);

/* --- warnings.c --- */
void cn__warnings_clear(cn_model *model);

/* --- lazy.c --- */
/* Whether the updates of rows of the first kernel may wait, and if not, why. */
typedef enum cn__lazy {
    CN__LAZY,
    CN__LAZY_UNBUILT,
    CN__LAZY_NO_KERNEL,
    CN__LAZY_OPTIMIZER,
    CN__LAZY_STORED,
    CN__LAZY_FROZEN
} cn__lazy;
cn__lazy cn__lazy_judge(const cn_model *model);
/* Opens accounts for the first kernel if the optimizer lets rows wait. Error: CN_ENOMEM. */
int cn__lazy_open(cn_model *model);
void cn__lazy_close(cn_model *model);
/* Makes up for all updates that wait; before anybody looks at the optimizer's state. */
void cn__lazy_settle(const cn_model *model);
/* Notes that every row has been through all updates, after a step that touched them all. */
void cn__lazy_mark(cn_model *model);

/* --- update.c: how gradients move weights --- */
/* 1 if weight number `weight` takes part in training. */
int cn__model_trains(const cn_model *model, int weight);
/* Learning rate and coefficients of the step that comes next. */
void cn__moves_begin(cn_model *model, cn__moves *moves);
/* Where the gradient of a weight goes that moves at once; nowhere if it does not train. panels: where the first kernel
 * stands, NULL: in rows. */
cn__sink cn__moves_sink(const cn_model *model, const cn__moves *moves, int weight, const cn__panels *panels);

/* --- step_gradients.c: gradients that are stored before weights move --- */
int cn__gradients_are_stored(const cn_model *model);
/* What gradients whose norm over all of them is `norm` are multiplied by. */
double cn__global_factor(double limit, double norm);
/* Makes room, if gradients are stored. Error: CN_ENOMEM. */
int cn__gradients_open(cn_model *model);
void cn__gradients_close(cn_model *model);
/* Moves the weights by the stored gradients; 0 if they are left out, since not all are finite. */
int cn__gradients_apply(cn_model *model, const cn__moves *moves);
/* Weights become their averages, where that is due at the end of fit. */
void cn__gradients_finish(cn_model *model);
/* Weights and their averages change places; nothing happens before the first step. */
void cn__gradients_swap(cn_model *model);

/* --- penalty.c: regularizers --- */
/* 1 if the output of a layer has a penalty. */
int cn__penalizes_output(const cn_model *model, int layer);
/* What weights and, for the batch of `rows` rows in the plan, outputs of layers add to the mean loss. */
double cn__penalties(const cn_model *model, int64_t rows);
/* Adds the gradient of the penalty of a layer's output to dy. */
void cn__penalty_of_output(const cn_model *model, int layer, int64_t rows, void *dy);

/* --- panels.c --- */
/* 1 if the first kernel is wide enough for panels and its rows may wait. */
int cn__panels_serve(const cn_model *model);
/* Moves the first kernel and its slots into panels, where that serves; otherwise does nothing. Error: CN_ENOMEM. */
int cn__panels_open(cn_model *model, int as_tiles);
/* Their columns, for batches of tiles and for those of lists. */
int64_t cn__panels_width(const cn_model *model, int as_tiles);
/* Moves them back. cn__model_weight_at does it too, so nobody sees a weight that is out of date. */
void cn__panels_close(const cn_model *model);
void cn__panels_destroy(cn_model *model);

/* --- plan.c --- */
int cn__plan_prepare(cn_model *model, int64_t rows, int training);
/* Lasting copies of the kernels in tiles are out of date (kernels/bf16.h). */
void cn__plan_forget_copies(cn__plan *plan, int layers);
void cn__plan_destroy(cn__plan *plan);

/* --- step.c --- */
/* CN_OK, or what a layer's callback returned since the last call; the sentence is that of this thread. */
int cn__step_status(cn_model *model);
/* 1 if a batch of so many rows of that data is read as bytes, in lists or tiles; the plan must be prepared. */
int cn__step_reads_bytes(const cn_model *model, const cn__data *data, int64_t rows);
int cn__step_reads_panels(const cn_model *model, const cn__data *data, int64_t rows); /* while fit runs */
/* 1 if a step with or without lists leaves rows of the first kernel alone whose inputs are all zero. */
int cn__step_lets_rows_wait(const cn_model *model, int lists);
/* Reads rows into the plan and runs them through all layers; returns what the last one gave. */
const void *cn__forward(cn_model *model, const cn__data *data, const cn__choice *choice, int training);
/* Adds loss and metrics of a batch to sums and, when training, moves the weights. The plan must be prepared. */
void cn__test_batch(cn_model *model, const cn__data *data, const cn__choice *choice, cn__sums *sums);
void cn__train_batch(cn_model *model, const cn__data *data, const cn__choice *choice, cn__sums *sums);

/* Reads the targets of `rows` rows of the choice, from `row` on, to their places in the plan. */
void cn__step_read_targets(cn_model *model, cn__pool *pool, const cn__data *data, const cn__choice *choice, int64_t row,
                           int64_t rows);

/* --- digits.c --- */
/* Makes the digits of the first kernel if batches of the data are tiles and there is room. The plan must be prepared;
 * until cn__digits_forget nobody may change weights. */
void cn__digits_make(cn_model *model, const cn__data *data);
void cn__digits_forget(cn_model *model);

/* --- parts.c --- */
/* Predictions for all rows, where nobody watches, inputs are tiles and all layers can take a few rows at a time; to be
 * asked after cn__codes_judge, and cn__codes_find need not have been called. 1: done. 0: this is not the way for these
 * data.
 * Error: CN_ENOMEM. */
int cn__parts_predict(cn_model *model, cn__data *data, void *out);

/* --- measure.c --- */
/* Adds loss and metrics of a batch, whose targets are in the plan, to sums. weights: one for each row of the output's
 * last axis, NULL: all 1. gradient: of the batch's loss with respect to the output, NULL: not wanted. */
void cn__measure(cn_model *model, const void *output, int64_t rows, const double *weights, void *gradient,
                 cn__sums *sums, cn__around *around);

/* One layer's part in a step, all rows, without inputs, gradients and weights. */
cn__pass cn__step_pass(cn_model *model, int layer, int64_t rows, int training);
/* Sets the pass's weights, of which `first` is the number of the first one in the model. */
void cn__step_point(const cn_model *model, int first, cn__pass *pass, void *pointers[]);

/* --- blocks.c --- */
/* The first layer that works, if all from there on can be split into blocks of rows; -1 otherwise. */
int cn__blocks_first(const cn_model *model);
/* Rows of a block. */
int64_t cn__blocks_rows(const cn_model *model);
#define CN__MOST_NUMBERS_BEHIND (1 << 17) /* of the weights behind the first layer: each block reads them all */
/* 1 if a training step of so many rows goes block by block. */
int cn__blocks_serve(const cn_model *model, int64_t rows);
/* Before the forward pass of such a step. */
void cn__blocks_begin(cn_model *model);
/* After the forward pass of the first layer: targets, all others, the loss, and back, up to layer_gradients; weights do
 * not move. */
void cn__blocks_run(cn_model *model, const cn__data *data, const cn__choice *choice, const double *weights,
                    cn__sums *sums);

/* --- hidden.c --- */
/* From here to the end of a training step in blocks that reads bytes, the first layer's outputs and their gradients
 * stand in tiles of bfloat16 (kernels/amx_hidden.h), where these serve. */
void cn__hidden_begin(cn_model *model, int64_t rows);
void cn__hidden_end(cn_model *model);
int cn__hidden_in_tiles(const cn_model *model);

/* --- ahead.c --- */
/* Lets the next loop of the team gather the batch behind this one besides, if it is known; cn__parallel_rest must
 * follow. */
void cn__ahead_begin(cn_model *model, const cn__data *data, const cn__choice *choice);
/* 1: this batch has been gathered already. */
int cn__ahead_take(cn_model *model, const cn__data *data, const cn__choice *choice, cn__batch *batch);
/* When picks are about to change. */
void cn__ahead_forget(cn_model *model);

/* Sums of nothing, the state of the metrics cleared: `testing` 0 for training, 1 for everything else. */
cn__sums cn__sums_begin(cn_model *model, int testing);

/* --- evaluate.c --- */
/* Rows do not depend on each other in evaluate and predict (but for the last bits of exact sums of inputs that are
 * nearly all blank: kernels/exact.h), so without anybody watching, batches are as large as suits the machine. */
#define CN__QUIET_BATCH 512
/* Loss and metrics over the chosen rows. */
void cn__evaluate_rows(cn_model *model, const cn__data *data, const cn__choice *rows, int64_t batch_size,
                       cn__sums *sums);
/* What sums over rows come to. */
void cn__result_fill(const cn_model *model, const cn__sums *sums, cn_result *result);

/* --- logs.c --- */
/* Values in the order of log_names from sums over rows; `values` has n_logs entries. */
void cn__logs_fill(const cn_model *model, const cn__sums *sums, double *values);
/* The line of an epoch; `validation` may be NULL. */
void cn__log_line_fill(const cn_model *model, const cn__sums *train, const cn__sums *validation, cn__log_line *line);

#endif
