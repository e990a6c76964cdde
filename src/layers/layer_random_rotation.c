#include "layers/image_transform.h"

/* In training each image turns around its middle, by `factor` of a whole turn, against the clock when positive. */
static void make_matrix(const cn_layer *layer, const double drawn[2], double m[6])
{
    const cn_random_rotation_options *options = layer->options;
    double sine, cosine, x = 0.5 * (double)(layer->input_shape[1] - 1), y = 0.5 * (double)(layer->input_shape[0] - 1);
    cn__exact_turn(cn__draw_between(options->factor, drawn[0]), &sine, &cosine);
    m[0] = m[4] = cosine;
    m[1] = -sine;
    m[3] = sine;
    m[2] = x - x * cosine + y * sine;
    m[5] = y - x * sine - y * cosine;
}

static void forward(const cn__pass *pass)
{
    const cn_random_rotation_options *options = pass->layer->options;
    cn__image_transform t = CN__IMAGE_TRANSFORM(pass, options, make_matrix);
    cn__transform_images(pass, &t);
}

static void backward(const cn__pass *pass)
{
    const cn_random_rotation_options *options = pass->layer->options;
    cn__image_transform t = CN__IMAGE_TRANSFORM(pass, options, make_matrix);
    cn__transform_images_back(pass, &t);
}

CN__MATH_IN_EITHER_FORMAT(random_rotation)

#if CN_ONCE
#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_random_rotation_options, name)}
static const cn__field fields[] = {
    OPTION(factor, RANGE),
    OPTION(fill_mode, TEXT),
    OPTION(interpolation, TEXT),
    OPTION(seed, INT64),
    OPTION(fill_value, REAL),
    OPTION(data_format, TEXT),
    CN__LAYER_FIELDS(cn_random_rotation_options),
};

static int check(cn_layer *layer)
{
    const cn_random_rotation_options *options = layer->options;
    CN_TRY(cn__check_factor(layer, "factor", options->factor));
    return cn__check_image_options(layer, options->fill_mode, options->interpolation, options->fill_value);
}

const cn__layer_class cn__layer_random_rotation = {
    .name = "RandomRotation",
    .snake = "random_rotation",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_random_rotation_options),
    .defaults = &(const cn_random_rotation_options){CN_RANDOM_ROTATION_DEFAULTS},
    .check = check,
    .build = cn__build_image_layer,
    .hands_on = CN__HANDS_ON_UNTRAINED,
};

cn_layer *cn_random_rotation_create(const cn_random_rotation_options *options)
{
    return cn__layer_create(&cn__layer_random_rotation, options);
}
#endif
