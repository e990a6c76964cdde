#include "base/log_file.h"
#include "model/callback_parts.h"
#include "tensor/number_text.h"

#include <stdlib.h>
#include <string.h>

/* Columns have their names from the first epoch; "val_" and a name where it had no validation. */
typedef struct column {
    char name[56];
} column;

typedef struct csv_logger {
    cn_callback callback;
    char *filename;
    char separator;
    int append;
    cn__log_file file;
    int n_columns;
    column columns[2 * CN__MOST_LOGS];
    int64_t length; /* of the file after the last epoch; -1: not begun */
} csv_logger;

static int on_train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    csv_logger *c = user;
    (void)model, (void)epochs, (void)steps;
    c->n_columns = 0;
    c->length = -1;
    return cn__log_file_try(c->filename);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const column *)a)->name, ((const column *)b)->name);
}

static void name_columns(csv_logger *c, const cn_logs *logs)
{
    int has_validation = 0, n = logs->count < CN__MOST_LOGS ? logs->count : CN__MOST_LOGS;
    for (int i = 0; i < n; i++) {
        snprintf(c->columns[i].name, sizeof c->columns[i].name, "%.50s", logs->names[i]);
        has_validation |= !strncmp(logs->names[i], "val_", 4);
    }
    qsort(c->columns, (size_t)n, sizeof *c->columns, by_name);
    c->n_columns = n;
    for (int i = 0; i < n && !has_validation; i++, c->n_columns++) {
        char name[sizeof c->columns[0].name]; /* a copy: the compiler cannot see that the two do not overlap */
        memcpy(name, c->columns[i].name, sizeof name);
        snprintf(c->columns[n + i].name, sizeof name, "val_%.50s", name);
    }
}

/* Opens at the first line and not before: a resumed run must not empty the file. */
static int begin(csv_logger *c, const cn_logs *logs)
{
    name_columns(c, logs);
    CN_TRY(cn__log_file_open(&c->file, c->filename, c->length >= 0 ? c->length : c->append ? INT64_MAX : 0));
    if (c->file.length > 0) return CN_OK;
    fputs("epoch", c->file.stream);
    for (int i = 0; i < c->n_columns; i++) fprintf(c->file.stream, "%c%s", c->separator, c->columns[i].name);
    fputs("\r\n", c->file.stream);
    return CN_OK;
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    csv_logger *c = user;
    (void)model;
    if (!c->file.stream) CN_TRY(begin(c, logs));
    fprintf(c->file.stream, "%d", epoch);
    for (int i = 0; i < c->n_columns; i++) {
        char text[CN_NUMBER_TEXT_BYTES] = "NA";
        for (int k = 0; k < logs->count; k++)
            if (!strcmp(logs->names[k], c->columns[i].name)) cn__number_str(logs->values[k], 0, text);
        fprintf(c->file.stream, "%c%s", c->separator, text);
    }
    fputs("\r\n", c->file.stream);
    CN_TRY(cn__log_file_flush(&c->file));
    c->length = c->file.length;
    return CN_OK;
}

static int on_train_end(void *user, cn_model *model, const cn_logs *logs)
{
    csv_logger *c = user;
    (void)model, (void)logs;
    cn__log_file_close(&c->file);
    return CN_OK;
}

static void *state(void *user, cn_model *model, int part, size_t *bytes)
{
    csv_logger *c = user;
    (void)model;
    *bytes = sizeof c->length;
    return part == 0 ? &c->length : NULL;
}

static void destroy(void *user)
{
    csv_logger *c = user;
    cn__log_file_close(&c->file);
    cn__free(c->filename);
    cn__free(c);
}

static int open(csv_logger *c, const cn_csv_logger_options *o)
{
    const char *separator = o->separator ? o->separator : ",";
    c->callback.on_train_begin = on_train_begin;
    c->callback.on_epoch_end = on_epoch_end;
    c->callback.on_train_end = on_train_end;
    c->callback.state = state;
    c->callback.destroy = destroy;
    if (!o->filename || !*o->filename) return cn__fail(CN_EINVAL, "CSVLogger: the filename is empty");
    if (strlen(separator) != 1)
        return cn__fail(CN_EINVAL, "CSVLogger: the separator must be one character, got \"%.32s\"", separator);
    c->separator = *separator;
    c->append = o->append;
    c->length = -1;
    c->filename = cn__strdup(o->filename, "the name of a file");
    return c->filename ? CN_OK : CN_ENOMEM;
}

cn_callback *cn_csv_logger_create(const cn_csv_logger_options *options)
{
    const cn_csv_logger_options defaults = {CN_CSV_LOGGER_DEFAULTS};
    csv_logger *c = cn__callback_create(sizeof *c, "CSVLogger");
    if (c && open(c, options ? options : &defaults) == CN_OK) return &c->callback;
    if (c) destroy(c);
    return cn__callback_refused();
}
