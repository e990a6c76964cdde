#include "base/field.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *at(void *options, const cn__field *field)
{
    return (char *)options + field->offset;
}

static size_t field_bytes(cn__field_type type)
{
    switch (type) {
    case CN__FIELD_INT: return sizeof(int);
    case CN__FIELD_INT64: return sizeof(int64_t);
    case CN__FIELD_REAL: return sizeof(double);
    case CN__FIELD_TEXT: return sizeof(char *);
    case CN__FIELD_RANGE: return 2 * sizeof(double);
    case CN__FIELD_REALS: return sizeof(cn__reals);
    case CN__FIELD_LIST: return CN__LIST_ENTRIES * sizeof(double);
    default: return CN__SHAPE_ENTRIES * sizeof(int64_t);
    }
}

void cn__range(const double range[2], double *low, double *high)
{
    double a = range[0], b = range[1];
    if (b == 0) {
        *low = a < 0 ? a : -a;
        *high = -*low;
        return;
    }
    *low = a < b ? a : b;
    *high = a < b ? b : a;
}

static void set_reals(void *target, cn__reals reals)
{
    cn__reals old;
    memcpy(&old, target, sizeof old);
    cn__free((void *)(uintptr_t)old.many);
    memcpy(target, &reals, sizeof reals);
}

static int copy_reals(const char *name, const void *source, void *target)
{
    cn__reals reals;
    memcpy(&reals, source, sizeof reals);
    int is_good = reals.n == 0 || (reals.n > 0 && reals.many);
    double *copy = is_good && reals.n ? cn__alloc((size_t)reals.n, sizeof *copy, name) : NULL;
    int status = is_good && reals.n && !copy ? CN_ENOMEM : CN_OK;
    if (!is_good)
        status = cn__fail(CN_EINVAL, "%s: a list needs a pointer and how many numbers there are, got %lld and %s", name,
                          (long long)reals.n, reals.many ? "a pointer" : "NULL");
    if (copy) memcpy(copy, reals.many, (size_t)reals.n * sizeof *copy);
    if (!copy) reals.n = 0;
    reals.many = copy;
    memcpy(target, &reals, sizeof reals);
    return status;
}

int cn__fields_copy(const cn__field *fields, int n, const void *from, void *to)
{
    int status = CN_OK;
    for (int i = 0; i < n; i++) {
        const char *source = (const char *)from + fields[i].offset;
        if (fields[i].type == CN__FIELD_REALS) {
            cn__reals none = {.n = 0};
            int copied = copy_reals(fields[i].name, status == CN_OK ? source : (const char *)&none, at(to, &fields[i]));
            if (copied < 0) status = copied;
            continue;
        }
        if (fields[i].type != CN__FIELD_TEXT) {
            memcpy(at(to, &fields[i]), source, field_bytes(fields[i].type));
            continue;
        }
        const char *text;
        memcpy(&text, source, sizeof text);
        char *copy = status == CN_OK ? cn__strdup(text, fields[i].name) : NULL;
        if (text && !copy) status = CN_ENOMEM;
        memcpy(at(to, &fields[i]), &copy, sizeof copy);
    }
    if (status < 0) cn__fields_free(fields, n, to);
    return status;
}

void cn__fields_free(const cn__field *fields, int n, void *options)
{
    for (int i = 0; i < n; i++) {
        if (fields[i].type == CN__FIELD_REALS) set_reals(at(options, &fields[i]), (cn__reals){.n = 0});
        if (fields[i].type != CN__FIELD_TEXT) continue;
        char *text, *none = NULL;
        memcpy(&text, at(options, &fields[i]), sizeof text);
        cn__free(text);
        memcpy(at(options, &fields[i]), &none, sizeof none);
    }
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) *--end = '\0';
    return text;
}

/* Ends `text` at the next comma or closing bracket of this level; returns what follows, NULL at the end of the text. */
static char *split(char *text, char *ended_by)
{
    int depth = 0;
    for (; *text; text++) {
        if (*text == '(' || *text == '[') depth++;
        if (depth == 0 && (*text == ',' || *text == ')')) {
            *ended_by = *text;
            *text = '\0';
            return text + 1;
        }
        if (*text == ')' || *text == ']') depth--;
    }
    return NULL;
}

int cn__spec_parse(const char *text, cn__spec *spec)
{
    *spec = (cn__spec){.n = 0};
    if (!text) return cn__fail(CN_EINVAL, "a name is missing (NULL)");
    if (strlen(text) >= sizeof spec->text)
        return cn__fail(CN_EINVAL, "\"%.40s...\" is longer than %zu bytes", text, sizeof spec->text - 1);
    strcpy(spec->text, text);
    char *open = strchr(spec->text, '('), *rest = open;
    if (open) *open = '\0';
    char *name = trim(spec->text);
    if (!*name || strlen(name) >= sizeof spec->name)
        return cn__fail(CN_EINVAL, "\"%.64s\": expected a name, or a name with arguments in brackets", text);
    strcpy(spec->name, name);
    if (!open) return CN_OK;
    char ended_by = ',';
    for (rest = open + 1; ended_by == ',';) {
        char *argument = rest;
        rest = split(argument, &ended_by);
        if (!rest) return cn__fail(CN_EINVAL, "\"%.64s\": a closing bracket is missing", text);
        argument = trim(argument);
        if (!*argument) {
            if (ended_by == ')' && spec->n == 0) break;
            return cn__fail(CN_EINVAL, "\"%.64s\": argument %d is empty", text, spec->n + 1);
        }
        if (spec->n == CN__SPEC_ARGUMENTS) return cn__fail(CN_EINVAL, "\"%.64s\": too many arguments", text);
        char *equals = strchr(argument, '='), *bracket = strchr(argument, '(');
        if (equals && (!bracket || equals < bracket)) {
            *equals = '\0';
            spec->keys[spec->n] = trim(argument);
            argument = trim(equals + 1);
        } else if (spec->n && spec->keys[spec->n - 1]) {
            return cn__fail(CN_EINVAL, "\"%.64s\": \"%.64s\" stands behind a named argument and needs a name too", text,
                            argument);
        }
        size_t length = strlen(argument);
        if (length >= 2 && (argument[0] == '"' || argument[0] == '\'') && argument[length - 1] == argument[0]) {
            argument[length - 1] = '\0';
            argument++;
        }
        spec->values[spec->n++] = argument;
    }
    if (*trim(rest)) return cn__fail(CN_EINVAL, "\"%.64s\": \"%.64s\" stands behind the closing bracket", text, rest);
    return CN_OK;
}

const cn__field *cn__field_find(const cn__field *fields, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(fields[i].name, name)) return &fields[i];
    return NULL;
}

static int parse_int(const char *owner, const char *name, const char *value, int64_t low, int64_t high, int64_t *out)
{
    static const char *const truths[] = {"false", "true", "False", "True"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, truths[i])) continue;
        *out = i & 1;
        return CN_OK;
    }
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < low || number > high)
        return cn__fail(CN_EINVAL, "%s: %s must be a whole number, got \"%.64s\"", owner, name, value);
    *out = number;
    return CN_OK;
}

/* strtod obeys the program's locale; a value such as "0.5" must mean the same everywhere. */
static int parse_real(const char *owner, const char *name, const char *value, double *out)
{
    char *end, localized[64]; /* into which end may point */
    double number = strtod(value, &end);
    if (*end == '.') {
        const char *point = strchr(value, '.');
        if (strlen(value) < sizeof localized) {
            strcpy(localized, value);
            localized[point - value] = ',';
            number = strtod(localized, &end);
        }
    }
    if (end == value || *end)
        return cn__fail(CN_EINVAL, "%s: %s must be a number, got \"%.64s\"", owner, name, value);
    *out = number;
    return CN_OK;
}

/* "[1, 0.5, 0.1]", or one number without brackets. Returns how many there are. */
static int parse_list(const char *owner, const char *name, const char *value, int most, double *list)
{
    char text[CN__SPEC_BYTES];
    size_t length = strlen(value);
    int bracket = value[0] == '[' || value[0] == '(', n = 0;
    if (length >= sizeof text || (bracket && (length < 2 || value[length - 1] != (value[0] == '[' ? ']' : ')'))))
        return cn__fail(CN_EINVAL, "%s: %s must be a list such as [1, 2.5], got \"%.64s\"", owner, name, value);
    memcpy(text, value + bracket, length + 1 - (size_t)bracket);
    if (bracket) text[length - 2] = '\0';
    for (char *at = text, *comma; at; at = comma) {
        comma = strchr(at, ',');
        if (comma) *comma++ = '\0';
        if (n == most) return cn__fail(CN_EINVAL, "%s: %s takes at most %d numbers", owner, name, most);
        CN_TRY(parse_real(owner, name, trim(at), &list[n++]));
    }
    return n;
}

/* Brackets make a list of one number too. */
static int parse_reals(const char *owner, const char *name, const char *value, cn__reals *reals)
{
    double list[CN__SPEC_BYTES / 2];
    int n = parse_list(owner, name, value, CN__SPEC_BYTES / 2, list);
    if (n < 0) return n;
    if (value[0] != '[' && value[0] != '(') {
        *reals = (cn__reals){.one = list[0]};
        return CN_OK;
    }
    return copy_reals(name, &(cn__reals){.many = list, .n = n}, reals);
}

/* 28x28; also as Python writes it: (28, 28) or [28, 28]. Negative numbers mean something to some layers (-1 in Reshape)
 * and are refused by the others; 0 would end the list. */
static int parse_shape(const char *owner, const char *name, const char *value, int64_t shape[CN__SHAPE_ENTRIES])
{
    const char *at = value;
    char close = '\0';
    memset(shape, 0, CN__SHAPE_ENTRIES * sizeof *shape);
    if (*at == '(' || *at == '[') close = *at++ == '(' ? ')' : ']';
    for (int i = 0; i < CN__SHAPE_ENTRIES; i++) {
        char *end;
        long long number = strtoll(at, &end, 10);
        if (end == at || number == 0 || number == LLONG_MAX || number == LLONG_MIN) break;
        shape[i] = number;
        while (*end == ' ' || (*end == ',' && end[1] == close)) end++; /* (3,) has one entry */
        if (close && *end == close) {
            if (!end[1]) return CN_OK;
            break;
        }
        if (!*end && !close) return CN_OK;
        if (*end != (close ? ',' : 'x')) break;
        at = end + 1;
    }
    return cn__fail(CN_EINVAL, "%s: %s must be whole numbers other than 0, such as 28x28 or (28, 28), got \"%.64s\"",
                    owner, name, value);
}

/* A zero goes to the front, since {f, 0} is one number. */
static int parse_range(const char *owner, const char *name, const char *value, double range[2])
{
    char copy[128];
    double first, second;
    range[1] = 0;
    if (*value != '(' && *value != '[') return parse_real(owner, name, value, &range[0]);
    size_t length = strlen(value);
    char *comma = length < sizeof copy ? strchr(strcpy(copy, value), ',') : NULL;
    if (!comma || copy[length - 1] != (*value == '(' ? ')' : ']'))
        return cn__fail(CN_EINVAL, "%s: %s must be a number or two such as (-0.2, 0.3), got \"%.64s\"", owner, name,
                        value);
    *comma = copy[length - 1] = '\0';
    CN_TRY(parse_real(owner, name, trim(copy + 1), &first));
    CN_TRY(parse_real(owner, name, trim(comma + 1), &second));
    range[0] = second == 0 ? second : first;
    range[1] = second == 0 ? first : second;
    return CN_OK;
}

int cn__field_set_text(const cn__field *field, void *options, const char *owner, const char *value)
{
    int64_t whole = 0;
    double real = 0;
    int64_t shape[CN__SHAPE_ENTRIES];
    double range[2];
    double list[CN__LIST_ENTRIES] = {0};
    cn__reals reals;
    int status;
    switch (field->type) {
    case CN__FIELD_REALS:
        CN_TRY(parse_reals(owner, field->name, value, &reals));
        set_reals(at(options, field), reals);
        return CN_OK;
    case CN__FIELD_RANGE:
        CN_TRY(parse_range(owner, field->name, value, range));
        memcpy(at(options, field), range, sizeof range);
        return CN_OK;
    case CN__FIELD_INT: {
        CN_TRY(parse_int(owner, field->name, value, INT32_MIN, INT32_MAX, &whole));
        int small = (int)whole;
        memcpy(at(options, field), &small, sizeof small);
        return CN_OK;
    }
    case CN__FIELD_INT64:
        CN_TRY(parse_int(owner, field->name, value, INT64_MIN, INT64_MAX, &whole));
        memcpy(at(options, field), &whole, sizeof whole);
        return CN_OK;
    case CN__FIELD_REAL:
        CN_TRY(parse_real(owner, field->name, value, &real));
        memcpy(at(options, field), &real, sizeof real);
        return CN_OK;
    case CN__FIELD_LIST:
        status = parse_list(owner, field->name, value, CN__LIST_ENTRIES, list);
        if (status < 0) return status;
        memcpy(at(options, field), list, sizeof list);
        return CN_OK;
    case CN__FIELD_SHAPE:
        CN_TRY(parse_shape(owner, field->name, value, shape));
        memcpy(at(options, field), shape, sizeof shape);
        return CN_OK;
    default: {
        char *old, *text = cn__strdup(value, field->name);
        if (!text) return CN_ENOMEM;
        memcpy(&old, at(options, field), sizeof old);
        cn__free(old);
        memcpy(at(options, field), &text, sizeof text);
        return CN_OK;
    }
    }
}

/* Keras takes the first two by their names only. Without this, zero_padding2d(1, 2) would take 2 for an input_shape. */
static int positional_fields(const cn__field *fields, int n)
{
    int count = 0;
    while (count < n && strcmp(fields[count].name, "input_shape") && strcmp(fields[count].name, "name")) count++;
    return count;
}

static int too_many(const cn__field *fields, int n, const cn__spec *spec)
{
    int most = positional_fields(fields, n), shape = 0;
    if (n == 0) return cn__fail(CN_EINVAL, "%s takes no arguments, got \"%.64s\"", spec->name, spec->values[0]);
    for (int i = 0; i < most; i++) shape |= fields[i].type == CN__FIELD_SHAPE;
    return cn__fail(CN_EINVAL, "%s takes at most %d argument%s without a name, got \"%.64s\" too%s", spec->name, most,
                    most == 1 ? "" : "s", spec->values[most],
                    shape ? "; several sizes are written 28x28 or (28, 28)" : "");
}

int cn__fields_set(const cn__field *fields, int n, void *options, const cn__spec *spec)
{
    const char *names[64];
    int most = positional_fields(fields, n);
    for (int i = 0; i < n && i < 64; i++) names[i] = fields[i].name;
    for (int i = 0; i < spec->n; i++) {
        const cn__field *field;
        if (spec->keys[i]) {
            if (n == 0) return cn__fail(CN_ENAME, "%s takes no arguments, got \"%.64s\"", spec->name, spec->keys[i]);
            field = cn__field_find(fields, n, spec->keys[i]);
            if (!field) return cn__fail_unknown(spec->name, spec->keys[i], names, n);
        } else {
            if (i >= most) return too_many(fields, n, spec);
            field = &fields[i];
        }
        for (int j = 0; j < i; j++) {
            const cn__field *earlier = spec->keys[j] ? cn__field_find(fields, n, spec->keys[j]) : &fields[j];
            if (earlier == field) return cn__fail(CN_EINVAL, "%s: %s is given twice", spec->name, field->name);
        }
        CN_TRY(cn__field_set_text(field, options, spec->name, spec->values[i]));
    }
    return CN_OK;
}
