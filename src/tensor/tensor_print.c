/* NumPy's repr() and str() of arrays, byte for byte: those of NumPy 1.26 ... 2.1. Later versions add the shape to
 * summarised arrays and write float32 with exponents from 1e6 on; the books show the older form.
 * Source: numpy/_core/arrayprint.py, the options of numpy.get_printoptions(). */
#include "tensor/tensor.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/element_format.h"

#include <stdio.h>
#include <string.h>

#define LINE_WIDTH 75
#define THRESHOLD 1000 /* more elements than this are summarised */

/* --- text that grows --- */

typedef struct growing_text {
    char *bytes;
    size_t used, capacity;
    int failed; /* out of memory: everything later is ignored */
} growing_text;

static void append_bytes(growing_text *out, const char *bytes, size_t n)
{
    if (out->failed) return;
    if (out->used + n + 1 > out->capacity) {
        size_t capacity = 2 * out->capacity + n + 64;
        char *grown = cn__realloc(out->bytes, capacity, 1, "the text of a tensor");
        if (!grown) {
            out->failed = 1;
            return;
        }
        out->bytes = grown;
        out->capacity = capacity;
    }
    memcpy(out->bytes + out->used, bytes, n);
    out->used += n;
    out->bytes[out->used] = '\0';
}

static void append(growing_text *out, const char *bytes)
{
    append_bytes(out, bytes, strlen(bytes));
}

static void append_repeated(growing_text *out, char c, int n)
{
    for (int i = 0; i < n; i++) append_bytes(out, &c, 1);
}

static void trim_spaces(growing_text *out)
{
    while (out->used > 0 && out->bytes[out->used - 1] == ' ') out->used--;
}

static char *finish(growing_text *out)
{
    if (!out->failed) return out->bytes;
    cn__free(out->bytes);
    return NULL;
}

/* --- brackets and lines --- */

typedef struct printer {
    const cn_tensor *tensor;
    const char *separator; /* between the elements of a row */
    cn__element_format format;
    growing_text out;
} printer;

static void append_word(printer *p, const char *word, int *column, int indent, int width)
{
    int columns = (int)strlen(word);
    if (*column + columns > width && *column > indent) {
        trim_spaces(&p->out);
        append(&p->out, "\n");
        append_repeated(&p->out, ' ', indent);
        *column = indent;
    }
    append(&p->out, word);
    *column += columns;
}

/* A row of elements, wrapped at `width` columns; `indent` is the column behind its opening bracket. */
static void append_row(printer *p, const char *first, int indent, int width)
{
    int axis = p->tensor->ndim - 1, column = indent;
    int64_t n = p->tensor->shape[axis], stride = p->tensor->strides[axis];
    char word[CN_NUMBER_TEXT_BYTES];
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) {
            append(&p->out, p->separator);
            column += (int)strlen(p->separator);
        }
        if (i == CN_EDGE_ITEMS && cn__has_dots(&p->format, axis)) {
            append_word(p, "...", &column, indent, width);
            i = n - CN_EDGE_ITEMS - 1;
            continue;
        }
        cn__element_text(&p->format, first + i * stride, word);
        append_word(p, word, &column, indent, width);
    }
}

/* The part of the tensor that begins at `first`, from `axis` on. */
static void append_axis(printer *p, const char *first, int axis, int indent, int width)
{
    const cn_tensor *tensor = p->tensor;
    if (axis == tensor->ndim) {
        char element[CN_NUMBER_TEXT_BYTES];
        cn__element_text(&p->format, first, element);
        append(&p->out, element);
        return;
    }
    append(&p->out, "[");
    if (axis == tensor->ndim - 1) {
        append_row(p, first, indent, width - 1); /* a column is kept for the comma or bracket */
    } else {
        for (int64_t i = 0; i < tensor->shape[axis]; i++) {
            if (i > 0) {
                append_bytes(&p->out, p->separator, p->separator[0] == ',' ? 1 : 0);
                append_repeated(&p->out, '\n', tensor->ndim - 1 - axis);
                append_repeated(&p->out, ' ', indent);
            }
            if (i == CN_EDGE_ITEMS && cn__has_dots(&p->format, axis)) {
                append(&p->out, "...");
                i = tensor->shape[axis] - CN_EDGE_ITEMS - 1;
                continue;
            }
            append_axis(p, first + i * tensor->strides[axis], axis + 1, indent + 1, width - 1);
        }
    }
    append(&p->out, "]");
}

static void append_tensor(printer *p, int indent, int width)
{
    const cn_tensor *tensor = p->tensor;
    if (tensor->size == 0) {
        append(&p->out, "[]");
        return;
    }
    p->format = cn__element_format_of(tensor, tensor->size > THRESHOLD);
    append_axis(p, tensor->data, 0, indent, width);
}

/* --- what the header promises --- */

char *cn_shape_str(const cn_tensor *tensor)
{
    if (!tensor) {
        cn__null_tensor("cn_shape_str");
        return NULL;
    }
    char shape[CN_SHAPE_TEXT_BYTES];
    return cn__strdup(cn__shape_text(shape, tensor->ndim, tensor->shape), "the text of a shape");
}

char *cn_str(const cn_tensor *tensor)
{
    if (!tensor) {
        cn__null_tensor("cn_str");
        return NULL;
    }
    printer p = {.tensor = tensor, .separator = " "};
    cn_dtype dtype = cn__value_dtype(tensor);
    if (tensor->ndim == 0 && cn__is_real(dtype)) { /* a scalar is not cut to the precision of arrays */
        char number[CN_NUMBER_TEXT_BYTES];
        char rounded[8];
        double value;
        cn__convert_row(tensor->dtype, tensor->scale, tensor->data, 0, 1, dtype, rounded);
        cn__convert_row(dtype, 1, rounded, 0, 1, CN_FLOAT64, &value);
        cn__number_str(value, (int)cn_dtype_size(dtype) * 8, number);
        append(&p.out, number);
    } else {
        append_tensor(&p, 1, LINE_WIDTH);
    }
    return finish(&p.out);
}

/* What the elements do not tell: "dtype=float32", "shape=(2, 0), dtype=int64", or nothing. */
static void describe(const cn_tensor *tensor, char *extras, size_t bytes)
{
    cn_dtype dtype = cn__value_dtype(tensor);
    char shape[CN_SHAPE_TEXT_BYTES];
    extras[0] = '\0';
    if (tensor->size == 0 && tensor->ndim != 1)
        snprintf(extras, bytes, "shape=%s, dtype=%s", cn__shape_text(shape, tensor->ndim, tensor->shape),
                 cn_dtype_name(dtype));
    else if (tensor->size == 0 || (dtype != CN_INT64 && dtype != CN_FLOAT64 && dtype != CN_BOOL))
        snprintf(extras, bytes, "dtype=%s", cn_dtype_name(dtype));
}

char *cn_repr(const cn_tensor *tensor)
{
    if (!tensor) {
        cn__null_tensor("cn_repr");
        return NULL;
    }
    static const char prefix[] = "array(";
    int indent = (int)sizeof prefix - 1;
    printer p = {.tensor = tensor, .separator = ", "};
    append(&p.out, prefix);
    append_tensor(&p, indent + 1, LINE_WIDTH - 1); /* a column is kept for the closing parenthesis */

    char extras[CN_SHAPE_TEXT_BYTES + 32];
    describe(tensor, extras, sizeof extras);
    if (extras[0] && !p.out.failed) {
        append(&p.out, ",");
        const char *line = p.out.failed ? NULL : strrchr(p.out.bytes, '\n');
        size_t column = line ? strlen(line + 1) : p.out.used;
        if (column + strlen(extras) + 2 > LINE_WIDTH) {
            append(&p.out, "\n");
            append_repeated(&p.out, ' ', indent);
        } else {
            append(&p.out, " ");
        }
        append(&p.out, extras);
    }
    append(&p.out, ")");
    return finish(&p.out);
}

int cn_print(FILE *stream, const cn_tensor *tensor)
{
    if (!stream) return cn__fail(CN_EINVAL, "cn_print needs a stream, which is NULL");
    char *repr = cn_repr(tensor);
    if (!repr) return cn_error_status();
    int failed = fputs(repr, stream) == EOF || fputc('\n', stream) == EOF;
    cn_string_free(repr);
    if (failed) return cn__fail(CN_EIO, "cn_print could not write to the stream; is the disk full or the pipe closed?");
    return 0;
}

void cn_string_free(char *text)
{
    cn__free(text);
}
