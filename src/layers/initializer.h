/* Initial values of weights. Names, arguments and distributions are Keras's (keras/src/initializers); the random stream
 * is ours, since Keras's differ between its own backends. One file each: initializer_*.c. */
#ifndef CN_LAYERS_INITIALIZER_H
#define CN_LAYERS_INITIALIZER_H

#include "base/field.h"
#include "base/random.h"

#include <stdint.h>

/* Every argument that any initializer takes. */
typedef struct cn__initializer_options {
    double minval, maxval, mean, stddev, value, gain, scale;
    const char *mode, *distribution;
    const char *input_axes, *output_axes; /* "[0, 1]"; NULL: see cn__fans */
    int64_t seed; /* negative: the model's. With one of its own, a weight of the same shape always begins the same. */
} cn__initializer_options;

typedef struct cn__initializer_class {
    const char *name, *alias; /* "random_uniform", "uniform"; alias may be NULL */
    const cn__field *fields;
    int n_fields;
    cn__initializer_options defaults;
    /* Fills the numbers of a shape, row-major without gaps. Errors: CN_EINVAL, CN_ENOMEM. */
    int (*fill)(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values);
} cn__initializer_class;

#define CN__INITIALIZER_LIST(X)                                                                                     \
    X(glorot_uniform)                                                                                               \
    X(glorot_normal)                                                                                                \
    X(he_uniform)                                                                                                   \
    X(he_normal)                                                                                                    \
    X(lecun_uniform)                                                                                                \
    X(lecun_normal)                                                                                                 \
    X(variance_scaling)                                                                                             \
    X(random_uniform)                                                                                               \
    X(random_normal)                                                                                                \
    X(truncated_normal)                                                                                             \
    X(zeros)                                                                                                        \
    X(ones)                                                                                                         \
    X(constant)                                                                                                     \
    X(identity)                                                                                                     \
    X(orthogonal)

#define CN__INITIALIZER_DECLARE(name) extern const cn__initializer_class cn__initializer_##name;
CN__INITIALIZER_LIST(CN__INITIALIZER_DECLARE)
#undef CN__INITIALIZER_DECLARE

#define CN__INITIALIZER_ID(name) CN__INITIALIZER_##name,
enum { CN__INITIALIZER_LIST(CN__INITIALIZER_ID) CN__INITIALIZER_COUNT };
#undef CN__INITIALIZER_ID

extern const cn__initializer_class *const cn__initializer_classes[CN__INITIALIZER_COUNT];

/* The fields of initializers that are a variance scaling: seed, input_axes, output_axes. */
extern const cn__field cn__initializer_scaling[3];

/* CN_OK if `text` names an initializer with good arguments; `owner` is for the message. */
int cn__initializer_check(const char *owner, const char *text);

/* Fills values from the initializer that `text` names. */
int cn__initializer_fill(const char *owner, const char *text, cn__random *random, int ndim, const int64_t *shape,
                         double *values);

/* CN_OK if input_axes and output_axes are lists of whole numbers, or not given. Error: CN_EINVAL with `name`. */
int cn__fans_check(const char *name, const cn__initializer_options *options);

/* fan_in and fan_out of a shape, as Keras computes them: with input_axes and output_axes the products of the sizes of
 * these axes. Error: CN_EINVAL (an axis that is not there). */
int cn__fans(const cn__initializer_options *options, int ndim, const int64_t *shape, double *fan_in, double *fan_out);

/* keras.initializers.VarianceScaling: scale / n with n from mode ("fan_in", "fan_out", "fan_avg"), drawn from
 * distribution ("uniform", "truncated_normal" or "normal", "untruncated_normal"). options: the axes. */
int cn__variance_scaling(const cn__initializer_options *options, double scale, const char *mode,
                         const char *distribution, cn__random *random, int ndim, const int64_t *shape, double *values);

#endif
