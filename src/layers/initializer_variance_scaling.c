#include "layers/initializer.h"

#include "base/error.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* "[0, -1]": the product of the sizes of these axes. ndim 0: no shape yet, only the text is looked at. */
static int read_axes(const char *name, const char *argument, const char *text, int ndim, const int64_t *shape,
                     double *product)
{
    const char *const between = "[](), ";
    const char *at = text + strspn(text, between);
    *product = 1;
    for (; *at; at += strspn(at, between)) {
        char *end;
        long axis = strtol(at, &end, 10);
        if (end == at || !strchr(between, *end))
            return cn__fail(CN_EINVAL, "%s: %s must be axes of the weight such as [0, 1], got \"%.40s\"", name,
                            argument, text);
        if (ndim > 0 && (axis < -ndim || axis >= ndim))
            return cn__fail(CN_EINVAL, "%s: %s names axis %ld, but the weight has %d axes", name, argument, axis, ndim);
        if (ndim > 0) *product *= (double)shape[axis < 0 ? axis + ndim : axis];
        at = end;
    }
    return CN_OK;
}

static int is_given(const char *text)
{
    return text && strcmp(text, "None") != 0;
}

int cn__fans_check(const char *name, const cn__initializer_options *options)
{
    double product;
    if (is_given(options->input_axes)) CN_TRY(read_axes(name, "input_axes", options->input_axes, 0, NULL, &product));
    if (is_given(options->output_axes)) CN_TRY(read_axes(name, "output_axes", options->output_axes, 0, NULL, &product));
    return CN_OK;
}

int cn__fans(const cn__initializer_options *options, int ndim, const int64_t *shape, double *fan_in, double *fan_out)
{
    double receptive_field = 1;
    if (is_given(options->input_axes) && is_given(options->output_axes)) {
        CN_TRY(read_axes("initializer", "input_axes", options->input_axes, ndim, shape, fan_in));
        return read_axes("initializer", "output_axes", options->output_axes, ndim, shape, fan_out);
    }
    for (int i = 0; i < ndim - 2; i++) receptive_field *= (double)shape[i];
    if (ndim == 0) {
        *fan_in = *fan_out = 1;
    } else if (ndim == 1) {
        *fan_in = *fan_out = (double)shape[0];
    } else {
        *fan_in = (double)shape[ndim - 2] * receptive_field;
        *fan_out = (double)shape[ndim - 1] * receptive_field;
    }
    return CN_OK;
}

static double truncated(cn__random *random)
{
    double x;
    do x = cn__random_normal(random);
    while (x < -2 || x > 2);
    return x;
}

int cn__variance_scaling(const cn__initializer_options *options, double scale, const char *mode,
                         const char *distribution, cn__random *random, int ndim, const int64_t *shape, double *values)
{
    double fan_in, fan_out, n;
    CN_TRY(cn__fans(options, ndim, shape, &fan_in, &fan_out));
    if (!strcmp(mode, "fan_in")) n = fan_in;
    else if (!strcmp(mode, "fan_out")) n = fan_out;
    else if (!strcmp(mode, "fan_avg")) n = (fan_in + fan_out) / 2;
    else return cn__fail(CN_EINVAL, "variance_scaling: mode is fan_in, fan_out or fan_avg, got \"%.32s\"", mode);
    if (!(scale > 0)) return cn__fail(CN_EINVAL, "variance_scaling: scale must be positive, got %g", scale);
    double variance = scale / (n > 1 ? n : 1);
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    if (!strcmp(distribution, "uniform")) {
        double limit = sqrt(3 * variance);
        for (int64_t i = 0; i < count; i++) values[i] = (2 * cn__random_uniform(random) - 1) * limit;
    } else if (!strcmp(distribution, "truncated_normal") || !strcmp(distribution, "normal")) {
        /* A normal cut at two standard deviations has this standard deviation left. */
        double deviation = sqrt(variance) / 0.87962566103423978;
        for (int64_t i = 0; i < count; i++) values[i] = deviation * truncated(random);
    } else if (!strcmp(distribution, "untruncated_normal")) {
        for (int64_t i = 0; i < count; i++) values[i] = sqrt(variance) * cn__random_normal(random);
    } else {
        return cn__fail(CN_EINVAL,
                        "variance_scaling: distribution is uniform, truncated_normal or untruncated_normal, got "
                        "\"%.32s\"", distribution);
    }
    return CN_OK;
}

static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    return cn__variance_scaling(options, options->scale, options->mode, options->distribution, random, ndim, shape,
                                values);
}

static const cn__field fields[] = {
    {"scale", CN__FIELD_REAL, offsetof(cn__initializer_options, scale)},
    {"mode", CN__FIELD_TEXT, offsetof(cn__initializer_options, mode)},
    {"distribution", CN__FIELD_TEXT, offsetof(cn__initializer_options, distribution)},
    {"seed", CN__FIELD_INT64, offsetof(cn__initializer_options, seed)},
    {"input_axes", CN__FIELD_TEXT, offsetof(cn__initializer_options, input_axes)},
    {"output_axes", CN__FIELD_TEXT, offsetof(cn__initializer_options, output_axes)},
};

const cn__initializer_class cn__initializer_variance_scaling = {
    .name = "variance_scaling",
    .fields = fields,
    .n_fields = 6,
    .defaults = {.seed = -1, .scale = 1, .mode = "fan_in", .distribution = "truncated_normal"},
    .fill = fill,
};
