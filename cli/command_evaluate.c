#include "commands.h"
#include "complain.h"
#include "confusion.h"
#include "digits.h"
#include "engine_check.h"
#include "json_out.h"
#include "metrics_text.h"
#include "run_clock.h"
#include "terminal.h"

#include <cornu/cornu.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct evaluate_options {
    const char *loss, *metrics, *isa;
    int64_t batch_size, threads;
    double scale;
    int train, confusion, json, quiet, download;
};

#define AT(member) offsetof(struct evaluate_options, member)
static const struct option options[] = {
    {OPTION_FLAG, "train", 0, AT(train), NULL, 0, 0, NULL, "measure on the training images instead of the test images"},
    {OPTION_TEXT, "loss", 0, AT(loss), "NAME", 0, 0, NULL, "the loss (default: the one the model was trained with)"},
    {OPTION_TEXT, "metrics", 0, AT(metrics), "LIST", 0, 0, NULL,
     "what is measured, as in `cornu train` (default: what the model was trained with)"},
    {OPTION_FLAG, "confusion", 0, AT(confusion), NULL, 0, 0, NULL, "print how often each class was taken for each"},
    {OPTION_INTEGER, "batch-size", 'b', AT(batch_size), "N", 1, 1e9, "a whole number of at least 1",
     "images at a time"},
    {OPTION_REAL, "scale", 0, AT(scale), "FACTOR", -1e30, 1e30, "a number or a fraction such as 1/255",
     "what pixels are multiplied by (default: 1/255, or 1 for a model with a rescaling layer)"},
    {OPTION_INTEGER, "threads", 't', AT(threads), "N", 0, 64, "a whole number from 0 to 64",
     "threads; 0 means as many as this process may use, which is the most"},
    {OPTION_TEXT, "isa", 0, AT(isa), "NAME", 0, 0, NULL,
     "kernels to use, see `cornu info` (default: the best this machine can run)"},
    {OPTION_FLAG, "json", 0, AT(json), NULL, 0, 0, NULL, "print one JSON object"},
    {OPTION_FLAG, "quiet", 'q', AT(quiet), NULL, 0, 0, NULL, "no progress"},
    {OPTION_UNSET, "no-download", 0, AT(download), NULL, 0, 0, NULL, "never use the network"},
    {.kind = OPTION_END},
};
#undef AT

static const struct evaluate_options defaults = {.batch_size = 128, .scale = NAN, .download = 1};

/* Loss and metrics as the command line wants them; those of the file where it says nothing. */
static int compile(cn_model *model, const struct evaluate_options *given)
{
    struct metrics_text metrics;
    cn_compile_options how = {CN_COMPILE_DEFAULTS};
    char loss[256];
    if (cn_model_loss(model) != NULL && given->loss == NULL && given->metrics == NULL) {
        return STATUS_OK;
    }
    if (metrics_text_read(&metrics, given->metrics != NULL ? given->metrics : "accuracy") != STATUS_OK) {
        return STATUS_USAGE;
    }
    const char *name = given->loss != NULL ? given->loss : cn_model_loss(model);
    /* compiling frees the model's */
    snprintf(loss, sizeof loss, "%s", name != NULL ? name : "categorical_crossentropy");
    how.loss = loss;
    memcpy(how.metrics, metrics.names, sizeof how.metrics);
    return cn_model_compile(model, &how) < 0 ? complain_of_option() : STATUS_OK;
}

/* `confusion` may be NULL. */
static void report(const cn_result *result, const cn_model *model, const char *path, const cn_dataset *data,
                   const struct evaluate_options *given, const cn_tensor *confusion)
{
    if (given->json) {
        json_out json = {.stream = stdout};
        json_out_open(&json, NULL, '{');
        json_out_text(&json, "model", path);
        json_out_text(&json, "dataset", data->name);
        json_out_text(&json, "part", given->train ? "train" : "test");
        json_out_text(&json, "loss", cn_model_loss(model));
        json_out_real(&json, given->train ? "train_accuracy" : "test_accuracy", result->accuracy);
        json_out_real(&json, given->train ? "train_loss" : "test_loss", result->loss);
        json_out_real(&json, "accuracy_standard_error", result->accuracy_standard_error);
        json_out_integer(&json, "samples", result->samples);
        metrics_text_json(result, &json);
        if (confusion != NULL) {
            confusion_json(confusion, &json);
        }
        json_out_real(&json, "total_seconds", run_clock_seconds());
        json_out_close(&json, '}');
        putchar('\n');
        return;
    }
    grouped_buffer samples;
    const char *part = given->train ? "training" : "test";
    printf("%s loss %.4f\n", part, result->loss);
    if (!isnan(result->accuracy)) {
        printf("%s accuracy %.4f %s %.4f (%s images)\n", part, result->accuracy, terminal_unicode() ? "±" : "+-",
               result->accuracy_standard_error, grouped(result->samples, samples));
    }
    metrics_text_print(result, part, stdout);
    if (confusion != NULL) {
        confusion_print_table(confusion, data);
    }
}

static int evaluate(cn_model *model, const char *path, const cn_dataset *data, const struct evaluate_options *given)
{
    cn_result result;
    cn_tensor *owned = NULL, *confusion = NULL;
    int status = compile(model, given);
    if (status != STATUS_OK) {
        return status;
    }
    const cn_tensor *images = given->train ? data->train_images : data->test_images;
    const cn_tensor *labels = given->train ? data->train_labels : data->test_labels;
    cn_tensor *x = digits_for_model(model, images, given->scale, data->name);
    const cn_tensor *y = digits_targets(labels, cn_model_loss(model), data->num_classes, &owned);
    status = STATUS_FAILED;
    if (x != NULL && y != NULL) {
        status = cn_evaluate(model, x, y, &result, .batch_size = given->batch_size, .verbose = given->quiet ? 0 : 1,
                             .output = stderr) < 0
                     ? complain_of_library()
                     : STATUS_OK;
    }
    if (status == STATUS_OK && given->confusion) {
        confusion = confusion_count(model, x, labels, data);
        status = confusion != NULL ? STATUS_OK : complain_of_library();
    }
    if (status == STATUS_OK) {
        report(&result, model, path, data, given, confusion);
    }
    cn_tensor_destroy(&confusion);
    cn_tensor_destroy(&owned);
    return status;
}

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct evaluate_options *given = given_options;
    cn_dataset data = {0};
    (void)n_operands;
    int status = engine_check(given->isa, NULL);
    if (status != STATUS_OK) {
        return status;
    }
    cn_model *model = cn_model_load(operands[0], .threads = (int)given->threads, .isa = given->isa);
    if (model == NULL) {
        return complain_of_library();
    }
    status = digits_load(&data, operands[1], given->download, given->quiet ? DIGITS_SILENT : DIGITS_EVERYTHING);
    if (status == STATUS_OK) {
        status = evaluate(model, operands[0], &data, given);
    }
    cn_dataset_destroy(&data);
    cn_model_destroy(&model);
    return status;
}

const struct command command_evaluate = {
    .name = "evaluate",
    .summary = "measure loss and accuracy of a saved model",
    .operands = "MODEL DATASET",
    .about = "MODEL is a file that `cornu train --output` wrote; DATASET is mnist, fashion_mnist, or a folder with\n"
             "four IDX files. The accuracy comes with its standard error, sqrt(a (1 - a) / n).",
    .examples = "  cornu evaluate mnist.safetensors mnist\n"
                "  cornu evaluate mnist.safetensors mnist --train      the gap to this one is overfitting\n"
                "  cornu evaluate mnist.safetensors mnist --confusion  which digits are taken for which\n"
                "  cornu evaluate mnist.safetensors mnist --metrics \"accuracy,f1_score(average=macro)\"\n"
                "  cornu evaluate mnist.safetensors mnist --json",
    .least_operands = 2,
    .most_operands = 2,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct evaluate_options),
    .run = run,
};
