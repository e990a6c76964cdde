#include "commands.h"
#include "complain.h"
#include "digits.h"
#include "drawing.h"
#include "output_file.h"

#include <cornu/cornu.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_ON_SCREEN 2
#define MOST_ON_A_SHEET 100

struct show_options {
    int64_t count, start, label;
    const char *output;
    int test, quiet, download;
};

#define AT(member) offsetof(struct show_options, member)
static const struct option options[] = {
    {OPTION_INTEGER, "count", 'n', AT(count), "N", 0, 10000, "a whole number from 0 to 10000",
     "how many pictures; 0 means two rows in the terminal, 100 with --output"},
    {OPTION_INTEGER, "start", 0, AT(start), "N", 0, 1e12, "a whole number of at least 0",
     "number of the first picture"},
    {OPTION_INTEGER, "label", 0, AT(label), "N", -1, 255, "a whole number from 0 to 255, or -1 for all",
     "only pictures with this label; -1 means all"},
    {OPTION_FLAG, "test", 0, AT(test), NULL, 0, 0, NULL, "the test images instead of the training images"},
    {OPTION_TEXT, "output", 'o', AT(output), "FILE", 0, 0, NULL, "write a PNG with labels instead of drawing here"},
    {OPTION_FLAG, "quiet", 'q', AT(quiet), NULL, 0, 0, NULL, "do not tell what was written"},
    {OPTION_UNSET, "no-download", 0, AT(download), NULL, 0, 0, NULL, "never use the network"},
    {.kind = OPTION_END},
};
#undef AT

static const struct show_options defaults = {.label = -1, .download = 1};

/* A selection that is being made. */
typedef struct gallery {
    cn_tensor *images; /* uint8 (capacity, h, w) */
    drawing_label *labels;
    int64_t n, capacity;
} gallery;

static int gallery_open(gallery *g, const struct show_options *given, int64_t available, int64_t height, int64_t width)
{
    int64_t wanted = given->count > 0             ? given->count
                     : given->output != NULL ? MOST_ON_A_SHEET
                                             : ROWS_ON_SCREEN * drawing_fit(width);
    g->capacity = wanted < available ? wanted : available;
    if (g->capacity < 1) {
        return complain("there is nothing to show from number %lld on", (long long)given->start);
    }
    g->images = cn_zeros(CN_UINT8, g->capacity, height, width);
    g->labels = calloc((size_t)g->capacity, sizeof *g->labels);
    return g->images != NULL && g->labels != NULL ? STATUS_OK : complain("out of memory");
}

static unsigned char *gallery_next(gallery *g)
{
    const int64_t *shape = cn_shape(g->images);
    return (unsigned char *)cn_data(g->images) + g->n++ * shape[1] * shape[2];
}

static int gallery_show(const gallery *g, const struct show_options *given)
{
    cn_tensor *chosen = cn_slice(g->images, {0, g->n});
    if (chosen == NULL) {
        return complain_of_library();
    }
    if (given->output == NULL) {
        return drawing_print(chosen, (const drawing_label *)g->labels);
    }
    int status = drawing_save(given->output, chosen, (const drawing_label *)g->labels);
    if (status == STATUS_OK && !given->quiet) {
        fprintf(stderr, "wrote %lld picture%s to %s\n", (long long)g->n, g->n == 1 ? "" : "s", given->output);
    }
    return status;
}

static void gallery_close(gallery *g)
{
    cn_tensor_destroy(&g->images);
    free(g->labels);
}

/* --- a data set --- */

static void label_text(drawing_label text, const char *dataset, int label, int64_t number, int on_sheet)
{
    const char *name = cn_class_name(dataset, label);
    char digits[12];
    snprintf(digits, sizeof digits, "%d", label);
    if (on_sheet) {
        snprintf(text, sizeof(drawing_label), "%.12s", name != NULL ? name : digits);
    } else {
        snprintf(text, sizeof(drawing_label), "%.16s (number %lld)", name != NULL ? name : digits, (long long)number);
    }
}

static int pick(gallery *g, const cn_dataset *data, const struct show_options *given)
{
    const cn_tensor *images = given->test ? data->test_images : data->train_images;
    const cn_tensor *labels = given->test ? data->test_labels : data->train_labels;
    const int64_t *shape = cn_shape(images);
    const unsigned char *pixels = cn_data(images), *label = cn_data(labels);
    size_t size = (size_t)(shape[1] * shape[2]);
    if (gallery_open(g, given, shape[0] - given->start, shape[1], shape[2]) != STATUS_OK) {
        return STATUS_FAILED;
    }
    for (int64_t i = given->start; i < shape[0] && g->n < g->capacity; i++) {
        if (given->label < 0 || label[i] == given->label) {
            label_text(g->labels[g->n], data->name, label[i], i, given->output != NULL);
            memcpy(gallery_next(g), pixels + (size_t)i * size, size);
        }
    }
    return g->n > 0 ? gallery_show(g, given)
                    : complain("no picture from number %lld on has the label %lld", (long long)given->start,
                               (long long)given->label);
}

static int show_dataset(const char *name, const struct show_options *given)
{
    cn_dataset data = {0};
    gallery g = {0};
    int status = digits_load(&data, name, given->download, given->quiet ? DIGITS_SILENT : DIGITS_DOWNLOADS);
    if (status == STATUS_OK) {
        status = pick(&g, &data, given);
    }
    gallery_close(&g);
    cn_dataset_destroy(&data);
    return status;
}

/* --- the first layer of a model --- */

/* Height and width of the pictures a model takes; a row of numbers is taken for a square picture. */
static int picture_size(const cn_model *model, int64_t *height, int64_t *width)
{
    int ndim = 0;
    const int64_t *shape = cn_model_input_shape(model, &ndim);
    if (shape != NULL && ndim >= 2) {
        *height = shape[0];
        *width = shape[1];
        return ndim == 2 || shape[2] == 1;
    }
    *height = *width = shape != NULL && ndim == 1 ? (int64_t)llround(sqrt((double)shape[0])) : 0;
    return shape != NULL && ndim == 1 && *height * *width == shape[0];
}

/* Black is the most negative weight, white the most positive, zero is grey; the scale is the unit's own. */
static void draw_weights(unsigned char *pixels, const cn_tensor *kernel, int64_t unit)
{
    double largest = 0;
    int64_t n = cn_shape(kernel)[0];
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(cn_get(kernel, i, unit));
        largest = size > largest ? size : largest;
    }
    for (int64_t i = 0; i < n; i++) {
        double share = largest > 0 ? cn_get(kernel, i, unit) / largest : 0;
        pixels[i] = (unsigned char)lround(127.5 + 127.5 * (share >= -1 && share <= 1 ? share : 0));
    }
}

static int show_weights(const char *path, const cn_model *model, const struct show_options *given)
{
    int64_t height = 0, width = 0;
    gallery g = {0};
    cn_tensor *kernel = cn_model_n_weights(model) > 0 ? cn_model_get_weight(model, 0) : NULL;
    int status = STATUS_FAILED;
    if (kernel == NULL || cn_ndim(kernel) != 2 || !picture_size(model, &height, &width) ||
        cn_shape(kernel)[0] != height * width) {
        complain("the first weights of %s are not a dense layer over pictures, so they cannot be drawn", path);
    } else {
        status = gallery_open(&g, given, cn_shape(kernel)[1] - given->start, height, width);
    }
    for (int64_t unit = given->start; status == STATUS_OK && g.n < g.capacity; unit++) {
        snprintf(g.labels[g.n], sizeof(drawing_label), given->output != NULL ? "%lld" : "unit %lld", (long long)unit);
        draw_weights(gallery_next(&g), kernel, unit);
    }
    if (status == STATUS_OK) {
        status = gallery_show(&g, given);
    }
    gallery_close(&g);
    cn_tensor_destroy(&kernel);
    return status;
}

static int show_model(const char *path, const struct show_options *given)
{
    cn_model *model = cn_model_load(path, .threads = 1);
    if (model == NULL) {
        return complain_of_library();
    }
    int status = show_weights(path, model, given);
    cn_model_destroy(&model);
    return status;
}

/* --- an image --- */

static int show_image(const char *path, const struct show_options *given)
{
    cn_tensor *picture = cn_image_read(path);
    cn_tensor *digit = picture != NULL ? cn_image_to_digit(picture, NULL) : NULL;
    gallery g = {.images = digit, .n = 1, .capacity = 1};
    int status = STATUS_FAILED;
    drawing_label label = "as a network sees it";
    if (picture == NULL) {
        complain_of_library();
    } else if (digit == NULL) {
        complain("%s: %s", path, cn_error_message());
    } else {
        g.images = cn_reshape(digit, 1, cn_shape(digit)[0], cn_shape(digit)[1]);
        g.labels = &label;
        status = g.images != NULL ? gallery_show(&g, given) : complain_of_library();
    }
    cn_tensor_destroy(&digit);
    cn_tensor_destroy(&picture);
    return status;
}

/* --- which of them --- */

typedef enum file_kind { NO_FILE, PNG_FILE, OTHER_FILE } file_kind;

static file_kind kind_of(const char *path)
{
    static const unsigned char png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    unsigned char first[8];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NO_FILE;
    }
    size_t n = fread(first, 1, sizeof first, file);
    int is_folder = ferror(file);
    fclose(file);
    return is_folder ? NO_FILE : n == sizeof first && memcmp(first, png, sizeof png) == 0 ? PNG_FILE : OTHER_FILE;
}

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct show_options *given = given_options;
    const char *what = operands[0];
    (void)n_operands;
    if (given->output != NULL && output_file_check("--output", given->output) != STATUS_OK) {
        return STATUS_FAILED;
    }
    size_t length = strlen(what);
    int named_model = length > 12 && strcmp(what + length - 12, ".safetensors") == 0;
    int named_image = length > 4 && strcmp(what + length - 4, ".png") == 0;
    file_kind kind = kind_of(what);
    if (kind == PNG_FILE || named_image) {
        return show_image(what, given);
    }
    return kind == OTHER_FILE || named_model ? show_model(what, given) : show_dataset(what, given);
}

const struct command command_show = {
    .name = "show",
    .summary = "draw digits, weights of a model, or what a network sees of an image",
    .operands = "DATASET|MODEL|IMAGE",
    .about =
        "For a data set: its pictures with their labels. For a model: the weights of its first layer, a picture for\n"
        "each unit, black for the most negative weight, white for the most positive. For a PNG: the digit in it, cut\n"
        "out, scaled and centred as MNIST's digits were. A single picture is written to --output as it is, without a\n"
        "label, so that `cornu predict` can read it.",
    .examples = "  cornu show mnist\n"
                "  cornu show mnist --label 4 --count 10\n"
                "  cornu show mnist --start 4 --count 1                 the picture of the book's first chapter on it\n"
                "  cornu show mnist --count 100 --output digits.png\n"
                "  cornu show mnist.safetensors --count 40 --output weights.png\n"
                "  cornu show photo.png",
    .least_operands = 1,
    .most_operands = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct show_options),
    .run = run,
};
