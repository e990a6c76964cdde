/* Inside of layers. A layer file has two parts: the numbers (forward, backward), compiled once per engine, and below
 * `#if CN_ONCE` the description (options, shape rule, weights), compiled once. docs/add-a-layer.md walks through
 * one. */
#ifndef CN_LAYERS_LAYER_H
#define CN_LAYERS_LAYER_H

#include "base/field.h"
#include "base/pool.h"
#include "kernels/sink.h"
#include "kernels/batch.h"
#include "kernels/bf16.h"
#include "layers/activation.h"
#include "layers/constraint.h"
#include "layers/regularizer.h"

#include <cornu/layer.h>
#include <stdint.h>

#define CN__MAX_LAYER_WEIGHTS 7

/* One weight of a built layer. In memory it is `rows` rows of `columns` numbers; row r begins at r * stride (strides
 * are padded so that rows do not fight for the same cache sets). */
typedef struct cn__weight {
    const char *name;        /* "kernel" */
    const char *initializer; /* text, borrowed from the layer's options */
    int begins_with_root;    /* 1: with the square roots of what the initializer gives */
    int ndim;
    int64_t shape[CN_MAX_NDIM];
    int64_t rows, columns, stride;
    int trainable; /* 0: no gradient ever, such as moving statistics; the layer's own switch comes on top */
    cn__regularizer regularizer;
    cn__constraint constraint;
} cn__weight;

struct cn_layer {
    const struct cn__layer_class *class_;
    char *name;    /* NULL until the model names it */
    void *options; /* a copy of the constructor's options, laid out as class_->fields say */
    int is_built;
    int input_ndim, output_ndim;
    int64_t input_shape[CN_MAX_NDIM], output_shape[CN_MAX_NDIM]; /* per sample */
    int64_t input_size, output_size;                             /* products of the shapes */
    int n_weights;
    cn__weight weights[CN__MAX_LAYER_WEIGHTS];
    int64_t workspace_size; /* numbers per sample kept between forward and backward */
    int64_t thread_size;    /* numbers of memory that each thread needs while it works on this layer */
    int64_t shared_size;    /* numbers of memory that the layer needs during one call, whatever the batch */
    double work;            /* multiply-adds of the forward pass per sample */
    int activation;         /* index into the table of activations, -1 for layers without */
    cn__activation_options activation_options; /* its arguments: relu(max_value=6) is CN__ACTIVATION_relu too */
    int n_along;            /* 0: an activation that mixes the numbers of a row does so along the last axis; else
                             * along */
    int along[CN_MAX_NDIM]; /* these, ascending, from 0: layers/along_axes.h */
    int trainable;          /* 0: its weights stay as they are */
    cn__regularizer activity; /* of its output: what the option activity_regularizer says */
    int channels_first;       /* what the option data_format says, if there is one: layers/data_format.h */
};

/* One layer's part in one step. All pointers are to `real` of the engine; tensors are batch rows, row-major. */
typedef struct cn__pass {
    const cn_layer *layer;
    cn__pool *pool;
    int64_t batch;              /* rows */
    int training;               /* 1 in fit, 0 in evaluate and predict */
    int skip_activation;        /* 1: the loss wants the pre-activations (softmax with cross-entropy) */
    int64_t kernel_panel;       /* with bytes: cn__dense.kernel_panel */
    const cn__batch *bytes;     /* first layer only: x as bytes, in lists or tiles; x is NULL then */
    const void *x;              /* (batch, input_size) */
    void *y;                    /* (batch, output_size); written by forward, read by backward */
    void *dy;                   /* (batch, output_size); backward may overwrite it */
    void *dx;                   /* (batch, input_size); NULL: nobody needs it */
    void *workspace;            /* (batch, workspace_size) */
    void *thread_memory;        /* (threads, cn__thread_stride(thread_size)); contents last until the next layer */
    void *shared_memory;        /* (shared_size); likewise */
    void *const *weights;       /* one pointer per weight */
    const cn__sink *sinks;      /* backward: where each weight's gradient goes, one per weight */
    const cn__bf16 *bf16;       /* mixed_bfloat16: how; NULL in the other precisions */
    int is_last;                /* of the model: its output stays float32 in mixed_bfloat16, as Keras advises */
    uint64_t seed;              /* of the model; for random layers, with the next two: layers/layer_parts.h */
    uint32_t step;              /* updates done before this one */
    int number;                 /* of this layer in the model, from 0 behind the Input */
    int *status;                /* where a layer whose numbers come from a callback says that it failed */
    const struct cn__pass *behind; /* a MaxPooling2D that this Conv2D computes too (cn__conv2d_pools); y stays unwritten
                                    * then, and dy is NULL */
} cn__pass;

/* Numbers from one thread's memory to the next one's: two threads never write the same pair of cache lines. */
static inline int64_t cn__thread_stride(int64_t thread_size)
{
    return (thread_size + 31) / 32 * 32;
}

/* The numbers. Neither can fail, since build has checked the shapes; callbacks of users can (cn__pass.status). */
typedef struct cn__layer_math {
    void (*forward)(const cn__pass *pass);
    void (*backward)(const cn__pass *pass);
    /* backward in two parts, for layers whose rows do not depend on each other: the first part, like forward, may be
     * called for some rows at a time and leaves in dy what the second wants, which gets all rows. NULL: cannot be
     * split. */
    void (*backward_rows)(const cn__pass *pass);
    void (*backward_weights)(const cn__pass *pass);
} cn__layer_math;

/* Whether a layer hands on what it gets, unchanged and in the same order; then its batch needs no copy, and nobody
 * calls forward and backward. */
typedef enum cn__hands_on { CN__CHANGES, CN__HANDS_ON, CN__HANDS_ON_UNTRAINED } cn__hands_on;

/* The description. */
typedef struct cn__layer_class {
    const char *name;  /* "Dense" */
    const char *snake; /* "dense": automatic names and text form */
    const char *also;  /* one more name in texts, or NULL: "input" */
    const cn__field *fields;
    int n_fields;
    size_t options_size;
    int n_required;       /* so many of the first fields have no default: a text has to give them */
    const void *defaults; /* an options struct */
    int (*check)(cn_layer *layer); /* arguments alone: called by the constructor; may be NULL */
    int (*build)(cn_layer *layer); /* input_ndim and input_shape are set; sets output shape, weights, workspace */
    cn__hands_on hands_on;         /* CN__HANDS_ON_UNTRAINED: in evaluate and predict only, such as Dropout */
    void (*release)(cn_layer *layer); /* what check, build or a pass keep besides; may be NULL */
} cn__layer_class;

/* The fields that end the table of every layer. */
#define CN__LAYER_FIELDS(options)                                                                                   \
    {"input_shape", CN__FIELD_SHAPE, offsetof(options, input_shape)},                                               \
        {"activity_regularizer", CN__FIELD_TEXT, offsetof(options, activity_regularizer)},                          \
        {"name", CN__FIELD_TEXT, offsetof(options, name)}

/* The table of layers: add a line here and the file is known everywhere. */
#define CN__LAYER_LIST(X)                                                                                           \
    X(input)                                                                                                        \
    X(dense)                                                                                                        \
    X(tape)                                                                                                         \
    X(activation)                                                                                                   \
    X(flatten)                                                                                                      \
    X(conv2d)                                                                                                       \
    X(max_pooling2d)                                                                                                \
    X(average_pooling2d)                                                                                            \
    X(global_max_pooling2d)                                                                                         \
    X(global_average_pooling2d)                                                                                     \
    X(rescaling)                                                                                                    \
    X(reshape)                                                                                                      \
    X(permute)                                                                                                      \
    X(zero_padding2d)                                                                                               \
    X(dropout)                                                                                                      \
    X(batch_normalization)                                                                                          \
    X(layer_normalization)                                                                                          \
    X(random_translation)                                                                                           \
    X(random_rotation)                                                                                              \
    X(random_zoom)                                                                                                  \
    X(re_lu)                                                                                                        \
    X(leaky_re_lu)                                                                                                  \
    X(p_re_lu)                                                                                                      \
    X(elu)                                                                                                          \
    X(softmax)

#define CN__LAYER_ID(name) CN__LAYER_##name,
enum { CN__LAYER_LIST(CN__LAYER_ID) CN__LAYER_COUNT };
#undef CN__LAYER_ID

#define CN__LAYER_DECLARE(name) extern const cn__layer_class cn__layer_##name;
CN__LAYER_LIST(CN__LAYER_DECLARE)
#undef CN__LAYER_DECLARE

/* All classes, in the order of the list. */
extern const cn__layer_class *const cn__layer_classes[CN__LAYER_COUNT];

/* A layer of a class with a copy of `options` (NULL: the defaults), checked. NULL with a sentence. */
cn_layer *cn__layer_create(const cn__layer_class *class_, const void *options);

/* 1 if the layer hands its input on unchanged in training, or else in evaluate and predict, and nothing is asked of its
 * output. */
int cn__layer_hands_on(const cn_layer *layer, int training);

/* 1 if the layer's output costs something: an activity_regularizer. */
int cn__layer_has_penalty(const cn_layer *layer);

/* Switches training of the layer's weights on or off, in its options too. */
void cn__layer_set_trainable(cn_layer *layer, int trainable);

/* Number of the class in the list. */
int cn__layer_index(const cn_layer *layer);

/* The class called name, as class name or in snake case; NULL with CN_ENAME. */
const cn__layer_class *cn__layer_class_find(const char *name);

/* Sets the shapes from an input shape and builds. Errors: CN_ESHAPE, CN_EINVAL, CN_ENAME, naming the layer. */
int cn__layer_build(cn_layer *layer, int ndim, const int64_t *shape);

/* For build functions: appends a weight of ndim axes; the last axis becomes the columns. Returns it. */
cn__weight *cn__layer_add_weight(cn_layer *layer, const char *name, const char *initializer, int ndim,
                                 const int64_t *shape);

/* For check functions: 0 if the texts of a weight's regularizer and constraint (NULL: none) are good. `weight` is its
 * name, which the message puts in front of "_regularizer". */
int cn__layer_check_rules(const cn_layer *layer, const char *weight, const char *regularizer, const char *constraint);

/* For build functions: gives the weight that was added last what those texts say. */
int cn__layer_set_rules(cn_layer *layer, const char *regularizer, const char *constraint);

/* Likewise a weight that no gradient reaches: state that forward itself changes in training, such as a moving average.
 * It is saved and counted with the weights; its sink drops everything. Returns it. */
cn__weight *cn__layer_add_state(cn_layer *layer, const char *name, const char *initializer, int ndim,
                                const int64_t *shape);

/* For build functions: the activation of the layer runs along so many axes of `shape` (of z, as the class sees it),
 * counted from 1 or, negative, from behind. `name` stands in front of "axis" in messages. Comes after thread_size has
 * been set. */
int cn__layer_set_along(cn_layer *layer, const char *name, int n, const int64_t *axes, int ndim, const int64_t *shape);

/* Likewise along the axis that the activation's text names; nothing to do for most activations. */
int cn__layer_set_activation_axis(cn_layer *layer, int ndim, const int64_t *shape);

/* The order of a picture's axes, for messages. */
const char *cn__layer_picture_axes(const cn_layer *layer);

/* (channels, height, width) becomes (height, width, channels). */
void cn__shape_to_channels_last(int ndim, int64_t *shape);

/* Numbers per sample at the end of the workspace of a built channels_first layer: x, dx, y and dy in the other
 * order. */
int64_t cn__turned_size(const cn_layer *layer);

/* For build functions: output shape = input shape. */
void cn__layer_keep_shape(cn_layer *layer);

/* The shape option of a layer's options, NULL when it has none or it is empty. */
const int64_t *cn__layer_shape_option(const cn_layer *layer, int *ndim);

/* 1 if the first layer is a Conv2D that computes the MaxPooling2D behind it along: windows that do not overlap, and an
 * activation whose derivative needs only the y of the same place. Same bits, but the large y and its gradient, which is
 * mostly zeros, never go to memory. */
int cn__conv2d_pools(const cn_layer *layer, const cn_layer *behind);

/* Name for messages: the given one or the class's. */
const char *cn__layer_label(const cn_layer *layer);

#endif
