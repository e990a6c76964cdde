/* Layers of your own, written as tensor operations: no backward pass to write, the tape has it.
 *
 *     static int build(cn_layer *layer, int ndim, const int64_t *input_shape, void *context)
 *     {
 *         return cn_layer_add_weight(layer, "kernel", "glorot_uniform", CN_SHAPE(input_shape[ndim - 1], 10));
 *     }
 *     static cn_tensor *call(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
 *     {
 *         return cn_matmul(x, weights[0]);
 *     }
 *     cn_add(model, cn_tape_layer(call, .build = build));
 *
 * Such a layer stands among others in a model, trains with cn_fit, and its weights are saved. Its code is not, so
 * cn_model_load refuses a file with such a layer; cn_model_load_weights reads the weights into a model that the same
 * program builds. */
#ifndef CORNU_TAPE_LAYER_H
#define CORNU_TAPE_LAYER_H

#include <cornu/layer.h>
#include <cornu/tape.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CN_TAPE_LAYER_MAX_WEIGHTS 4

/* Declares the weights, once, when the shape of one sample is known. Returns 0 or a negative status. */
typedef int (*cn_tape_layer_build)(cn_layer *layer, int ndim, const int64_t *input_shape, void *context);

/* The output for a batch x, both with the batch as first axis; the shape of the rest must not depend on the numbers. x
 * and weights have the dtype of the model, float32 or float64, and must not be changed; training is 1 in cn_fit. The
 * output and all tensors made here are the tape's. NULL with a message fails the step. Called on the thread that calls
 * cn_fit, also once while the model is built, with zeros, to learn the shape of the output. */
typedef cn_tensor *(*cn_tape_layer_call)(const cn_tensor *x, cn_tensor *const *weights, int training, void *context);

typedef struct cn_tape_layer_options {
    cn_tape_layer_call call;
    cn_tape_layer_build build;        /* NULL: no weights */
    void *context;                    /* handed on as it is; must live as long as the model */
    int64_t input_shape[CN_MAX_NDIM]; /* as for the other layers */
    const char *name;                 /* NULL: "tape_layer", "tape_layer_1", ... */
} cn_tape_layer_options;

/* Error: CN_EINVAL (no call). The model takes it over in cn_add. Source: keras.layers.Layer, build and call. */
CN_API cn_layer *cn_tape_layer_create(const cn_tape_layer_options *options);
#define cn_tape_layer(...) cn_tape_layer_create(&(const cn_tape_layer_options){.call = __VA_ARGS__})

/* For build: a weight for the optimizer, weights[0] the first. Name and initializer ("glorot_uniform", see layer.h) are
 * copied. Errors: CN_EINVAL (more than CN_TAPE_LAYER_MAX_WEIGHTS, outside of build, a text of more than 63 or 127
 * characters), CN_ENAME. Source: keras.layers.Layer.add_weight. */
CN_API int cn_layer_add_weight(cn_layer *layer, const char *name, const char *initializer, int ndim,
                               const int64_t *shape);

#ifdef __cplusplus
}
#endif
#endif
