#include "layers/image_transform.h"

/* In training each image moves down by a share of its height and to the right by a share of its width. */
static void make_matrix(const cn_layer *layer, const double drawn[2], double m[6])
{
    const cn_random_translation_options *options = layer->options;
    m[0] = m[4] = 1;
    m[1] = m[3] = 0;
    m[2] = -cn__draw_between(options->width_factor, drawn[1]) * (double)layer->input_shape[1];
    m[5] = -cn__draw_between(options->height_factor, drawn[0]) * (double)layer->input_shape[0];
}

static void forward(const cn__pass *pass)
{
    const cn_random_translation_options *options = pass->layer->options;
    cn__image_transform t = CN__IMAGE_TRANSFORM(pass, options, make_matrix);
    cn__transform_images(pass, &t);
}

static void backward(const cn__pass *pass)
{
    const cn_random_translation_options *options = pass->layer->options;
    cn__image_transform t = CN__IMAGE_TRANSFORM(pass, options, make_matrix);
    cn__transform_images_back(pass, &t);
}

CN__MATH_IN_EITHER_FORMAT(random_translation)

#if CN_ONCE
#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_random_translation_options, name)}
static const cn__field fields[] = {
    OPTION(height_factor, RANGE),
    OPTION(width_factor, RANGE),
    OPTION(fill_mode, TEXT),
    OPTION(interpolation, TEXT),
    OPTION(seed, INT64),
    OPTION(fill_value, REAL),
    OPTION(data_format, TEXT),
    CN__LAYER_FIELDS(cn_random_translation_options),
};

static int check(cn_layer *layer)
{
    const cn_random_translation_options *options = layer->options;
    CN_TRY(cn__check_factor(layer, "height_factor", options->height_factor));
    CN_TRY(cn__check_factor(layer, "width_factor", options->width_factor));
    return cn__check_image_options(layer, options->fill_mode, options->interpolation, options->fill_value);
}

const cn__layer_class cn__layer_random_translation = {
    .name = "RandomTranslation",
    .snake = "random_translation",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 2,
    .options_size = sizeof(cn_random_translation_options),
    .defaults = &(const cn_random_translation_options){CN_RANDOM_TRANSLATION_DEFAULTS},
    .check = check,
    .build = cn__build_image_layer,
    .hands_on = CN__HANDS_ON_UNTRAINED,
};

cn_layer *cn_random_translation_create(const cn_random_translation_options *options)
{
    return cn__layer_create(&cn__layer_random_translation, options);
}
#endif
