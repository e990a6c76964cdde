/* What Keras's classes take (tests/parity/signatures), compared with what Cornu's take. */
#ifndef CN_TEST_SIGNATURES_H
#define CN_TEST_SIGNATURES_H

#include "base/field.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One class of Keras: its arguments in order, each with its default as Python writes it, without quotation marks. */
typedef struct signature {
    char class_[64];
    int n;
    char names[48][48], defaults[48][96];
    int required[48];
} signature;

/* The arguments of Cornu's class of that name. */
typedef struct taken {
    const cn__field *fields;
    int n_fields;
    const void *defaults; /* an options struct */
} taken;

/* What is different on purpose, and why. class_ "*": in all classes. argument "": the class is not there at all. An
 * argument with a "=" behind its name is there at its place and has another default. */
typedef struct signature_exception {
    const char *class_, *argument, *why;
    int was_used;
} signature_exception;

static inline void unquote(char *out, size_t bytes, const char *text)
{
    size_t length = strlen(text);
    int quoted = length >= 2 && text[0] == '\'' && text[length - 1] == '\'';
    snprintf(out, bytes, "%.*s", (int)length - 2 * quoted, text + quoted);
}

/* "Class(argument, argument=default, ...)". 1, or 0 where the text is something else. */
static inline int signature_parse(const char *line, signature *s)
{
    char text[4096], *at, *end;
    memset(s, 0, sizeof *s);
    if (strlen(line) >= sizeof text || !strchr(line, '(')) return 0;
    strcpy(text, line);
    at = strchr(text, '(');
    *at++ = '\0';
    unquote(s->class_, sizeof s->class_, text);
    for (int last = 0; !last; at = end + 1) {
        int depth = 0, in_text = 0;
        for (end = at; *end && (in_text || depth || (*end != ',' && *end != ')')); end++) {
            if (*end == '\'') in_text = !in_text;
            if (!in_text && (*end == '(' || *end == '[')) depth++;
            if (!in_text && (*end == ')' || *end == ']')) depth--;
        }
        if (!*end) return 0;
        last = *end == ')';
        *end = '\0';
        at += strspn(at, " ");
        if (!*at) return last;
        if (s->n == 48) return 0;
        char *equals = strchr(at, '=');
        if (equals) *equals = '\0';
        s->required[s->n] = !equals;
        unquote(s->names[s->n], sizeof s->names[0], at);
        unquote(s->defaults[s->n++], sizeof s->defaults[0], equals ? equals + 1 : "");
    }
    return 1;
}

static inline int is_excepted(signature_exception *list, int n, const char *class_, const char *argument)
{
    for (int i = 0; i < n; i++) {
        if ((strcmp(list[i].class_, class_) && strcmp(list[i].class_, "*")) || strcmp(list[i].argument, argument))
            continue;
        list[i].was_used = 1;
        return 1;
    }
    return 0;
}

/* Python's None: what a field of Cornu holds where nothing was given. */
static inline int is_none(const cn__field *field, const void *at)
{
    double real;
    int64_t whole;
    const char *text;
    switch (field->type) {
    case CN__FIELD_TEXT: memcpy(&text, at, sizeof text); return !text;
    case CN__FIELD_REAL:
    case CN__FIELD_RANGE: memcpy(&real, at, sizeof real); return real == 0 || !isfinite(real);
    case CN__FIELD_INT64:
    case CN__FIELD_SHAPE: memcpy(&whole, at, sizeof whole); return whole <= 0;
    default: return 0;
    }
}

static inline size_t bytes_of(cn__field_type type)
{
    switch (type) {
    case CN__FIELD_INT: return sizeof(int);
    case CN__FIELD_LIST: return CN__LIST_ENTRIES * sizeof(double);
    case CN__FIELD_SHAPE: return CN__SHAPE_ENTRIES * sizeof(int64_t);
    case CN__FIELD_RANGE: return 2 * sizeof(double);
    default: return 8;
    }
}

/* Whether Cornu's default of a field is what Python's text says. */
static inline int has_default(const cn__field *field, const void *defaults, const char *value)
{
    const char *at = (const char *)defaults + field->offset;
    if (!strcmp(value, "None")) return is_none(field, at);
    if (field->type == CN__FIELD_TEXT) {
        const char *text;
        memcpy(&text, at, sizeof text);
        return text && cn__same_name(text, value);
    }
    char read[CN__LIST_ENTRIES * sizeof(double)] = {0};
    cn__field here = *field;
    here.offset = 0;
    return cn__field_set_text(&here, read, "default", value) == 0 && !memcmp(read, at, bytes_of(field->type));
}

/* How many differences there are; each is written to stderr. The places of arguments matter, since texts may leave
 * names out; Cornu's own arguments stand behind Keras's. */
static inline int signature_differences(const signature *keras, const taken *ours, signature_exception *list, int n)
{
    int differences = 0, place = 0;
    for (int i = 0; i < keras->n; i++) {
        const char *name = keras->names[i];
        char other_default[64];
        snprintf(other_default, sizeof other_default, "%s=", name);
        if (is_excepted(list, n, keras->class_, name)) continue;
        while (place < ours->n_fields && !strcmp(ours->fields[place].name, "name")) place++;
        const cn__field *field = cn__field_find(ours->fields, ours->n_fields, name);
        if (!field) {
            fprintf(stderr, "%s: the argument %s is missing\n", keras->class_, name);
            differences++;
            continue;
        }
        if (field != &ours->fields[place]) {
            fprintf(stderr, "%s: %s is argument %d, but stands at place %d\n", keras->class_, name, place + 1,
                    (int)(field - ours->fields) + 1);
            differences++;
        }
        place++;
        if (keras->required[i] || is_excepted(list, n, keras->class_, other_default)) continue;
        if (has_default(field, ours->defaults, keras->defaults[i])) continue;
        fprintf(stderr, "%s: the default of %s is not %s\n", keras->class_, name, keras->defaults[i]);
        differences++;
    }
    return differences;
}

/* All classes of GROUP.txt; find fills what Cornu takes and returns 0 for a class that it does not know. Exceptions
 * that nothing needs are differences too. */
static inline int group_differences(const char *group, int (*find)(const char *class_, taken *ours),
                                    signature_exception *list, int n)
{
    char path[1024], line[4096];
    signature keras;
    int differences = 0, classes = 0;
    snprintf(path, sizeof path, "%s/signatures/%s.txt", CN_PARITY_DIR, group);
    FILE *stream = fopen(path, "r");
    while (stream && fgets(line, sizeof line, stream)) {
        taken ours = {NULL, 0, NULL};
        if (line[0] == '#') continue;
        if (!signature_parse(line, &keras)) {
            fprintf(stderr, "%s: cannot read %s", path, line);
            differences++;
        } else if (!is_excepted(list, n, keras.class_, "")) {
            int found = find(keras.class_, &ours);
            if (!found) fprintf(stderr, "%s is missing\n", keras.class_);
            differences += found ? signature_differences(&keras, &ours, list, n) : 1;
        }
        classes++;
    }
    if (stream) fclose(stream);
    for (int i = 0; i < n; i++) {
        if (list[i].was_used) continue;
        fprintf(stderr, "no need to except %s %s\n", list[i].class_, list[i].argument);
        differences++;
    }
    return classes ? differences : 1;
}

#endif
