/* Layers: what cn_add stacks into a model. Names, arguments, defaults and formulas are Keras 3's.
 *
 * Every constructor returns a layer that the model takes over in cn_add, or NULL with an error message; cn_add accepts
 * NULL and remembers the failure, so calls can be nested and cn_compile reports what went wrong.
 * The same layers can be written as text (cn_layer_from_text): "dense(512, activation=relu)".
 *
 * Shapes are given per sample, without the batch axis. Options left out have the defaults listed in CN_..._DEFAULTS. */
#ifndef CORNU_LAYER_H
#define CORNU_LAYER_H

#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cn_layer cn_layer;

/* Names of activations: "linear" (or NULL), "relu", "sigmoid", "tanh", "softmax"; cn_names(CN_NAMES_ACTIVATION) lists
 * all. Names of initializers: "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
 * "lecun_normal", "random_uniform" ("uniform"), "random_normal" ("normal"), "truncated_normal", "zeros", "ones",
 * "constant", "identity", "orthogonal"; arguments in brackets: "random_normal(mean=0, stddev=0.1)". */

/* --- Input: the shape of one sample ------------------------------------------------------------------------------ */
typedef struct cn_input_options {
    int64_t shape[CN_MAX_NDIM]; /* up to the first 0 */
    const char *name;           /* NULL: "input_layer" */
} cn_input_options;
CN_API cn_layer *cn_input_create(const cn_input_options *options);
/* cn_input(784), cn_input(28, 28) */
#define cn_input(...) cn_input_create(&(const cn_input_options){.shape = {__VA_ARGS__}})

/* --- Dense: y = activation(x . kernel + bias) on the last axis ------------------------------------------------------
 * x (..., I)  kernel (I, units)  bias (units)  y (..., units).  Source: keras.layers.Dense. */
typedef struct cn_dense_options {
    int64_t units;                     /* > 0 */
    const char *activation;            /* NULL: linear */
    int use_bias;
    const char *kernel_initializer;
    const char *bias_initializer;
    int64_t input_shape[CN_MAX_NDIM];  /* only on the first layer, instead of cn_input; up to the first 0 */
    const char *name;                  /* NULL: "dense", "dense_1", ... */
} cn_dense_options;
#define CN_DENSE_DEFAULTS .use_bias = 1, .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros"
CN_API cn_layer *cn_dense_create(const cn_dense_options *options);
#define cn_dense(...) cn_dense_create(&(const cn_dense_options){CN_DENSE_DEFAULTS, .units = __VA_ARGS__})

/* --- Activation: y = activation(x), same shape. Source: keras.layers.Activation. --------------------------------- */
typedef struct cn_activation_options {
    const char *activation;
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_activation_options;
CN_API cn_layer *cn_activation_create(const cn_activation_options *options);
#define cn_activation(...) cn_activation_create(&(const cn_activation_options){.activation = __VA_ARGS__})

/* --- Flatten: (a, b, ...) -> (a*b*...), row-major. Source: keras.layers.Flatten. --------------------------------- */
typedef struct cn_flatten_options {
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_flatten_options;
CN_API cn_layer *cn_flatten_create(const cn_flatten_options *options);
#define cn_flatten(...) cn_flatten_create(&(const cn_flatten_options){.name = NULL, __VA_ARGS__})

/* --- Rescaling: y = x * scale + offset. Source: keras.layers.Rescaling. ------------------------------------------ */
typedef struct cn_rescaling_options {
    double scale, offset;
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_rescaling_options;
CN_API cn_layer *cn_rescaling_create(const cn_rescaling_options *options);
#define cn_rescaling(...) cn_rescaling_create(&(const cn_rescaling_options){.scale = __VA_ARGS__})

/* --- by name ------------------------------------------------------------------------------------------------------- */

/* A layer from text: its name in snake case or as Keras's class name, and arguments in brackets, positional ones
 * first: "dense(512, activation=relu)", "Flatten", "rescaling(0.00392156862745098, offset=0)". A shape is written
 * 28x28. Errors: CN_ENAME (with the nearest known name), CN_EINVAL. */
CN_API cn_layer *cn_layer_from_text(const char *text);

/* Destroys a layer that no model has taken. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_layer_destroy(cn_layer **layer);

/* --- what there is ------------------------------------------------------------------------------------------------- */

typedef enum cn_names_kind {
    CN_NAMES_LAYER,
    CN_NAMES_ACTIVATION,
    CN_NAMES_INITIALIZER,
    CN_NAMES_OPTIMIZER,
    CN_NAMES_LOSS,
    CN_NAMES_METRIC
} cn_names_kind;

/* The i-th known name of a kind, NULL past the end. Static storage. */
CN_API const char *cn_names(cn_names_kind kind, int i);

#ifdef __cplusplus
}
#endif
#endif
