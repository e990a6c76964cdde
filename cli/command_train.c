#include "class_weight.h"
#include "commands.h"
#include "complain.h"
#include "confusion.h"
#include "digits.h"
#include "engine_check.h"
#include "interrupt.h"
#include "layers_text.h"
#include "metrics_text.h"
#include "output_file.h"
#include "run_clock.h"
#include "train_callbacks.h"
#include "train_report.h"

#include <cornu/cornu.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_FINDINGS 16
#define WHOLE "a whole number of at least "

#define AT(member) offsetof(struct train_options, member)
static const struct option options[] = {
    {OPTION_TEXT, "layers", 'l', AT(layers), "LIST", 0, 0, NULL,
     "layers with commas between them: UNITS:ACTIVATION for a dense one, or a layer as text such as flatten or "
     "\"dense(512, activation=relu)\""},
    {OPTION_INTEGER, "epochs", 'e', AT(epochs), "N", 0, 1e6, WHOLE "0", "how often all training images are seen"},
    {OPTION_INTEGER, "batch-size", 'b', AT(batch_size), "N", 1, 1e9, WHOLE "1", "images for each step"},
    {OPTION_INTEGER, "steps-per-epoch", 0, AT(steps_per_epoch), "N", 0, 1e12, WHOLE "0",
     "batches of an epoch, which goes on in the images where the one before it stopped; 0: all of them"},
    {OPTION_TEXT, "optimizer", 0, AT(optimizer), "NAME", 0, 0, NULL,
     "rmsprop, sgd, adam, adamw, adagrad, adadelta, adamax, nadam, lion, ftrl, lamb, adafactor, muon or "
     "schedule_free_adamw; arguments in brackets: "
     "\"sgd(learning_rate=0.1, nesterov=1)\", \"adam(cosine_decay(0.001, 2000), clipnorm=1)\""},
    {OPTION_REAL, "learning-rate", 0, AT(learning_rate), "RATE", 0, 1e30, "a number of at least 0",
     "learning rate of the optimizer (default: the optimizer's own)"},
    {OPTION_REAL, "momentum", 0, AT(momentum), "M", 0, 1, "a number from 0 to 1",
     "momentum of the optimizer, for sgd and rmsprop (default: none)"},
    {OPTION_TEXT, "loss", 0, AT(loss), "NAME", 0, 0, NULL,
     "the loss; crossentropy and those called sparse_... take the labels as they are, the others as one-hot rows"},
    {OPTION_TEXT, "metrics", 0, AT(metrics), "LIST", 0, 0, NULL,
     "what else is measured, with commas between them: \"accuracy,auc(curve=PR),f1_score(average=macro)\""},
    {OPTION_TEXT, "class-weight", 0, AT(class_weight), "LIST", 0, 0, NULL,
     "how much images of a class count in training, as CLASS:WEIGHT with commas between them (default: all 1)"},
    {OPTION_REAL, "validation-split", 0, AT(validation_split), "SHARE", 0, 0.9999999, "a number from 0 to below 1",
     "the last share of the training images is kept for validation"},
    {OPTION_FLAG, "stratified", 0, AT(stratified), NULL, 0, 0, NULL,
     "... not the last, but the same share of each class, drawn from the seed"},
    {OPTION_INTEGER, "validation-freq", 0, AT(validation_freq), "N", 1, 1e6, WHOLE "1",
     "validate after every N epochs"},
    {OPTION_INTEGER, "validation-steps", 0, AT(validation_steps), "N", 0, 1e12, WHOLE "0",
     "validate with N batches only; 0: with all of them"},
    {OPTION_REAL, "scale", 0, AT(scale), "FACTOR", -1e30, 1e30, "a number or a fraction such as 1/255",
     "what pixels are multiplied by (default: 1/255, or 1 with a rescaling layer)"},
    {OPTION_TEXT, "precision", 0, AT(precision), "NAME", 0, 0, NULL, "float32, mixed_bfloat16 or float64"},
    {OPTION_INTEGER, "threads", 't', AT(threads), "N", 0, 64, "a whole number from 0 to 64",
     "threads; 0 means as many as this process may use, which is the most"},
    {OPTION_TEXT, "isa", 0, AT(isa), "NAME", 0, 0, NULL,
     "kernels to use, see `cornu info` (default: the best this machine can run)"},
    {OPTION_SEED, "seed", 's', AT(seed), "N", 0, 0, WHOLE "0", "same seed, same bits"},
    {OPTION_UNSET, "no-shuffle", 0, AT(shuffle), NULL, 0, 0, NULL, "keep the order of the training images"},
    {OPTION_UNSET, "no-check", 0, AT(check), NULL, 0, 0, NULL, "do not look for mistakes in the data before training"},
    {OPTION_TEXT, "output", 'o', AT(output), "FILE", 0, 0, NULL, "save the trained model there (safetensors)"},
    {OPTION_TEXT, "checkpoint", 0, AT(checkpoint), "FILE", 0, 0, NULL,
     "write there after each epoch where training stands; kept at the end"},
    {OPTION_INTEGER, "checkpoint-every", 0, AT(checkpoint_every), "N", 0, 1e12, WHOLE "0",
     "... and after every N batches; 0: after each epoch only"},
    {OPTION_FLAG, "resume", 0, AT(resume), NULL, 0, 0, NULL,
     "go on from the --checkpoint file, to the same bits as if nothing had happened"},
    {OPTION_INTEGER, "early-stopping", 0, AT(early_stopping), "N", 0, 1e9, WHOLE "0",
     "stop after N epochs without an improvement (default: never)"},
    {OPTION_FLAG, "restore-best", 0, AT(restore_best), NULL, 0, 0, NULL,
     "with --early-stopping: end with the weights of the best epoch"},
    {OPTION_INTEGER, "reduce-lr", 0, AT(reduce_lr), "N", 0, 1e9, WHOLE "0",
     "a tenth of the learning rate after N epochs without an improvement (default: never)"},
    {OPTION_TEXT, "save-best", 0, AT(save_best), "FILE", 0, 0, NULL,
     "save the model there whenever it improves; may hold {epoch:02d} and {val_loss:.4f}"},
    {OPTION_TEXT, "monitor", 0, AT(monitor), "NAME", 0, 0, NULL,
     "what improves: loss, accuracy, val_loss, val_accuracy (default: val_loss, or loss without validation)"},
    {OPTION_FLAG, "stop-on-nan", 0, AT(stop_on_nan), NULL, 0, 0, NULL,
     "end when the loss is no longer a number, and say in which layer that began"},
    {OPTION_TEXT, "csv", 0, AT(csv), "FILE", 0, 0, NULL, "write loss and metrics of each epoch as CSV"},
    {OPTION_TEXT, "json-lines", 0, AT(json_lines), "FILE", 0, 0, NULL, "... as one JSON object a line"},
    {OPTION_TEXT, "tensorboard", 0, AT(tensorboard), "DIR", 0, 0, NULL,
     "write them, and histograms of the weights, for `tensorboard --logdir DIR`"},
    {OPTION_FLAG, "json", 0, AT(json), NULL, 0, 0, NULL,
     "the last line of standard output is one JSON object with all results"},
    {OPTION_FLAG, "quiet", 'q', AT(quiet), NULL, 0, 0, NULL, "results and warnings only; the same as --verbose 0"},
    {OPTION_INTEGER, "verbose", 'v', AT(verbose), "0|1|2", 0, 2, "0, 1 or 2",
     "0: no progress; 1: a live bar (one line an epoch where there is no terminal); 2: one line an epoch"},
    {OPTION_FLAG, "download", 0, AT(download), NULL, 0, 0, NULL,
     "fetch the data set if it is not on this machine (this is the default)"},
    {OPTION_UNSET, "no-download", 0, AT(download), NULL, 0, 0, NULL, "never use the network"},
    {.kind = OPTION_END},
};
#undef AT

static const struct train_options defaults = {
    .layers = "512:relu,10:softmax", .epochs = 5, .batch_size = 128, .optimizer = "rmsprop", .learning_rate = NAN,
    .momentum = NAN, .loss = "categorical_crossentropy", .metrics = "accuracy", .validation_freq = 1, .scale = NAN,
    .precision = "float32", .shuffle = 1, .check = 1, .verbose = 1, .download = 1, .early_stopping = -1,
    .reduce_lr = -1,
};

/* --- the model --- */

/* The optimizer's text with --learning-rate and --momentum added to its arguments. */
static int optimizer_text(const struct train_options *given, char *text, size_t size)
{
    size_t length = strlen(given->optimizer);
    int has_brackets = length > 0 && given->optimizer[length - 1] == ')';
    int is_empty = has_brackets && length > 1 && given->optimizer[length - 2] == '(';
    const char *separator = has_brackets && !is_empty ? ", " : "";
    if (length + 100 > size) {
        return refuse("--optimizer is too long");
    }
    if (isnan(given->learning_rate) && isnan(given->momentum)) {
        snprintf(text, size, "%s", given->optimizer);
        return STATUS_OK;
    }
    int at = snprintf(text, size, "%.*s%s", (int)(length - (has_brackets ? 1 : 0)), given->optimizer,
                      has_brackets ? "" : "(");
    if (!isnan(given->learning_rate)) {
        at += snprintf(text + at, size - (size_t)at, "%slearning_rate=%.17g", separator, given->learning_rate);
        separator = ", ";
    }
    if (!isnan(given->momentum)) {
        at += snprintf(text + at, size - (size_t)at, "%smomentum=%.17g", separator, given->momentum);
    }
    snprintf(text + at, size - (size_t)at, ")");
    return STATUS_OK;
}

/* Leaves *model NULL or in need of cn_model_destroy, also on failure. */
static int build(cn_model **model, const struct train_options *given, const cn_dataset *data)
{
    char optimizer[512];
    struct metrics_text metrics;
    cn_compile_options how = {CN_COMPILE_DEFAULTS, .loss = given->loss};
    const int64_t *shape = cn_shape(data->train_images);
    *model = cn_sequential(.seed = given->seed, .precision = given->precision, .threads = (int)given->threads,
                           .isa = given->isa);
    if (*model == NULL) {
        return complain_of_option();
    }
    if (layers_text_want_rows(given->layers)) {
        cn_add(*model, cn_input(shape[1] * shape[2]));
    } else if (layers_text_want_channels(given->layers)) {
        cn_add(*model, cn_input(shape[1], shape[2], 1));
    } else {
        cn_add(*model, cn_input(shape[1], shape[2]));
    }
    if (layers_text_add(*model, given->layers) != STATUS_OK ||
        optimizer_text(given, optimizer, sizeof optimizer) != STATUS_OK ||
        metrics_text_read(&metrics, given->metrics) != STATUS_OK) {
        return STATUS_USAGE;
    }
    how.optimizer_name = optimizer;
    memcpy(how.metrics, metrics.names, sizeof how.metrics);
    return cn_model_compile(*model, &how) < 0 ? complain_of_option() : STATUS_OK;
}

/* --- the data --- */

typedef struct prepared {
    cn_tensor *train_x, *test_x;                 /* views of the data set's images */
    const cn_tensor *train_y, *test_y;
    cn_tensor *owned_train_y, *owned_test_y;     /* one-hot rows, or NULL */
    cn_tensor *class_weight;                     /* or NULL */
} prepared;

static int64_t output_units(const cn_model *model)
{
    int ndim = 0;
    const int64_t *shape = cn_model_output_shape(model, &ndim);
    return shape != NULL && ndim > 0 ? shape[ndim - 1] : 0;
}

/* The library would say this of arrays; here it can be said of layers and classes. */
static int check_classes(const struct train_options *given, const cn_dataset *data, const cn_model *model)
{
    int64_t units = output_units(model);
    int one_each = digits_one_hot(given->loss) ? units == data->num_classes : units >= data->num_classes;
    return one_each ? STATUS_OK
                    : complain("--layers %s ends in %lld units, but %s has %d classes; end it in one unit for each, "
                               "such as %d:softmax",
                               given->layers, (long long)units, data->name, data->num_classes, data->num_classes);
}

static int prepare(prepared *p, const struct train_options *given, const cn_dataset *data, const cn_model *model)
{
    if (check_classes(given, data, model) != STATUS_OK) {
        return STATUS_FAILED;
    }
    int status = class_weight_read(given->class_weight, data->num_classes, &p->class_weight);
    if (status != STATUS_OK) {
        return status;
    }
    double scale = !isnan(given->scale) ? given->scale : layers_text_rescale(given->layers) ? 1 : PIXEL_SCALE;
    p->train_x = digits_for_model(model, data->train_images, scale, data->name);
    p->test_x = digits_for_model(model, data->test_images, scale, data->name);
    if (p->train_x == NULL || p->test_x == NULL) {
        return STATUS_FAILED;
    }
    p->train_y = digits_targets(data->train_labels, given->loss, data->num_classes, &p->owned_train_y);
    p->test_y = digits_targets(data->test_labels, given->loss, data->num_classes, &p->owned_test_y);
    return p->train_y != NULL && p->test_y != NULL ? STATUS_OK : STATUS_FAILED;
}

/* The look before the leap. */
static int check(const prepared *p, const struct train_options *given, const cn_model *model)
{
    cn_finding findings[MOST_FINDINGS];
    int n = cn_inspect(p->train_x, p->train_y, findings, MOST_FINDINGS, .loss = given->loss,
                       .num_classes = output_units(model), .shuffle = given->shuffle,
                       .validation_split = given->validation_split, .validation_stratified = given->stratified,
                       .test_x = p->test_x, .test_y = p->test_y);
    if (n < 0) {
        return complain_of_library();
    }
    for (int i = 0; i < n && i < MOST_FINDINGS; i++) {
        if (findings[i].kind != CN_FINDING_VALIDATION_SORTED) { /* cn_fit says that */
            warn("%s", findings[i].sentence);
        }
    }
    return STATUS_OK;
}

/* --- training --- */

static int train(cn_model *model, const prepared *p, const struct train_options *given, struct train_results *results)
{
    int verbose = given->quiet ? 0 : (int)given->verbose;
    cn_fit_options how = {CN_FIT_DEFAULTS, .validation_split = given->validation_split, .verbose = verbose,
                          .output = stderr};
    how.epochs = (int)given->epochs;
    how.batch_size = given->batch_size;
    how.shuffle = given->shuffle;
    how.validation_stratified = given->stratified;
    how.validation_freq = (int)given->validation_freq;
    how.steps_per_epoch = given->steps_per_epoch;
    how.validation_steps = given->validation_steps;
    how.class_weight = p->class_weight;
    train_callbacks_make(given, verbose, how.callbacks);
    double start = cn_clock();
    if (cn_model_fit(model, p->train_x, p->train_y, &how) < 0) {
        return complain_of_library();
    }
    results->train_seconds = cn_clock() - start;
    for (int i = 0; verbose == 0 && cn_model_warning(model, i) != NULL; i++) {
        warn("%s", cn_model_warning(model, i));
    }
    results->interrupted = interrupt_seen();
    if (cn_model_stop_reason(model) != NULL && verbose > 0) {
        fprintf(stderr, "%s\n", cn_model_stop_reason(model));
    }
    if (cn_evaluate(model, p->test_x, p->test_y, &results->test, .batch_size = given->batch_size) < 0) {
        return complain_of_library();
    }
    results->total_seconds = run_clock_seconds();
    return STATUS_OK;
}

static int save(const cn_model *model, const char *path)
{
    interrupt_hold();
    int status = cn_model_save(model, path);
    interrupt_release();
    return status < 0 ? complain_of_library() : STATUS_OK;
}

static void report_confusions(cn_model *model, const prepared *p, const cn_dataset *data)
{
    cn_tensor *matrix = confusion_count(model, p->test_x, data->test_labels, data);
    if (matrix != NULL) {
        confusion_print_worst(matrix, data);
    }
    cn_tensor_destroy(&matrix);
}

/* Everything between loading and cleaning up. */
static int run_on(const cn_dataset *data, cn_model **model, prepared *p, const struct train_options *given)
{
    struct train_results results = {0};
    int quiet = given->quiet || given->verbose == 0;
    int status = build(model, given, data);
    status = status == STATUS_OK ? prepare(p, given, data, *model) : status;
    status = status == STATUS_OK && given->check ? check(p, given, *model) : status;
    if (status != STATUS_OK) {
        return status;
    }
    if (!quiet) {
        train_report_plan(*model, given);
    }
    if (train(*model, p, given, &results) != STATUS_OK) {
        return STATUS_FAILED;
    }
    if (!given->json || !quiet) {
        train_report_results(&results, given->json ? stderr : stdout);
    }
    if (!given->json && !quiet) {
        report_confusions(*model, p, data);
    }
    if (given->output != NULL) {
        if (save(*model, given->output) != STATUS_OK) {
            return STATUS_FAILED;
        }
        if (!quiet) {
            fprintf(stderr, "saved in %s\n", given->output);
        }
    }
    if (given->json && train_report_json(*model, given, data, &results) != STATUS_OK) {
        return STATUS_FAILED;
    }
    if (results.interrupted) {
        complain("interrupted: the results are those of the steps done so far%s",
                 given->checkpoint != NULL ? "; --resume goes on" : "");
        return STATUS_INTERRUPTED;
    }
    return STATUS_OK;
}

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct train_options *given = given_options;
    cn_dataset data = {0};
    cn_model *model = NULL;
    prepared p = {0};
    (void)n_operands;
    if (given->stratified && given->validation_split == 0) {
        return refuse("--stratified says how --validation-split divides the images, and that is not given");
    }
    int status = engine_check(given->isa, given->precision);
    status = status == STATUS_OK ? train_callbacks_check(given) : status;
    if (status != STATUS_OK) {
        return status;
    }
    if (given->output != NULL && output_file_check("--output", given->output) != STATUS_OK) {
        return STATUS_FAILED;
    }
    status = digits_load(&data, operands[0], given->download,
                         given->quiet || given->verbose == 0 ? DIGITS_SILENT : DIGITS_EVERYTHING);
    if (status == STATUS_OK) {
        status = run_on(&data, &model, &p, given);
    }
    cn_model_destroy(&model);
    cn_tensor_destroy(&p.owned_train_y);
    cn_tensor_destroy(&p.owned_test_y);
    cn_tensor_destroy(&p.class_weight);
    cn_dataset_destroy(&data);
    return status;
}

const struct command command_train = {
    .name = "train",
    .summary = "train a network on a data set and test it",
    .operands = "DATASET",
    .about =
        "DATASET is mnist, fashion_mnist, or a folder with four IDX files (train-images-idx3-ubyte, ...; gzipped or\n"
        "not). Pictures are scaled by 1/255 and given to the network as rows of numbers, or as pictures if the first\n"
        "layer is not a dense one, with an axis for their channel if a layer such as conv2d wants one. Before\n"
        "training, the data is searched for usual mistakes; each is a warning.\n"
        "\n"
        "Progress and warnings go to standard error, results to standard output. Ctrl-C ends training after the\n"
        "current batch; what has been learned is tested and saved, and the exit status is 130. A second Ctrl-C ends\n"
        "everything at once and leaves no file behind.\n"
        "\n"
        "With --checkpoint, a training that was interrupted, or killed, or lost its machine, goes on with --resume\n"
        "and ends with the same bits as one that was not.",
    .examples =
        "  cornu train mnist                                       784 -> 512 relu -> 10 softmax, 5 epochs\n"
        "  cornu train mnist --output mnist.safetensors            ... and keep the model\n"
        "  cornu train mnist --layers 128:relu,64:relu,10:softmax --epochs 20 --validation-split 0.1\n"
        "  cornu train mnist --optimizer sgd --learning-rate 0.1 --momentum 0.9\n"
        "  cornu train mnist --layers \"flatten,dense(256, activation=tanh),10:softmax\" \\\n"
        "                    --loss sparse_categorical_crossentropy\n"
        "  cornu train mnist --layers \"512:relu,dropout(0.3),batch_normalization,10:softmax\"\n"
        "  cornu train mnist --layers \"conv2d(32, 3x3, activation=relu),max_pooling2d,flatten,10:softmax\"\n"
        "  cornu train mnist --epochs 50 --validation-split 0.1 --early-stopping 3 --restore-best --csv log.csv\n"
        "  cornu train mnist --checkpoint run.checkpoint --checkpoint-every 100        kill it, add --resume\n"
        "  cornu train mnist --scale 1                             see what the look before the leap says\n"
        "  cornu train mnist --quiet --json | tail -1              for a script",
    .least_operands = 1,
    .most_operands = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct train_options),
    .run = run,
};
