#include "base/log_file.h"
#include "model/callback_parts.h"
#include "tensor/number_text.h"

#include <math.h>

typedef struct json_logger {
    cn_callback callback;
    char *filename;
    int append;
    cn__log_file file;
    int64_t length; /* as in callback_csv_logger.c */
} json_logger;

static int on_train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    json_logger *j = user;
    (void)model, (void)epochs, (void)steps;
    j->length = -1;
    return cn__log_file_try(j->filename);
}

/* A name given to cn_model_log may be anything. */
static void write_name(FILE *stream, const char *name)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x20) fprintf(stream, "\\u%04x", c);
        else if (c == '"' || c == '\\') fprintf(stream, "\\%c", c);
        else putc(c, stream);
    }
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    json_logger *j = user;
    (void)model;
    if (!j->file.stream)
        CN_TRY(cn__log_file_open(&j->file, j->filename, j->length >= 0 ? j->length : j->append ? INT64_MAX : 0));
    fprintf(j->file.stream, "{\"epoch\": %d", epoch);
    for (int i = 0; i < logs->count; i++) {
        char text[CN_NUMBER_TEXT_BYTES] = "null";
        if (isfinite(logs->values[i])) cn__number_str(logs->values[i], 0, text);
        fputs(", \"", j->file.stream);
        write_name(j->file.stream, logs->names[i]);
        fprintf(j->file.stream, "\": %s", text);
    }
    fputs("}\n", j->file.stream);
    CN_TRY(cn__log_file_flush(&j->file));
    j->length = j->file.length;
    return CN_OK;
}

static int on_train_end(void *user, cn_model *model, const cn_logs *logs)
{
    (void)model, (void)logs;
    cn__log_file_close(&((json_logger *)user)->file);
    return CN_OK;
}

static void *state(void *user, cn_model *model, int part, size_t *bytes)
{
    json_logger *j = user;
    (void)model;
    *bytes = sizeof j->length;
    return part == 0 ? &j->length : NULL;
}

static void destroy(void *user)
{
    json_logger *j = user;
    cn__log_file_close(&j->file);
    cn__free(j->filename);
    cn__free(j);
}

cn_callback *cn_json_logger_create(const cn_json_logger_options *options)
{
    if (!options || !options->filename || !*options->filename) {
        cn__fail(CN_EINVAL, "JSON-lines logger: the filename is empty");
        return cn__callback_refused();
    }
    json_logger *j = cn__callback_create(sizeof *j, "JSONLogger");
    if (!j) return cn__callback_refused();
    j->callback.on_train_begin = on_train_begin;
    j->callback.on_epoch_end = on_epoch_end;
    j->callback.on_train_end = on_train_end;
    j->callback.state = state;
    j->callback.destroy = destroy;
    j->append = options->append;
    j->length = -1;
    j->filename = cn__strdup(options->filename, "the name of a file");
    if (j->filename) return &j->callback;
    destroy(j);
    return cn__callback_refused();
}
