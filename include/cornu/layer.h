/* Layers: what cn_add stacks into a model. Names, arguments, defaults and formulas are Keras 3's.
 *
 * Every constructor returns a layer that the model takes over in cn_add, or NULL with an error message; cn_add accepts
 * NULL and remembers the failure, so calls can be nested and cn_compile reports what went wrong.
 * The same layers can be written as text (cn_layer_from_text): "dense(512, activation=relu)".
 *
 * Every layer takes an activity_regularizer, whose penalty on the layer's output is divided by the batch size, an
 * input_shape for the first layer of a model that has no Input, and a name.
 *
 * Shapes are given per sample, without the batch axis. Options left out have the defaults listed in CN_..._DEFAULTS.
 *
 * Pictures are (height, width, channels). Layers with a `data_format` also take "channels_first": (channels, height,
 * width) for x and y. Kernels keep their shape, and every number is the same as with "channels_last", bit for bit, but
 * x, y and their gradients are copied into the other order and back, which takes time and memory. */
#ifndef CORNU_LAYER_H
#define CORNU_LAYER_H

#include <cornu/tensor.h>

#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cn_layer cn_layer;

/* Activations are texts, with arguments in brackets where they take some. z is what goes in. Source: keras.activations.
 *
 *   linear (or NULL)        z
 *   relu(negative_slope=0, max_value=inf, threshold=0)
 *                           max_value from there on; z above threshold; negative_slope (z - threshold) below
 *   relu6                   min(max(z, 0), 6)
 *   leaky_relu(negative_slope=0.2)    z above 0, else negative_slope z
 *   elu(alpha=1)            z above 0, else alpha (e^z - 1)
 *   selu                    1.0507009873554805 elu(z, 1.6732632423543772)
 *   celu(alpha=1)           max(z, 0) + alpha (e^(min(z, 0) / alpha) - 1)
 *   gelu(approximate=false) z (1 + erf(z / sqrt 2)) / 2; approximate: z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2
 *   silu or swish           z sigmoid(z)
 *   mish                    z tanh(softplus(z))
 *   sigmoid, tanh, exponential        1 / (1 + e^-z), tanh z, e^z
 *   softplus, softsign      log(1 + e^z), z / (1 + |z|)
 *   log_sigmoid             log sigmoid(z)
 *   squareplus(b=4)         (z + sqrt(z^2 + b)) / 2
 *   hard_sigmoid            clip(z / 6 + 1/2, 0, 1); 0.2 z + 0.5 in Keras 2
 *   hard_silu or hard_swish z hard_sigmoid(z)
 *   hard_tanh, tanh_shrink  clip(z, -1, 1), z - tanh z
 *   soft_shrink(threshold=0.5)        sign(z) max(|z| - threshold, 0)
 *   hard_shrink(threshold=0.5)        z where |z| > threshold, else 0
 *   threshold(threshold, default_value)   z above threshold, else default_value; both have to be given
 *   sparse_plus             0 up to -1, (z + 1)^2 / 4 up to 1, then z
 *   sparse_sigmoid          clip((z + 1) / 2, 0, 1)
 *   softmax(axis=-1), log_softmax(axis=-1)
 *                           e^z / sum e^z over the numbers of an axis, and its logarithm
 *   sparsemax(axis=-1)      the point nearest to z among those >= 0 that sum to 1 over an axis
 *   glu(axis=-1)            halves an axis (a, b): a sigmoid(b); only in a layer Activation
 *
 * An axis counts from 1, as 0 is the batch, or from behind: -1 is the last one, which takes the least time.
 *
 * cn_names(CN_NAMES_ACTIVATION) lists them.
 *
 * Initializers are texts too. Source: keras.initializers. Each that draws numbers takes a `seed`: with one, a weight of
 * the same shape always begins the same; without, or with one below 0, its numbers come from the model's seed.
 *
 *   glorot_uniform(seed), glorot_normal(seed)   variance_scaling(1, fan_avg, uniform or truncated_normal)
 *   he_uniform(seed), he_normal(seed)           variance_scaling(2, fan_in, ...)
 *   lecun_uniform(seed), lecun_normal(seed)     variance_scaling(1, fan_in, ...)
 *   variance_scaling(scale=1, mode=fan_in, distribution=truncated_normal, seed)
 *                           variance scale / n, with n from mode: fan_in, fan_out or fan_avg; distribution: uniform,
 *                           truncated_normal (or normal) or untruncated_normal
 *                           Of a matrix fan_in is the number of its rows and fan_out that of its columns; of a weight
 *                           with more axes (kh, kw, in, out) they are kh kw in and kh kw out. With both input_axes and
 *                           output_axes, as in "glorot_uniform(input_axes=[0], output_axes=[1, 2])", they are the
 *                           products of the sizes of these axes; all of the above take the two
 *   random_uniform(minval=-0.05, maxval=0.05, seed) or uniform
 *   random_normal(mean=0, stddev=0.05, seed) or normal
 *   truncated_normal(mean=0, stddev=0.05, seed) drawn again beyond two standard deviations
 *   zeros, ones, constant(value=0), identity(gain=1)
 *   orthogonal(gain=1, seed)                    all axes but the last are the rows of the matrix
 *
 * Regularizers add to the loss (keras.regularizers): "l1(0.01)": 0.01 * sum |w|;  "l2(0.01)": 0.01 * sum w^2;
 * "l1_l2(l1=0.001, l2=0.01)": both. The penalties of all trainable weights, and of the outputs of layers with an
 * activity_regularizer, are part of the loss that fit, evaluate and cn_train_step give.
 *
 * Constraints bring weights back after each step (keras.constraints). Euclidean norms are taken over `axis`, one number
 * or several as in [0, 1, 2] (each filter of a Conv2D kernel); 0, the default, is each column of a dense kernel:
 * "max_norm(max_value=2, axis=0)": w * min(norm, max_value) / (norm + 1e-7);  "unit_norm(axis=0)": w / (norm + 1e-7);
 * "min_max_norm(min_value=0, max_value=1, rate=1, axis=0)": w * (rate * clip(norm) + (1 - rate) * norm) /
 * (norm + 1e-7);  "non_neg": max(w, 0). */

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
    const char *kernel_regularizer, *bias_regularizer; /* NULL: none */
    const char *activity_regularizer;  /* of the output, divided by the batch size; NULL: none */
    const char *kernel_constraint, *bias_constraint;   /* NULL: none */
    int trainable;                     /* 0: kernel and bias stay as they are */
    int64_t input_shape[CN_MAX_NDIM];  /* only on the first layer, instead of cn_input; up to the first 0 */
    const char *name;                  /* NULL: "dense", "dense_1", ... */
} cn_dense_options;
#define CN_DENSE_DEFAULTS                                                                                           \
    .use_bias = 1, .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros", .trainable = 1
CN_API cn_layer *cn_dense_create(const cn_dense_options *options);
#define cn_dense(...) cn_dense_create(&(const cn_dense_options){CN_DENSE_DEFAULTS, .units = __VA_ARGS__})

/* --- Activation: y = activation(x), same shape. Source: keras.layers.Activation. --------------------------------- */
typedef struct cn_activation_options {
    const char *activation;
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_activation_options;
CN_API cn_layer *cn_activation_create(const cn_activation_options *options);
#define cn_activation(...) cn_activation_create(&(const cn_activation_options){.activation = __VA_ARGS__})

/* --- Flatten: (a, b, ...) -> (a*b*...), row-major. Source: keras.layers.Flatten. ---------------------------------
 * With channels_first the first axis goes to the end first, so that weights behind it fit either order. */
typedef struct cn_flatten_options {
    const char *data_format; /* "channels_last" or "channels_first" */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_flatten_options;
CN_API cn_layer *cn_flatten_create(const cn_flatten_options *options);
#define CN_FLATTEN_DEFAULTS .data_format = "channels_last"
#define cn_flatten(...) cn_flatten_create(&(const cn_flatten_options){CN_FLATTEN_DEFAULTS, __VA_ARGS__})

/* --- Conv2D: y = activation(sum over a window of x . kernel + bias), a cross-correlation ----------------------------
 * x (H, W, C)  kernel (kh, kw, C / groups, filters)  bias (filters)  y (P, Q, filters):
 *   y[p,q,f] = activation(bias[f] + sum_{i,j,c} x[p s - t + i d, q s - l + j d, c] kernel[i,j,c,f])
 * with strides s and dilation_rate d of the axis; outside the picture x is 0. padding "valid": t = l = 0 and
 * P = floor((H - d (kh - 1) - 1) / s) + 1; "same": P = ceil(H / s), the smaller half of the padding before, the larger
 * behind, as TensorFlow does. Strides and dilation_rate cannot both be above 1. With groups, filters
 * g filters/groups ... see the channels of group g only. Pictures are (height, width, channels): a 28 x 28 picture in
 * shades of grey is (28, 28, 1). An activation with an axis, such as softmax, runs along the last axis of y unless it
 * says otherwise, in channels_first too, where that is the width. Source: keras.layers.Conv2D. */
typedef struct cn_conv2d_options {
    int64_t filters;                    /* > 0, a multiple of groups */
    int64_t kernel_size[CN_MAX_NDIM];   /* {3, 3}; {3} is the same */
    int64_t strides[CN_MAX_NDIM];       /* empty: {1, 1} */
    const char *padding;                /* "valid" or "same" */
    const char *data_format;            /* "channels_last" or "channels_first" */
    int64_t dilation_rate[CN_MAX_NDIM]; /* empty: {1, 1} */
    int64_t groups;                     /* divides the channels of x and the filters */
    const char *activation;             /* NULL: linear */
    int use_bias;
    const char *kernel_initializer;
    const char *bias_initializer;
    const char *kernel_regularizer, *bias_regularizer; /* NULL: none */
    const char *activity_regularizer;   /* of the output, divided by the batch size; NULL: none */
    const char *kernel_constraint, *bias_constraint;   /* NULL: none */
    int trainable;                      /* 0: kernel and bias stay as they are */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_conv2d_options;
#define CN_CONV2D_DEFAULTS                                                                                          \
    .padding = "valid", .data_format = "channels_last", .groups = 1, .use_bias = 1,                                 \
    .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros", .trainable = 1
CN_API cn_layer *cn_conv2d_create(const cn_conv2d_options *options);
/* cn_conv2d(32, {3, 3}, .activation = "relu") */
#define cn_conv2d(...) cn_conv2d_create(&(const cn_conv2d_options){CN_CONV2D_DEFAULTS, .filters = __VA_ARGS__})

/* --- MaxPooling2D, AveragePooling2D: the largest number, or the mean, of each window of each channel --------------
 * x (H, W, C)  y (P, Q, C), windows of pool_size every strides numbers; sizes and "same" as for Conv2D. What lies
 * outside the picture takes no part, in the mean neither. Of several largest numbers the first (row by row) gets the
 * gradient; a window with a NaN gives NaN. Source: keras.layers.MaxPooling2D, AveragePooling2D. */
typedef struct cn_pooling2d_options {
    int64_t pool_size[CN_MAX_NDIM]; /* {2, 2}; {2} is the same; empty: {2, 2}, but an error in AveragePooling2D */
    int64_t strides[CN_MAX_NDIM];   /* empty: pool_size */
    const char *padding;            /* "valid" or "same" */
    const char *data_format;        /* "channels_last" or "channels_first" */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_pooling2d_options;
#define CN_POOLING2D_DEFAULTS .padding = "valid", .data_format = "channels_last"
CN_API cn_layer *cn_max_pooling2d_create(const cn_pooling2d_options *options);
CN_API cn_layer *cn_average_pooling2d_create(const cn_pooling2d_options *options);
/* cn_max_pooling2d({2, 2}), cn_average_pooling2d({3, 3}, .strides = {2, 2}, .padding = "same") */
#define cn_max_pooling2d(...)                                                                                       \
    cn_max_pooling2d_create(&(const cn_pooling2d_options){CN_POOLING2D_DEFAULTS, .pool_size = __VA_ARGS__})
#define cn_average_pooling2d(...)                                                                                   \
    cn_average_pooling2d_create(&(const cn_pooling2d_options){CN_POOLING2D_DEFAULTS, .pool_size = __VA_ARGS__})

/* --- GlobalMaxPooling2D, GlobalAveragePooling2D: over the whole picture ----------------------------------------------
 * x (H, W, C)  y (C), or (1, 1, C) with keepdims. Several largest numbers share the gradient evenly, as in Keras.
 * Source: keras.layers.GlobalMaxPooling2D, GlobalAveragePooling2D. */
typedef struct cn_global_pooling2d_options {
    const char *data_format; /* "channels_last" or "channels_first" */
    int keepdims;
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_global_pooling2d_options;
#define CN_GLOBAL_POOLING2D_DEFAULTS .data_format = "channels_last"
CN_API cn_layer *cn_global_max_pooling2d_create(const cn_global_pooling2d_options *options);
CN_API cn_layer *cn_global_average_pooling2d_create(const cn_global_pooling2d_options *options);
#define cn_global_max_pooling2d(...)                                                                                \
    cn_global_max_pooling2d_create(&(const cn_global_pooling2d_options){CN_GLOBAL_POOLING2D_DEFAULTS, __VA_ARGS__})
#define cn_global_average_pooling2d(...)                                                                            \
    cn_global_average_pooling2d_create(                                                                             \
        &(const cn_global_pooling2d_options){CN_GLOBAL_POOLING2D_DEFAULTS, __VA_ARGS__})

/* --- Rescaling: y = x * scale + offset, each rounded for itself. Source: keras.layers.Rescaling. ------------------
 * In text rescaling(0.00392156862745098, offset=-1), or for three channels rescaling([0.02, 0.02, 0.02], [-2.1, -2,
 * -1.8]). */
typedef struct cn_rescaling_options {
    double scale;          /* for all numbers; or */
    const double *scales;  /* one for each entry of the last axis, copied: */
    int64_t n_scales;      /* so many; 0: scale is for all */
    double offset;         /* likewise */
    const double *offsets;
    int64_t n_offsets;
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_rescaling_options;
CN_API cn_layer *cn_rescaling_create(const cn_rescaling_options *options);
/* cn_rescaling(1.0 / 255), cn_rescaling(1, .offsets = means, .n_offsets = 3) */
#define cn_rescaling(...) cn_rescaling_create(&(const cn_rescaling_options){.scale = __VA_ARGS__})

/* --- Reshape: the same numbers in row-major order under another shape. Source: keras.layers.Reshape. -------------- */
typedef struct cn_reshape_options {
    int64_t target_shape[CN_MAX_NDIM]; /* up to the first 0; one entry may be -1: what is left over */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_reshape_options;
CN_API cn_layer *cn_reshape_create(const cn_reshape_options *options);
/* cn_reshape_layer(28, 28), cn_reshape_layer(-1, 7); cn_reshape is the tensor's */
#define cn_reshape_layer(...) cn_reshape_create(&(const cn_reshape_options){.target_shape = {__VA_ARGS__}})

/* --- Permute: axis a of y is axis dims[a] of x; axes count from 1, the batch is 0. Source: keras.layers.Permute. */
typedef struct cn_permute_options {
    int64_t dims[CN_MAX_NDIM]; /* the numbers 1 ... axes of a sample in some order; up to the first 0 */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_permute_options;
CN_API cn_layer *cn_permute_create(const cn_permute_options *options);
/* cn_permute(2, 1): (a, b) -> (b, a) */
#define cn_permute(...) cn_permute_create(&(const cn_permute_options){.dims = {__VA_ARGS__}})

/* --- ZeroPadding2D: rows and columns of zeros around images --------------------------------------------------------
 * x (H, W, C)  y (top + H + bottom, left + W + right, C).  Source: keras.layers.ZeroPadding2D. */
typedef struct cn_zero_padding2d_options {
    const char *padding; /* "1": on all sides; "1x2": rows above and below, columns left and right;
                          * "((1, 0), (2, 3))": top and bottom, left and right */
    const char *data_format; /* "channels_last" or "channels_first" */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_zero_padding2d_options;
CN_API cn_layer *cn_zero_padding2d_create(const cn_zero_padding2d_options *options);
#define CN_ZERO_PADDING2D_DEFAULTS .data_format = "channels_last"
/* cn_zero_padding2d("1x2") */
#define cn_zero_padding2d(...)                                                                                      \
    cn_zero_padding2d_create(&(const cn_zero_padding2d_options){CN_ZERO_PADDING2D_DEFAULTS, .padding = __VA_ARGS__})

/* --- Dropout: in training, each number is 0 with probability rate and else x / (1 - rate); otherwise y = x ----------
 * Which ones: docs/determinism.md. The same for any number of threads.  Source: keras.layers.Dropout. */
typedef struct cn_dropout_options {
    double rate;                      /* 0 ... 1 */
    int64_t noise_shape[CN_MAX_NDIM]; /* of a sample, without the batch: 1 where an axis shares its fate; up to the
                                       * first 0; empty: all numbers are on their own */
    int64_t seed;                     /* negative: the model's */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_dropout_options;
#define CN_DROPOUT_DEFAULTS .seed = -1
CN_API cn_layer *cn_dropout_create(const cn_dropout_options *options);
#define cn_dropout(...) cn_dropout_create(&(const cn_dropout_options){CN_DROPOUT_DEFAULTS, .rate = __VA_ARGS__})

/* --- BatchNormalization: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, for each entry of one axis ----------
 * In training, mean and biased variance are those of the batch over all other axes, and the moving ones follow:
 * moving = momentum moving + (1 - momentum) batch. In evaluate and predict the moving ones are used. Weights of one
 * number per entry: gamma, beta, moving_mean, moving_variance; no gradient reaches the last two.
 *
 * With renorm (Ioffe 2017) training comes nearer to what evaluate and predict do: with s = sqrt(variance + epsilon) of
 * the batch, and renorm_mean and renorm_stddev following mean and s by renorm_momentum,
 *   y = gamma ((x - mean) / s r + d) + beta,  r = s / renorm_stddev,  d = (mean - renorm_mean) / renorm_stddev
 * (before they move; renorm_stddev at least sqrt(epsilon)), r and d within bounds and constants for the gradient. Then
 * moving_stddev follows s by momentum, moving_variance is its square less epsilon (at least 0), and there are three
 * weights more: moving_stddev, renorm_mean, renorm_stddev, the first and last of which begin with the roots of
 * moving_variance.
 *
 * In mixed_bfloat16 all of this is float32, and y is rounded.  Source: keras.layers.BatchNormalization. */
typedef struct cn_batch_normalization_options {
    int64_t axis;            /* from 1, as 0 is the batch; -1: the last one */
    double momentum;         /* 0 ... 1 */
    double epsilon;          /* >= 0 */
    int center, scale;       /* whether there is a beta, a gamma */
    const char *beta_initializer, *gamma_initializer;
    const char *moving_mean_initializer, *moving_variance_initializer;
    const char *beta_regularizer, *gamma_regularizer, *beta_constraint, *gamma_constraint; /* NULL: none */
    int renorm;              /* 1: batch renormalization */
    const char *renorm_clipping; /* its bounds: "dict(rmax=3, rmin=0.3, dmax=5)", rmin <= r <= rmax and |d| <= dmax,
                                  * where each may be left out; NULL: none */
    double renorm_momentum;  /* 0 ... 1 */
    int synchronized;        /* of Keras for several devices; there is only one here, so it changes nothing */
    int trainable;           /* 0: nothing moves, and training uses the moving mean and variance too */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_batch_normalization_options;
#define CN_BATCH_NORMALIZATION_DEFAULTS                                                                             \
    .axis = -1, .momentum = 0.99, .epsilon = 0.001, .center = 1, .scale = 1, .beta_initializer = "zeros",           \
    .gamma_initializer = "ones", .moving_mean_initializer = "zeros", .moving_variance_initializer = "ones",          \
    .renorm_momentum = 0.99, .trainable = 1
CN_API cn_layer *cn_batch_normalization_create(const cn_batch_normalization_options *options);
/* cn_batch_normalization(), cn_batch_normalization(.momentum = 0.9) */
#define cn_batch_normalization(...)                                                                                 \
    cn_batch_normalization_create(&(const cn_batch_normalization_options){CN_BATCH_NORMALIZATION_DEFAULTS, __VA_ARGS__})

/* --- LayerNormalization: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, over axes of each sample ------------
 * Mean and biased variance are those of the sample over the axes; gamma and beta have the shape of the axes.
 * In mixed_bfloat16 all of this is float32, and y is rounded.  Source: keras.layers.LayerNormalization. */
typedef struct cn_layer_normalization_options {
    int64_t axis[CN_MAX_NDIM]; /* from 1, as 0 is the batch; -1: the last one; up to the first 0 */
    double epsilon;            /* >= 0 */
    int center, scale;         /* whether there is a beta, a gamma */
    const char *beta_initializer, *gamma_initializer;
    const char *beta_regularizer, *gamma_regularizer, *beta_constraint, *gamma_constraint; /* NULL: none */
    int trainable;             /* 0: gamma and beta stay as they are */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_layer_normalization_options;
#define CN_LAYER_NORMALIZATION_DEFAULTS                                                                             \
    .axis = {-1}, .epsilon = 0.001, .center = 1, .scale = 1, .beta_initializer = "zeros",                           \
    .gamma_initializer = "ones", .trainable = 1
CN_API cn_layer *cn_layer_normalization_create(const cn_layer_normalization_options *options);
/* cn_layer_normalization(), cn_layer_normalization(.axis = {1, 2}) */
#define cn_layer_normalization(...)                                                                                 \
    cn_layer_normalization_create(&(const cn_layer_normalization_options){CN_LAYER_NORMALIZATION_DEFAULTS, __VA_ARGS__})

/* --- RandomTranslation, RandomRotation, RandomZoom: images move a little, each differently, in training only --------
 * x, y (H, W, C); in evaluate and predict y = x. The numbers are drawn uniformly for each image and step, the same for
 * any number of threads (docs/determinism.md). A factor is two numbers: {f} stands for -f ... f, {a, b} for all between
 * the two, where a zero comes first. In text: 0.1 or (-0.2, 0.3).
 * Pixel (x, y) of the output is read at (m0 x + m1 y + m2, m3 x + m4 y + m5) of the input, with f drawn:
 *   RandomTranslation   (x - f_width W, y - f_height H)
 *   RandomRotation      turned by f whole turns around the middle, against the clock
 *   RandomZoom          (1 + f_width, 1 + f_height) times the distance from the middle; below 0 zooms in
 * Source: keras.layers.RandomTranslation, RandomRotation, RandomZoom. */
#define CN_AUGMENTATION_DEFAULTS \
    .fill_mode = "reflect", .interpolation = "bilinear", .seed = -1, .data_format = "channels_last"
typedef struct cn_random_translation_options {
    double height_factor[2], width_factor[2]; /* in -1 ... 1: shares of the height and of the width */
    const char *fill_mode;     /* what lies outside: "reflect", "wrap", "constant", "nearest" */
    const char *interpolation; /* "bilinear", "nearest" */
    int64_t seed;              /* negative: the model's */
    double fill_value;         /* for "constant" */
    const char *data_format;   /* "channels_last" or "channels_first" */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_random_translation_options;
#define CN_RANDOM_TRANSLATION_DEFAULTS CN_AUGMENTATION_DEFAULTS
CN_API cn_layer *cn_random_translation_create(const cn_random_translation_options *options);
/* cn_random_translation(0.1, 0.2, .fill_mode = "constant"): height, width, more */
#define cn_random_translation(height, ...)                                                                          \
    cn_random_translation_create(&(const cn_random_translation_options){                                            \
        CN_RANDOM_TRANSLATION_DEFAULTS, .height_factor[0] = height, .width_factor[0] = __VA_ARGS__})

typedef struct cn_random_rotation_options {
    double factor[2];          /* in -1 ... 1: whole turns */
    const char *fill_mode;     /* what lies outside: "reflect", "wrap", "constant", "nearest" */
    const char *interpolation; /* "bilinear", "nearest" */
    int64_t seed;              /* negative: the model's */
    double fill_value;         /* for "constant" */
    const char *data_format;   /* "channels_last" or "channels_first" */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_random_rotation_options;
#define CN_RANDOM_ROTATION_DEFAULTS CN_AUGMENTATION_DEFAULTS
CN_API cn_layer *cn_random_rotation_create(const cn_random_rotation_options *options);
/* cn_random_rotation(0.05), cn_random_rotation(-0.1, .factor[1] = 0.2) */
#define cn_random_rotation(...)                                                                                     \
    cn_random_rotation_create(                                                                                      \
        &(const cn_random_rotation_options){CN_RANDOM_ROTATION_DEFAULTS, .factor[0] = __VA_ARGS__})

typedef struct cn_random_zoom_options {
    double height_factor[2];   /* in -1 ... 1 */
    double width_factor[2];    /* likewise; {NAN}: always the height's */
    const char *fill_mode;     /* what lies outside: "reflect", "wrap", "constant", "nearest" */
    const char *interpolation; /* "bilinear", "nearest" */
    int64_t seed;              /* negative: the model's */
    double fill_value;         /* for "constant" */
    const char *data_format;   /* "channels_last" or "channels_first" */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_random_zoom_options;
#define CN_RANDOM_ZOOM_DEFAULTS .width_factor = {NAN}, CN_AUGMENTATION_DEFAULTS
CN_API cn_layer *cn_random_zoom_create(const cn_random_zoom_options *options);
/* cn_random_zoom(0.1), cn_random_zoom(0.1, .width_factor[0] = 0.2) */
#define cn_random_zoom(...)                                                                                         \
    cn_random_zoom_create(&(const cn_random_zoom_options){CN_RANDOM_ZOOM_DEFAULTS, .height_factor[0] = __VA_ARGS__})

/* --- ReLU, LeakyReLU, PReLU, ELU, Softmax: activations as layers of their own ----------------------------------------
 * Source: keras.layers.ReLU, LeakyReLU, PReLU, ELU, Softmax. As text also relu, leakyrelu, prelu. */

/* ReLU: y = max_value from there on; x above threshold; negative_slope (x - threshold) below. */
typedef struct cn_re_lu_options {
    double max_value, negative_slope, threshold; /* each >= 0; max_value INFINITY: no bound */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_re_lu_options;
#define CN_RE_LU_DEFAULTS .max_value = INFINITY
CN_API cn_layer *cn_re_lu_create(const cn_re_lu_options *options);
/* cn_re_lu(), cn_re_lu(.max_value = 6) */
#define cn_re_lu(...) cn_re_lu_create(&(const cn_re_lu_options){CN_RE_LU_DEFAULTS, __VA_ARGS__})

/* LeakyReLU: y = x above 0, else negative_slope x. */
typedef struct cn_leaky_re_lu_options {
    double negative_slope; /* >= 0; 0.3 here, 0.2 in the activation leaky_relu, as in Keras */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_leaky_re_lu_options;
#define CN_LEAKY_RE_LU_DEFAULTS .negative_slope = 0.3
CN_API cn_layer *cn_leaky_re_lu_create(const cn_leaky_re_lu_options *options);
/* cn_leaky_re_lu(), cn_leaky_re_lu(.negative_slope = 0.1) */
#define cn_leaky_re_lu(...) cn_leaky_re_lu_create(&(const cn_leaky_re_lu_options){CN_LEAKY_RE_LU_DEFAULTS, __VA_ARGS__})

/* PReLU: y = x above 0, else alpha x, where alpha is learnt. It has the shape of a sample, with 1 for shared axes. */
typedef struct cn_p_re_lu_options {
    const char *alpha_initializer;
    const char *alpha_regularizer, *alpha_constraint; /* NULL: none */
    int64_t shared_axes[CN_MAX_NDIM];                 /* from 1, as 0 is the batch; up to the first 0 */
    int trainable;                                    /* 0: alpha stays as it is */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_p_re_lu_options;
#define CN_P_RE_LU_DEFAULTS .alpha_initializer = "zeros", .trainable = 1
CN_API cn_layer *cn_p_re_lu_create(const cn_p_re_lu_options *options);
/* cn_p_re_lu(), cn_p_re_lu(.shared_axes = {1, 2}) for images */
#define cn_p_re_lu(...) cn_p_re_lu_create(&(const cn_p_re_lu_options){CN_P_RE_LU_DEFAULTS, __VA_ARGS__})

/* ELU: y = x above 0, else alpha (e^x - 1). */
typedef struct cn_elu_options {
    double alpha;
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_elu_options;
#define CN_ELU_DEFAULTS .alpha = 1
CN_API cn_layer *cn_elu_create(const cn_elu_options *options);
/* cn_elu_layer(), cn_elu_layer(.alpha = 0.5) */
#define cn_elu_layer(...) cn_elu_create(&(const cn_elu_options){CN_ELU_DEFAULTS, __VA_ARGS__})

/* Softmax: y = e^x / sum e^x over the numbers of one axis, or of several together. */
typedef struct cn_softmax_options {
    int64_t axis[CN_MAX_NDIM]; /* from 1, as 0 is the batch; -1: the last one; up to the first 0 */
    const char *activity_regularizer; /* of the output, divided by the batch size; NULL: none */
    int64_t input_shape[CN_MAX_NDIM];
    const char *name;
} cn_softmax_options;
#define CN_SOFTMAX_DEFAULTS .axis = {-1}
CN_API cn_layer *cn_softmax_create(const cn_softmax_options *options);
/* cn_softmax_layer(), cn_softmax_layer(.axis = {1}), cn_softmax_layer(.axis = {1, 2}) */
#define cn_softmax_layer(...) cn_softmax_create(&(const cn_softmax_options){CN_SOFTMAX_DEFAULTS, __VA_ARGS__})

/* --- by name ------------------------------------------------------------------------------------------------------ */

/* A layer from text: its name in snake case or as Keras's class name, and arguments in brackets, positional ones
 * first: "dense(512, activation=relu)", "Flatten", "rescaling(0.00392156862745098, offset=0)". A shape is written
 * 28x28. Errors: CN_ENAME (with the nearest known name), CN_EINVAL. */
CN_API cn_layer *cn_layer_from_text(const char *text);

/* Destroys a layer that no model has taken. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_layer_destroy(cn_layer **layer);

/* --- what there is ------------------------------------------------------------------------------------------------ */

typedef enum cn_names_kind {
    CN_NAMES_LAYER,
    CN_NAMES_ACTIVATION,
    CN_NAMES_INITIALIZER,
    CN_NAMES_OPTIMIZER,
    CN_NAMES_LOSS,
    CN_NAMES_METRIC,
    CN_NAMES_REGULARIZER,
    CN_NAMES_CONSTRAINT,
    CN_NAMES_SCHEDULE
} cn_names_kind;

/* The i-th known name of a kind, NULL past the end. Static storage. */
CN_API const char *cn_names(cn_names_kind kind, int i);

#ifdef __cplusplus
}
#endif
#endif
