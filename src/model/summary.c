#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text that grows. */
typedef struct text {
    char *bytes;
    size_t used, capacity;
    int failed;
} text;

static void put(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(text *t, const char *format, ...)
{
    char piece[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (n < 0 || t->failed) return;
    size_t length = strlen(piece);
    if (t->used + length + 1 > t->capacity) {
        size_t capacity = 2 * t->capacity + length + 1024;
        char *grown = cn__realloc(t->bytes, capacity, 1, "the summary");
        t->failed = !grown;
        if (!grown) return;
        t->bytes = grown;
        t->capacity = capacity;
    }
    memcpy(t->bytes + t->used, piece, length + 1);
    t->used += length;
}

static void put_repeated(text *t, const char *what, int count)
{
    for (int i = 0; i < count; i++) put(t, "%s", what);
}

/* 407050 -> "407,050" */
static const char *with_commas(char out[40], int64_t n)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n), used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0 && digits[i - 1] != '-') out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

/* 1628200 -> "1.55 MB", in steps of 1024 */
static const char *readable(char out[40], int64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    double size = (double)bytes;
    int unit = 0;
    while (size >= 1024 && unit < 5) {
        size /= 1024;
        unit++;
    }
    snprintf(out, 40, "%.2f %s", size, units[unit]);
    return out;
}

/* A cell of `width` columns: a space, the content cut with an ellipsis, a space. */
static void put_cell(text *t, const char *content, int width, int right)
{
    int room = width - 2, length = (int)strlen(content);
    if (length > room) {
        put(t, " %.*s\u2026 ", room - 1, content);
        return;
    }
    put(t, right ? " %*s " : " %-*s ", room, content);
}

static void put_rule(text *t, const int widths[3], const char *left, const char *line, const char *cross,
                     const char *right)
{
    put(t, "%s", left);
    for (int c = 0; c < 3; c++) {
        put_repeated(t, line, widths[c]);
        put(t, "%s", c < 2 ? cross : right);
    }
    put(t, "\n");
}

static void put_row(text *t, const int widths[3], const char *bar, const char *a, const char *b, const char *c)
{
    put(t, "%s", bar);
    put_cell(t, a, widths[0], 0);
    put(t, "%s", bar);
    put_cell(t, b, widths[1], 0);
    put(t, "%s", bar);
    put_cell(t, c, widths[2], 1);
    put(t, "%s\n", bar);
}

static int64_t layer_parameters(const cn_layer *layer)
{
    int64_t count = 0;
    for (int i = 0; i < layer->n_weights; i++) count += layer->weights[i].rows * layer->weights[i].columns;
    return count;
}

static void put_layer(text *t, const int widths[3], const cn_layer *layer)
{
    char name[160], shape[200] = "?", count[60] = "0 (unbuilt)";
    snprintf(name, sizeof name, "%.70s (%s)", layer->name, layer->class_->name);
    if (layer->is_built) {
        size_t used = (size_t)snprintf(shape, sizeof shape, "(None");
        for (int i = 0; i < layer->output_ndim; i++)
            used += (size_t)snprintf(shape + used, sizeof shape - used, ", %lld", (long long)layer->output_shape[i]);
        snprintf(shape + used, sizeof shape - used, "%s)", layer->output_ndim ? "" : ",");
        with_commas(count, layer_parameters(layer));
    }
    put_row(t, widths, "\u2502", name, shape, count);
}

static void put_total(text *t, const char *what, int64_t count, int64_t bytes)
{
    char number[40], size[40];
    put(t, " %s params: %s (%s)\n", what, with_commas(number, count), readable(size, bytes));
}

/* Slots as large as the weights that train, and Keras's scalars: iteration, learning rate unless it follows a schedule,
 * and what else it keeps for some optimizers. */
static int64_t optimizer_parameters(const cn_model *model)
{
    int64_t slots = 0;
    if (!model->is_compiled || model->iterations == 0) return 0;
    for (int k = 0; k < CN__MAX_STATE; k++) slots += model->slots[k] != NULL;
    int64_t numbers = slots * cn_model_count_trainable_params(model);
    const cn_optimizer *optimizer = model->optimizer;
    for (int i = 0; optimizer->class_->keras_numbers && i < model->n_weights; i++) {
        const cn__weight *w = cn__model_weight_of(model, i);
        if (!cn__model_trains(model, i)) continue;
        numbers += optimizer->class_->keras_numbers(optimizer->options, model->weights[i].name, w->ndim, w->shape);
        for (int k = 0; k < CN__MAX_SLOTS; k++) numbers -= model->slots[k] ? w->rows * w->columns : 0;
    }
    return numbers + 1 + !optimizer->schedule.name + optimizer->class_->keras_scalars;
}

char *cn_model_summary(const cn_model *model, int columns)
{
    if (!model) return cn__fail_null(CN_EINVAL, "cn_model_summary: the model is NULL");
    int length = (columns > 0 ? columns : 80) - 4;
    if (length > 88) length = 88;
    if (length < 40) length = 40;
    /* Keras places the columns at 45 %, 80 % and 100 % of the line and takes 3, 4 and 3 of the 10 columns that borders
     * need from them; each cell has a space on both sides. */
    int first = (int)(.45 * length), second = (int)(.80 * length);
    int widths[3] = {first + 2 - 3, second - first + 2 - 4, length - second + 2 - 3};
    text t = {.bytes = NULL};
    put(&t, "Model: \"%.200s\"\n", model->name);
    put_rule(&t, widths, "\u250f", "\u2501", "\u2533", "\u2513");
    put_row(&t, widths, "\u2503", "Layer (type)", "Output Shape", "Param #");
    put_rule(&t, widths, "\u2521", "\u2501", "\u2547", "\u2529");
    int shown = 0;
    for (int i = 0; i < model->n_layers; i++) {
        if (model->layers[i]->class_ == &cn__layer_input) continue;
        if (shown++) put_rule(&t, widths, "\u251c", "\u2500", "\u253c", "\u2524");
        put_layer(&t, widths, model->layers[i]);
    }
    put_rule(&t, widths, "\u2514", "\u2500", "\u2534", "\u2518");
    int64_t count = cn_model_count_params(model), extra = optimizer_parameters(model);
    int64_t bytes = (int64_t)cn__engine_bytes(model->engine), trainable = cn_model_count_trainable_params(model);
    put_total(&t, "Total", count + extra, (count + extra) * bytes);
    put_total(&t, "Trainable", trainable, trainable * bytes);
    put_total(&t, "Non-trainable", count - trainable, (count - trainable) * bytes);
    if (extra) put_total(&t, "Optimizer", extra, extra * bytes);
    if (t.failed) {
        cn__free(t.bytes);
        return NULL;
    }
    return t.bytes;
}
