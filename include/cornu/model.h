/* Sequential models: add, compile, fit, evaluate, predict, save, with Keras's names, defaults and numbers.
 *
 * Threads. Two models may be used from two threads at the same time; one model must not be used by two threads at
 * once, not even for prediction: each call works in the model's own memory. Nothing depends on a global.
 * Errors. Each function that returns int returns 0 or a negative cn_status; the sentence is in cn_error_message(). */
#ifndef CORNU_MODEL_H
#define CORNU_MODEL_H

#include <cornu/callback.h>
#include <cornu/error.h>
#include <cornu/layer.h>
#include <cornu/loss.h>
#include <cornu/metric.h>
#include <cornu/optimizer.h>
#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CN_MAX_METRICS 16 /* metrics and weighted_metrics together */

/* --- building ----------------------------------------------------------------------------------------------------- */

typedef struct cn_sequential_options {
    const char *name;      /* of the model */
    uint64_t seed;         /* of initial weights, shuffling and everything else that is random */
    const char *precision; /* "float32", "mixed_bfloat16" or "float64" (slow: for checking) */
    int threads;           /* 0: as many as the affinity mask and the cgroup quota allow; more are not used, unless
                            * the environment variable CORNU_THREADS_BEYOND_CPUS is set, as tests do */
    const char *isa;       /* NULL: the best this machine has; else "c", "avx2", "avx512", "neon" */
} cn_sequential_options;
#define CN_SEQUENTIAL_DEFAULTS .name = "sequential", .precision = "float32"

/* An empty model. You destroy it. NULL on CN_ENAME (precision, isa), CN_ENOTSUP (isa not on this machine), CN_ENOMEM.
 * The environment variable CORNU_ISA lowers the default isa. */
CN_API cn_model *cn_sequential_create(const cn_sequential_options *options);
#define cn_sequential(...) cn_sequential_create(&(const cn_sequential_options){CN_SEQUENTIAL_DEFAULTS, __VA_ARGS__})

/* Destroys *model with its layers. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_model_destroy(cn_model **model);

/* Appends a layer, which the model takes over even when this fails. Weights are made as soon as the input shape is
 * known. The first failure is remembered: later adds do nothing and cn_compile reports it, so the result may be
 * ignored. Errors: what the layer's constructor said (NULL layer), CN_ESHAPE, CN_EINVAL (a name given twice). */
CN_API int cn_add(cn_model *model, cn_layer *layer);

/* Stands for "no optimizer is given, see its name". NULL is what a constructor returns that failed; cn_compile passes
 * that failure on. */
CN_API extern cn_optimizer *const cn_optimizer_by_name;

typedef struct cn_compile_options {
    cn_optimizer *optimizer;             /* taken over, also on failure */
    const char *optimizer_name;          /* as text, e.g. "sgd(momentum=0.9)"; looked at when none is given above */
    const char *loss;                    /* as text, e.g. "categorical_crossentropy(label_smoothing=0.1)": see loss.h */
    const char *metrics[CN_MAX_METRICS]; /* as text, up to the first NULL: "accuracy", "auc(curve=PR)": see metric.h */
    const char *weighted_metrics[CN_MAX_METRICS]; /* the same, with sample_weight or class_weight in their sums */
} cn_compile_options;
#define CN_COMPILE_DEFAULTS .optimizer = cn_optimizer_by_name, .optimizer_name = "rmsprop"

/* Chooses optimizer, loss and metrics. Compiling again gives a new optimizer with fresh state and keeps the weights.
 * "accuracy" becomes binary, categorical or sparse categorical accuracy from the shapes, as in Keras.
 * A softmax before a categorical cross-entropy goes through its logits: loss = logsumexp(z) - z_t, gradient p - t; so
 * does a sigmoid before binary_crossentropy. This is what Keras does on TensorFlow.
 * Errors: whatever cn_add remembered, CN_ENAME (with the nearest known name), CN_EINVAL. */
CN_API int cn_model_compile(cn_model *model, const cn_compile_options *options);
#define cn_compile(model, ...) cn_model_compile(model, &(const cn_compile_options){CN_COMPILE_DEFAULTS, __VA_ARGS__})

/* --- training ----------------------------------------------------------------------------------------------------- */

typedef struct cn_fit_options {
    int64_t batch_size;         /* 0, with steps_per_epoch: the rows divided by that, rounded up */
    int epochs;                 /* the number of the last epoch, not a count: see initial_epoch */
    int initial_epoch;          /* epochs run from initial_epoch to epochs - 1 */
    int64_t steps_per_epoch;    /* batches of an epoch; 0: all. An epoch goes on in the data where the one before it
                                 * stopped. Where fewer are left it ends early, with a warning, and the next begins
                                 * anew */
    int shuffle;                /* 1: a fresh permutation of the rows each epoch, from the model's seed and the epoch;
                                 * with steps_per_epoch each time the data begins anew */
    double validation_split;    /* this last part of the rows, before shuffling, is for validation. If it is sorted by
                                 * class, cn_model_warning says so */
    int validation_stratified;  /* 1: not the last part, but the same share of each class, drawn from the model's seed:
                                 * cn_split_stratified */
    int validation_freq;        /* validate after every so many epochs only; in others History holds NaN */
    int64_t validation_batch_size; /* 0: batch_size; if that is 0, the rows divided by validation_steps, rounded up */
    int64_t validation_steps;   /* only so many batches, from the first row on; 0: all */
    const cn_tensor *validation_x, *validation_y; /* used instead of validation_split when given */
    const cn_tensor *sample_weight; /* (n,): what the loss of each sample counts; NULL: 1. Those that validation_split
                                     * takes weigh in validation */
    const cn_tensor *class_weight;  /* (classes,): what samples of class 0, 1, ... count in training; classes behind its
                                     * end count 1. Not together with sample_weight */
    const cn_tensor *validation_sample_weight; /* for validation_x */
    int verbose;                /* 0 nothing, 1 a live bar, 2 one line an epoch */
    FILE *output;               /* where verbose writes; NULL: stdout. On what is no terminal, 1 acts as 2 */
    const cn_callback *callbacks[CN_MAX_CALLBACKS]; /* up to the first NULL; borrowed, but see cn_callback.destroy */
} cn_fit_options;
#define CN_FIT_DEFAULTS .batch_size = 32, .epochs = 1, .shuffle = 1, .validation_freq = 1

/* Trains. x: (n, input shape...), any dtype, scale applied; an axis of 1 too many or missing at the end is accepted.
 * y: (n, units) one-hot or values; for sparse losses (n,) or (n, 1) integer labels.
 * The last batch of an epoch may be short and is used. The loss of an epoch is the mean over its samples while the
 * weights were changing. Written on cn_train_step. Results: cn_model_history.
 * Weights multiply the losses of their samples; the mean is still over the number of samples (the loss's argument
 * reduction=mean_with_sample_weight divides by the sum of the weights instead). The class of a one-hot row is the place
 * of its largest number, that of a single number the number rounded. Only weighted_metrics are weighted, too.
 * Unlike Keras it prints only when asked to (verbose 1 or 2).
 * Errors: CN_ESTATE (not compiled), CN_ESHAPE, CN_EINVAL (batch_size < 1 without steps_per_epoch, label out of range,
 * empty data, a split that leaves nothing), CN_ENOMEM, and what a callback returned. After an error the weights are
 * those of the last step. */
CN_API int cn_model_fit(cn_model *model, const cn_tensor *x, const cn_tensor *y, const cn_fit_options *options);
#define cn_fit(model, x, ...) CN_FIT_(model, x, __VA_ARGS__, )
#define CN_FIT_(model, x, y, ...) cn_model_fit(model, x, y, &(const cn_fit_options){CN_FIT_DEFAULTS, __VA_ARGS__})

/* The rows that train and those that validate when each class gives the same share to validation: two int64 tensors of
 * row numbers, ascending; you destroy them. labels: (n,) or (n, 1) class numbers, or (n, classes)
 * rows whose largest entry is the class. The counts add up to Keras's, n - floor(n (1 - validation_split)): each class
 * gets its part rounded down, and the largest remainders are rounded up. Which rows of a class validate depends on the
 * seed alone.
 * Errors: CN_EINVAL (validation_split not between 0 and 1, nothing left on one side, a label that is no class),
 * CN_ESHAPE, CN_ENOMEM. */
CN_API int cn_split_stratified(const cn_tensor *labels, double validation_split, uint64_t seed, cn_tensor **train,
                               cn_tensor **validation);

/* What the last fit recorded; NULL before the first. Borrowed: valid until the next fit. */
CN_API const cn_history *cn_model_history(const cn_model *model);

/* What a pass over samples measured. */
typedef struct cn_result {
    int64_t samples;
    double loss;
    double accuracy;                      /* NaN when no accuracy was among the metrics */
    double accuracy_standard_error;       /* sqrt(a (1-a) / samples) */
    int n_metrics;
    const char *names[CN_MAX_METRICS];    /* borrowed from the model until it is compiled again */
    double values[CN_MAX_METRICS];        /* in the order of cn_compile, weighted_metrics behind metrics */
} cn_result;

typedef struct cn_step_options {
    const cn_tensor *sample_weight; /* as in fit, for the rows of this batch */
    const cn_tensor *class_weight;
    cn_result *result;              /* where loss and metrics of this batch go, before the update; NULL: nowhere */
} cn_step_options;

/* One gradient step on one batch (all rows of x and y). *loss (may be NULL) is the batch's loss before the update:
 *
 *     cn_train_step(model, x, y, &loss);
 *     cn_train_step(model, x, y, &loss, .class_weight = weights, .result = &result);
 *
 * Rows of uint8 give the bits that fit gives; float32 rows are taken as they are, where fit would look whether they are
 * bytes, so their sums may differ in last bits (docs/determinism.md).
 * After the first call with a batch size nothing is allocated. Errors as in cn_model_fit. Source: keras
 * Model.train_on_batch, whose metrics however go on from call to call; these are the batch's alone. */
CN_API int cn_model_train_step(cn_model *model, const cn_tensor *x, const cn_tensor *y, double *loss,
                               const cn_step_options *options);
#define cn_train_step(model, x, y, ...) CN_TRAIN_STEP_(model, x, y, __VA_ARGS__, )
#define CN_TRAIN_STEP_(model, x, y, loss, ...)                                                                      \
    cn_model_train_step(model, x, y, loss, &(const cn_step_options){.sample_weight = NULL, __VA_ARGS__})

/* With use_ema, the weights become their averages, as fit does it at its end: what a loop of cn_train_step calls when
 * it is done. Otherwise, and before the first step, nothing happens. Errors: CN_ESTATE (not compiled, not built),
 * CN_EINVAL (NULL).
 * Source: keras Optimizer.finalize_variable_values. */
CN_API int cn_model_finalize_weights(cn_model *model);

/* Loss and metrics of one batch, weights of the model unchanged. result and sample_weight (as in fit) may be NULL.
 * After the first call with a batch size nothing is allocated. Errors as in cn_model_fit. Source: keras
 * Model.test_on_batch. (Its predict_on_batch is cn_predict_into, or cn_predict for a tensor.) */
CN_API int cn_test_step(cn_model *model, const cn_tensor *x, const cn_tensor *y, cn_result *result,
                        const cn_tensor *sample_weight);

/* The learning rate that the next step uses; NaN before compile. Source: keras Optimizer.learning_rate. */
CN_API double cn_model_get_learning_rate(const cn_model *model);

/* Changes the learning rate from the next step on, also from within a callback; a saved model keeps it.
 * Errors: CN_ESTATE (not compiled, or the optimizer follows a schedule), CN_EINVAL (negative or not a number). */
CN_API int cn_model_set_learning_rate(cn_model *model, double learning_rate);

/* Steps since compile; 0 before. Source: keras Optimizer.iterations. */
CN_API int64_t cn_model_iterations(const cn_model *model);

/* --- measuring and using ------------------------------------------------------------------------------------------ */

typedef struct cn_evaluate_options {
    int64_t batch_size;
    const cn_tensor *sample_weight; /* as in fit; predict does not look at it */
    int verbose;   /* as in fit */
    FILE *output;
    const cn_callback *callbacks[CN_MAX_CALLBACKS];
} cn_evaluate_options;
#define CN_EVALUATE_DEFAULTS .batch_size = 32

/* Loss and metrics on data, weights unchanged. Errors as in cn_model_fit. */
CN_API int cn_model_evaluate(cn_model *model, const cn_tensor *x, const cn_tensor *y, cn_result *result,
                             const cn_evaluate_options *options);
#define cn_evaluate(model, x, y, ...) CN_EVALUATE_(model, x, y, __VA_ARGS__, )
#define CN_EVALUATE_(model, x, y, result, ...)                                                                      \
    cn_model_evaluate(model, x, y, result, &(const cn_evaluate_options){CN_EVALUATE_DEFAULTS, __VA_ARGS__})

/* Outputs for all rows of x: float32 (float64 in that precision), (n, output shape...). You destroy the tensor.
 * Works without compile. NULL on CN_ESHAPE, CN_ENOMEM, CN_ESTATE (no input shape known). */
CN_API cn_tensor *cn_model_predict(cn_model *model, const cn_tensor *x, const cn_evaluate_options *options);
#define cn_predict(model, ...) CN_PREDICT_(model, __VA_ARGS__, )
#define CN_PREDICT_(model, x, ...)                                                                                  \
    cn_model_predict(model, x, &(const cn_evaluate_options){CN_EVALUATE_DEFAULTS, __VA_ARGS__})

/* The most likely class of every row, int64 (n,): argmax over the last axis, or output > 0.5 when there is one unit. */
CN_API cn_tensor *cn_predict_classes(cn_model *model, const cn_tensor *x);

/* The quick way for few samples: n samples of float32, row-major, in; n outputs, float32, out. Allocates nothing after
 * the first call with this n or a larger one. Errors: CN_EINVAL (n negative, a pointer NULL), CN_ESTATE (no input shape
 * known), CN_ENOMEM. */
CN_API int cn_predict_into(cn_model *model, int64_t n, const float *x, float *outputs);

/* --- weights ------------------------------------------------------------------------------------------------------ */

CN_API int cn_model_n_weights(const cn_model *model);                    /* 4 for Dense + Dense; 0 while unbuilt */
CN_API const char *cn_model_weight_name(const cn_model *model, int i);   /* "dense/kernel"; borrowed */
CN_API cn_tensor *cn_model_get_weight(const cn_model *model, int i);     /* a copy; you destroy it */
/* Copies values into weight i; shapes must agree (CN_ESHAPE names the layer). */
CN_API int cn_model_set_weight(cn_model *model, int i, const cn_tensor *values);

/* Freezes (0) or unfreezes (1) the weights of the layer of that name, NULL: of all layers; from the next step on,
 * without compiling again. A frozen layer gets no gradient and adds no penalty of its weights to the loss, and nothing
 * is computed for layers below the lowest one that trains. Saved with the model. Source: keras Layer.trainable (which
 * asks for compile again). Errors: CN_EINVAL, CN_ENAME (no such layer), CN_ENOMEM. */
CN_API int cn_model_set_trainable(cn_model *model, const char *layer, int trainable);

/* SHA-256 of all weights in order, little-endian float32, as 64 hex digits and a 0. */
CN_API int cn_model_weights_sha256(const cn_model *model, char digest[65]);

/* --- description -------------------------------------------------------------------------------------------------- */

CN_API const char *cn_model_name(const cn_model *model);
CN_API int cn_model_n_layers(const cn_model *model);                         /* without the Input */
CN_API const char *cn_model_layer_name(const cn_model *model, int i);        /* "dense_1" */
CN_API const char *cn_model_layer_class(const cn_model *model, int i);       /* "Dense" */
CN_API int64_t cn_model_count_params(const cn_model *model);
CN_API int64_t cn_model_count_trainable_params(const cn_model *model);         /* without frozen layers */
CN_API const char *cn_model_loss(const cn_model *model);                     /* as given to compile; NULL before */
CN_API const char *cn_model_optimizer_name(const cn_model *model);           /* "rmsprop"; NULL before compile */
CN_API int cn_model_threads(const cn_model *model);                          /* threads that it uses */
CN_API const char *cn_model_isa(const cn_model *model);                      /* kernels that it uses */
CN_API const char *cn_model_precision(const cn_model *model);
CN_API uint64_t cn_model_seed(const cn_model *model);
/* Shape of one sample going in or coming out; *ndim is set; borrowed; NULL while unbuilt. */
CN_API const int64_t *cn_model_input_shape(const cn_model *model, int *ndim);
CN_API const int64_t *cn_model_output_shape(const cn_model *model, int *ndim);

/* Keras 3's summary() table, for a terminal of that many columns (0: 80). Release with cn_string_free. */
CN_API char *cn_model_summary(const cn_model *model, int columns);

/* What a training step with batches of that size (0: 32) would do, and why, as lines of text: kernels, threads, caches,
 * memory, and for each layer how its products are computed. x: the data it would train on, shaped as for cn_fit, whose
 * share of zeros decides; NULL: data without zeros. The functions that decide in a step decide here too. Makes room for
 * the batch as a first step would. Release with cn_string_free. NULL on CN_ESTATE (unbuilt or not compiled),
 * CN_EINVAL (batch_size below 0), CN_ESHAPE, CN_ENOMEM. */
CN_API char *cn_model_plan(cn_model *model, const cn_tensor *x, int64_t batch_size);

/* --- files: safetensors ------------------------------------------------------------------------------------------- */

typedef struct cn_save_options {
    int include_optimizer; /* 1: also the optimizer's state, so that training can go on */
} cn_save_options;

/* Writes weights and Keras-style configuration (as JSON text in the metadata) to a safetensors file: first to
 * `path`.tmp-<pid>, then renamed, so a failure leaves an older file untouched. Errors: CN_EIO, CN_ENOTSUP (built
 * without jansson), CN_ESTATE (unbuilt). */
CN_API int cn_model_save_with(const cn_model *model, const char *path, const cn_save_options *options);
#define cn_model_save(model, ...) CN_MODEL_SAVE_(model, __VA_ARGS__, )
#define CN_MODEL_SAVE_(model, path, ...)                                                                            \
    cn_model_save_with(model, path, &(const cn_save_options){.include_optimizer = 0, __VA_ARGS__})

/* Reads what cn_model_save wrote: layers, weights and, if saved, compile options and optimizer state. `options` give
 * threads, isa and precision of the new model (its name and seed come from the file). You destroy the model.
 * Every length and offset is checked; nothing in a file is ever executed. NULL on CN_ENOTFOUND, CN_EFORMAT, CN_ENAME
 * (a layer this build does not know), CN_ENOMEM. */
CN_API cn_model *cn_model_load_with(const char *path, const cn_sequential_options *options);
#define cn_model_load(...) CN_MODEL_LOAD_(__VA_ARGS__, )
#define CN_MODEL_LOAD_(path, ...)                                                                                   \
    cn_model_load_with(path, &(const cn_sequential_options){CN_SEQUENTIAL_DEFAULTS, __VA_ARGS__})

/* Reads the weights of a file of cn_model_save into a model that is there, which has all of them under the same names
 * and with the same shapes ("dense/kernel": cn_model_weight_name); other safetensors files with such arrays will do,
 * and what else they hold is passed over. This is how a model with a layer of your own (tape_layer.h) is loaded: build
 * it, then read its weights. If the file has the optimizer's state and the model is compiled with the same optimizer,
 * loss and metrics, that is read too, and training goes on where it was; otherwise the optimizer stays as it is. On
 * failure, other than for lack of memory, nothing has changed. Errors: CN_ESTATE (unbuilt), CN_ENOTFOUND, CN_ENAME (a
 * weight that the file has not), CN_EFORMAT (damaged, or a weight of another shape), CN_ENOMEM. Source: keras
 * Model.load_weights. */
CN_API int cn_model_load_weights(cn_model *model, const char *path);

#ifdef __cplusplus
}
#endif
#endif
