#include "layers/image_transform.h"

/* In training each image shows 1 + factor of itself around its middle: below 0 it comes nearer. */
static void make_matrix(const cn_layer *layer, const double drawn[2], double m[6])
{
    const cn_random_zoom_options *options = layer->options;
    double height = 1 + cn__draw_between(options->height_factor, drawn[0]);
    double width = isnan(options->width_factor[0]) ? height : 1 + cn__draw_between(options->width_factor, drawn[1]);
    m[0] = width;
    m[4] = height;
    m[1] = m[3] = 0;
    m[2] = 0.5 * (double)(layer->input_shape[1] - 1) * (1 - width);
    m[5] = 0.5 * (double)(layer->input_shape[0] - 1) * (1 - height);
}

static void forward(const cn__pass *pass)
{
    const cn_random_zoom_options *options = pass->layer->options;
    cn__image_transform t = CN__IMAGE_TRANSFORM(pass, options, make_matrix);
    cn__transform_images(pass, &t);
}

static void backward(const cn__pass *pass)
{
    const cn_random_zoom_options *options = pass->layer->options;
    cn__image_transform t = CN__IMAGE_TRANSFORM(pass, options, make_matrix);
    cn__transform_images_back(pass, &t);
}

CN__MATH_IN_EITHER_FORMAT(random_zoom)

#if CN_ONCE
#define OPTION(name, type) {#name, CN__FIELD_##type, offsetof(cn_random_zoom_options, name)}
static const cn__field fields[] = {
    OPTION(height_factor, RANGE),
    OPTION(width_factor, RANGE),
    OPTION(fill_mode, TEXT),
    OPTION(interpolation, TEXT),
    OPTION(seed, INT64),
    OPTION(fill_value, REAL),
    OPTION(data_format, TEXT),
    CN__LAYER_FIELDS(cn_random_zoom_options),
};

static int check(cn_layer *layer)
{
    const cn_random_zoom_options *options = layer->options;
    CN_TRY(cn__check_factor(layer, "height_factor", options->height_factor));
    if (!isnan(options->width_factor[0])) CN_TRY(cn__check_factor(layer, "width_factor", options->width_factor));
    return cn__check_image_options(layer, options->fill_mode, options->interpolation, options->fill_value);
}

const cn__layer_class cn__layer_random_zoom = {
    .name = "RandomZoom",
    .snake = "random_zoom",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_required = 1,
    .options_size = sizeof(cn_random_zoom_options),
    .defaults = &(const cn_random_zoom_options){CN_RANDOM_ZOOM_DEFAULTS},
    .check = check,
    .build = cn__build_image_layer,
    .hands_on = CN__HANDS_ON_UNTRAINED,
};

cn_layer *cn_random_zoom_create(const cn_random_zoom_options *options)
{
    return cn__layer_create(&cn__layer_random_zoom, options);
}
#endif
