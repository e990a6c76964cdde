#include "model/path_pattern.h"

#include "base/error.h"
#include "tensor/number_text.h"

#include <stdio.h>
#include <string.h>

typedef struct format {
    int zeros, width, digits; /* digits -1: not given */
    char type;                /* '\0': not given */
} format;

static const char *read_count(const char *at, int *count)
{
    *count = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (*count < 1000) *count = *count * 10 + (*at - '0');
    return at;
}

/* Reads what stands behind the colon, up to the closing bracket; NULL if it is no such format. */
static const char *read_format(const char *at, format *f)
{
    *f = (format){.digits = -1};
    if (*at == ':') at++;
    if (*at == '0') f->zeros = 1;
    at = read_count(at, &f->width);
    if (*at == '.') {
        at++;
        if (*at < '0' || *at > '9') return NULL;
        at = read_count(at, &f->digits);
    }
    if (*at && strchr("defgEG", *at)) f->type = *at++;
    return *at == '}' && f->width < 100 && f->digits < 40 ? at : NULL;
}

/* The form printf wants, made of checked parts only. */
static int write_number(const format *f, double value, int is_whole, char *text, size_t size)
{
    if (f->type == 'd' || (is_whole && !f->type && f->digits < 0))
        return snprintf(text, size, f->zeros ? "%0*lld" : "%*lld", f->width, (long long)value);
    if (!f->type && f->digits < 0) {
        char number[CN_NUMBER_TEXT_BYTES];
        cn__number_str(value, 0, number);
        return snprintf(text, size, "%*s", f->width, number);
    }
    int digits = f->digits < 0 ? 6 : f->digits, width = f->width, zeros = f->zeros;
    switch (f->type) {
    case 'e': return snprintf(text, size, zeros ? "%0*.*e" : "%*.*e", width, digits, value);
    case 'E': return snprintf(text, size, zeros ? "%0*.*E" : "%*.*E", width, digits, value);
    case 'f': return snprintf(text, size, zeros ? "%0*.*f" : "%*.*f", width, digits, value);
    case 'G': return snprintf(text, size, zeros ? "%0*.*G" : "%*.*G", width, digits, value);
    default: return snprintf(text, size, zeros ? "%0*.*g" : "%*.*g", width, digits, value);
    }
}

static int find_value(const char *pattern, const char *name, int length, int64_t epoch, int64_t batch,
                      const cn_logs *logs, double *value, int *is_whole)
{
    *is_whole = 1;
    if (length == 5 && !strncmp(name, "epoch", 5)) return *value = (double)epoch, CN_OK;
    if (length == 5 && !strncmp(name, "batch", 5) && batch > 0) return *value = (double)batch, CN_OK;
    *is_whole = 0;
    for (int i = 0; i < logs->count; i++)
        if (strlen(logs->names[i]) == (size_t)length && !strncmp(logs->names[i], name, (size_t)length))
            return *value = logs->values[i], CN_OK;
    return cn__fail(CN_ENAME, "\"%.200s\": there is no value called \"%.*s\" to put into the name of a file", pattern,
                    length, name);
}

int cn__path_pattern_fill(const char *pattern, int64_t epoch, int64_t batch, const cn_logs *logs, char *text,
                          size_t size)
{
    size_t used = 0;
    for (const char *at = pattern; *at; at++) {
        char piece[CN_NUMBER_TEXT_BYTES] = {*at, '\0'};
        if ((*at == '{' || *at == '}') && at[1] == *at) {
            at++;
        } else if (*at == '{') {
            format f;
            double value = 0;
            int length = (int)strcspn(at + 1, ":}{"), is_whole = 0;
            const char *name = at + 1, *end = read_format(name + length, &f);
            if (!end || !length)
                return cn__fail(CN_EINVAL, "\"%.200s\": \"%.40s\" is no place such as {epoch:02d} or {val_loss:.4f}",
                                pattern, at);
            at = end;
            if (!logs) continue;
            CN_TRY(find_value(pattern, name, length, epoch, batch, logs, &value, &is_whole));
            if (f.type == 'd' && !is_whole)
                return cn__fail(CN_EINVAL, "\"%.200s\": {%.*s:d} wants a whole number; write {%.*s:.4f}", pattern,
                                length, name, length, name);
            write_number(&f, value, is_whole, piece, sizeof piece);
        } else if (*at == '}') {
            return cn__fail(CN_EINVAL, "\"%.200s\": a } without its {; write }} for a bracket", pattern);
        }
        size_t length = strlen(piece);
        if (used + length >= size)
            return cn__fail(CN_EINVAL, "\"%.200s\": the name of the file gets too long", pattern);
        memcpy(text + used, piece, length + 1);
        used += length;
    }
    if (size) text[used] = '\0';
    return CN_OK;
}
