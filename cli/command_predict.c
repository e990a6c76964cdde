#include "commands.h"
#include "complain.h"
#include "digits.h"
#include "engine_check.h"
#include "json_out.h"
#include "terminal.h"

#include <cornu/cornu.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_WIDTH 30
#define SIDE 28

struct predict_options {
    const char *isa;
    int64_t threads;
    double scale;
    int json;
};

#define AT(member) offsetof(struct predict_options, member)
static const struct option options[] = {
    {OPTION_FLAG, "json", 0, AT(json), NULL, 0, 0, NULL, "print one JSON object with the probabilities of each image"},
    {OPTION_REAL, "scale", 0, AT(scale), "FACTOR", -1e30, 1e30, "a number or a fraction such as 1/255",
     "what pixels are multiplied by (default: 1/255, or 1 for a model with a rescaling layer)"},
    {OPTION_INTEGER, "threads", 't', AT(threads), "N", 0, 64, "a whole number from 0 to 64",
     "threads; 0 means as many as this process may use, which is the most"},
    {OPTION_TEXT, "isa", 0, AT(isa), "NAME", 0, 0, NULL,
     "kernels to use, see `cornu info` (default: the best this machine can run)"},
    {.kind = OPTION_END},
};
#undef AT

static const struct predict_options defaults = {.scale = NAN, .threads = 1};

/* Reads every file as a digit into uint8 (n, 28, 28); all of them must be good. */
static cn_tensor *read_digits(int n, char **paths, cn_digit_report *reports)
{
    cn_tensor *digits = cn_zeros(CN_UINT8, n, SIDE, SIDE);
    if (digits == NULL) {
        complain_of_library();
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        cn_tensor *picture = cn_image_read(paths[i]);
        cn_tensor *digit = picture != NULL ? cn_image_to_digit(picture, &reports[i]) : NULL;
        int good = digit != NULL;
        if (good) {
            memcpy((unsigned char *)cn_data(digits) + i * SIDE * SIDE, cn_data(digit), SIDE * SIDE);
        } else if (picture == NULL) {
            complain_of_library();
        } else {
            complain("%s: %s", paths[i], cn_error_message());
        }
        cn_tensor_destroy(&digit);
        cn_tensor_destroy(&picture);
        if (!good) {
            cn_tensor_destroy(&digits);
            return NULL;
        }
    }
    return digits;
}

static int64_t best_class(const cn_tensor *outputs, int64_t row)
{
    int64_t best = 0, n = cn_shape(outputs)[1];
    for (int64_t i = 1; i < n; i++) {
        if (cn_get(outputs, row, i) > cn_get(outputs, row, best)) {
            best = i;
        }
    }
    return best;
}

/* --- for people --- */

/* Lines such as "7 |############################## 0.9998 <". Release with free. */
static char *bars(const cn_tensor *outputs, int64_t row, int64_t best)
{
    int64_t n = cn_shape(outputs)[1];
    int colour = terminal_colour(stdout);
    const char *block = terminal_unicode() ? "█" : "#";
    size_t size = (size_t)n * (BAR_WIDTH * 4 + 80) + 8, at;
    char *text = malloc(size);
    if (text == NULL) {
        return NULL;
    }
    at = (size_t)snprintf(text, size, "\n\n");
    for (int64_t i = 0; i < n; i++) {
        double value = cn_get(outputs, row, i);
        int filled = value >= 0 && value <= 1 ? (int)lround(value * BAR_WIDTH) : value > 1 ? BAR_WIDTH : 0;
        at += (size_t)snprintf(text + at, size - at, "%s%3lld ", colour && i == best ? "\033[1;32m" : "",
                               (long long)i);
        for (int j = 0; j < BAR_WIDTH; j++) {
            at += (size_t)snprintf(text + at, size - at, "%s", j < filled ? block : " ");
        }
        at += (size_t)snprintf(text + at, size - at, fabs(value) < 1e6 ? " %.4f%s%s\n" : " %.4g%s%s\n", value,
                               i == best ? " <" : "", colour && i == best ? "\033[0m" : "");
    }
    return text;
}

static int print_prediction(const char *path, const cn_tensor *digits, const cn_tensor *outputs, int64_t row,
                            const cn_digit_report *report)
{
    int64_t best = best_class(outputs, row);
    cn_tensor *digit = cn_index(digits, row);
    char *texts[2] = {cn_image_to_text(digit, terminal_columns(stdout), terminal_colour(stdout)),
                      bars(outputs, row, best)};
    int status = texts[0] != NULL && texts[1] != NULL ? STATUS_OK : complain_of_library();
    if (status == STATUS_OK) {
        printf("%s%s: %lld (%.4f)\n", row > 0 ? "\n" : "", path, (long long)best, cn_get(outputs, row, best));
        printf("what the network saw: %lldx%lld pixels of ink at row %lld, column %lld%s\n", (long long)report->height,
               (long long)report->width, (long long)report->top, (long long)report->left,
               report->inverted ? ", dark on light, so inverted" : "");
        terminal_side_by_side((const char *const *)texts, 2, 2);
    }
    cn_string_free(texts[0]);
    free(texts[1]);
    cn_tensor_destroy(&digit);
    return status;
}

/* --- JSON --- */

static void print_json(const char *model, int n, char **paths, const cn_tensor *outputs)
{
    json_out json = {.stream = stdout};
    json_out_open(&json, NULL, '{');
    json_out_text(&json, "model", model);
    json_out_open(&json, "images", '[');
    for (int row = 0; row < n; row++) {
        int64_t best = best_class(outputs, row);
        json_out_open(&json, NULL, '{');
        json_out_text(&json, "file", paths[row]);
        json_out_integer(&json, "class", best);
        json_out_real(&json, "probability", cn_get(outputs, row, best));
        json_out_open(&json, "probabilities", '[');
        for (int64_t i = 0; i < cn_shape(outputs)[1]; i++) {
            json_out_real(&json, NULL, cn_get(outputs, row, i));
        }
        json_out_close(&json, ']');
        json_out_close(&json, '}');
    }
    json_out_close(&json, ']');
    json_out_close(&json, '}');
    putchar('\n');
}

/* --- the command --- */

static int predict(cn_model *model, const char *model_path, int n, char **paths, cn_digit_report *reports,
                   const struct predict_options *given)
{
    cn_tensor *digits = read_digits(n, paths, reports), *outputs = NULL;
    cn_tensor *x = digits != NULL ? digits_for_model(model, digits, given->scale, paths[0]) : NULL;
    int status = STATUS_FAILED;
    if (x != NULL) {
        outputs = cn_predict(model, x);
        if (outputs == NULL) {
            complain_of_library();
        } else if (cn_ndim(outputs) != 2) {
            complain("%s does not give one row of numbers for each image", model_path);
        } else {
            status = STATUS_OK;
        }
    }
    if (status == STATUS_OK && given->json) {
        print_json(model_path, n, paths, outputs);
    }
    for (int i = 0; i < n && status == STATUS_OK && !given->json; i++) {
        status = print_prediction(paths[i], digits, outputs, i, &reports[i]);
    }
    cn_tensor_destroy(&outputs);
    cn_tensor_destroy(&digits);
    return status;
}

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct predict_options *given = given_options;
    int status = engine_check(given->isa, NULL);
    if (status != STATUS_OK) {
        return status;
    }
    cn_model *model = cn_model_load(operands[0], .threads = (int)given->threads, .isa = given->isa);
    if (model == NULL) {
        return complain_of_library();
    }
    cn_digit_report *reports = calloc((size_t)n_operands, sizeof *reports);
    status = reports == NULL ? complain("out of memory")
                             : predict(model, operands[0], n_operands - 1, operands + 1, reports, given);
    free(reports);
    cn_model_destroy(&model);
    return status;
}

const struct command command_predict = {
    .name = "predict",
    .summary = "read digits from PNG images",
    .operands = "MODEL IMAGE...",
    .about =
        "Images are PNGs of any size and colour with one digit each, dark on light or light on dark. The ink is\n"
        "found, inverted where needed, fitted into 20x20 and centred by its mass in 28x28, as MNIST was made. The\n"
        "picture printed is what the network saw. If one image cannot be read, nothing is printed.",
    .examples = "  cornu predict mnist.safetensors photo.png\n"
                "  cornu predict mnist.safetensors *.png --json",
    .least_operands = 2,
    .most_operands = 1000000,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct predict_options),
    .run = run,
};
