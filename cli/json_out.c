#include "json_out.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Length of the UTF-8 character at text, 0 if the bytes are none (RFC 3629: no overlong forms, no surrogates). */
static int utf8_length(const unsigned char *text)
{
    int length = text[0] < 0x80 ? 1 : text[0] >= 0xC2 && text[0] < 0xE0 ? 2 : (text[0] & 0xF0) == 0xE0 ? 3
                 : text[0] >= 0xF0 && text[0] < 0xF5 ? 4 : 0;
    for (int i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F)) {
        return 0;
    }
    return length;
}

static void write_string(FILE *stream, const char *value)
{
    const unsigned char *text = (const unsigned char *)value;
    fputc('"', stream);
    while (*text != '\0') {
        int length = utf8_length(text);
        if (length == 0) {
            fputs("\\ufffd", stream); /* file names may hold any bytes, JSON may not */
            length = 1;
        } else if (*text == '"' || *text == '\\') {
            fprintf(stream, "\\%c", *text);
        } else if (*text < 0x20) {
            fprintf(stream, "\\u%04x", *text);
        } else {
            fwrite(text, 1, (size_t)length, stream);
        }
        text += length;
    }
    fputc('"', stream);
}

static void begin_value(json_out *json, const char *key)
{
    if (json->needs_comma) {
        fputs(", ", json->stream);
    }
    json->needs_comma = 1;
    if (key != NULL) {
        write_string(json->stream, key);
        fputs(": ", json->stream);
    }
}

void json_out_open(json_out *json, const char *key, char bracket)
{
    begin_value(json, key);
    fputc(bracket, json->stream);
    json->needs_comma = 0;
}

void json_out_close(json_out *json, char bracket)
{
    fputc(bracket, json->stream);
    json->needs_comma = 1;
}

void json_out_text(json_out *json, const char *key, const char *value)
{
    begin_value(json, key);
    if (value == NULL) {
        fputs("null", json->stream);
    } else {
        write_string(json->stream, value);
    }
}

void json_out_integer(json_out *json, const char *key, int64_t value)
{
    begin_value(json, key);
    fprintf(json->stream, "%" PRId64, value);
}

void json_out_unsigned(json_out *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    fprintf(json->stream, "%" PRIu64, value);
}

void json_out_real(json_out *json, const char *key, double value)
{
    begin_value(json, key);
    if (!isfinite(value)) {
        fputs("null", json->stream);
        return;
    }
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    fputs(text, json->stream);
}

void json_out_boolean(json_out *json, const char *key, int value)
{
    begin_value(json, key);
    fputs(value ? "true" : "false", json->stream);
}
