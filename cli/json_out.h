/* JSON as output: values are written in the order of the calls, commas and escapes are taken care of. RFC 8259.
 * (The prefix is long because jansson, which the library may use, owns the short names.) */
#ifndef CLI_JSON_OUT_H
#define CLI_JSON_OUT_H

#include <stdint.h>
#include <stdio.h>

typedef struct json_out {
    FILE *stream;
    int needs_comma;
} json_out;

/* `key` is NULL inside an array and at the top. */
void json_out_open(json_out *json, const char *key, char bracket); /* '{' or '[' */
void json_out_close(json_out *json, char bracket);                 /* '}' or ']' */
void json_out_text(json_out *json, const char *key, const char *value); /* NULL is written as null */
void json_out_integer(json_out *json, const char *key, int64_t value);
void json_out_unsigned(json_out *json, const char *key, uint64_t value);
void json_out_real(json_out *json, const char *key, double value); /* digits that read back; NaN, infinity: null */
void json_out_boolean(json_out *json, const char *key, int value);

#endif
