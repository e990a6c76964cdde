#include "formats/format_safetensors.h"

#include "base/error.h"

#ifdef CN_WITH_JSON
#include "base/file.h"
#include "base/memory.h"
#include "formats/safetensors_parts.h"

#include <jansson.h>
#include <stdlib.h>

typedef struct entry {
    cn__array array; /* data is NULL until somebody asks for it */
    int kind;
    int64_t begin, end;
    void *copy; /* the numbers, where they had to be converted or moved */
} entry;

struct cn__safetensors {
    char *path;
    unsigned char *bytes;
    const unsigned char *data; /* where offsets count from */
    json_t *header;            /* owns all names and the metadata */
    const json_t *metadata;    /* NULL when there is none */
    int n;
    entry *entries;
};

static int parse_header(cn__safetensors *file, size_t size, int64_t *data_bytes)
{
    uint64_t length;
    if (size < sizeof length)
        return cn__fail(CN_EFORMAT, "%s: %zu bytes are too few for a safetensors file", file->path, size);
    memcpy(&length, file->bytes, sizeof length);
    if (length > CN__MOST_HEADER || length > size - sizeof length)
        return cn__fail(CN_EFORMAT, "%s: no safetensors file, or cut short: it announces a header of %llu bytes and "
                        "has %zu", file->path, (unsigned long long)length, size - sizeof length);
    const char *text = (const char *)file->bytes + sizeof length;
    if (length == 0 || text[0] != '{')
        return cn__fail(CN_EFORMAT, "%s: no safetensors file: its header does not begin with {", file->path);
    json_error_t error;
    file->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (!file->header && json_error_code(&error) == json_error_out_of_memory)
        return cn__fail(CN_ENOMEM, "%s: out of memory for its header", file->path);
    if (!file->header)
        return cn__fail(CN_EFORMAT, "%s: the safetensors header is damaged at byte %d: %s", file->path, error.position,
                        cn__show(error.text).text);
    file->data = file->bytes + sizeof length + length;
    *data_bytes = (int64_t)(size - sizeof length - (size_t)length);
    return 0;
}

static int check_metadata(const cn__safetensors *file, json_t *metadata)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return cn__fail(CN_EFORMAT, "%s: " CN__METADATA " is no JSON object", file->path);
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return cn__fail(CN_EFORMAT, "%s: metadata \"%s\" is no text", file->path, cn__show(key).text);
    }
    return 0;
}

static int parse_shape(const cn__safetensors *file, const json_t *shape, cn__array *array)
{
    if (!json_is_array(shape) || json_array_size(shape) > CN_MAX_NDIM)
        return cn__fail(CN_EFORMAT, "%s: tensor \"%s\" has no shape of at most %d sizes", file->path,
                        cn__show(array->name).text, CN_MAX_NDIM);
    array->ndim = (int)json_array_size(shape);
    for (int i = 0; i < array->ndim; i++) {
        const json_t *size = json_array_get(shape, (size_t)i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return cn__fail(CN_EFORMAT, "%s: tensor \"%s\" has a size that is no count along axis %d", file->path,
                            cn__show(array->name).text, i);
        array->shape[i] = json_integer_value(size);
    }
    return 0;
}

static int parse_entry(const cn__safetensors *file, const char *name, const json_t *value, int64_t data_bytes,
                       entry *e)
{
    cn__shown display = cn__show(name);
    e->array.name = name;
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (!dtype || json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return cn__fail(CN_EFORMAT, "%s: tensor \"%s\" lacks a dtype or its two data_offsets", file->path,
                        display.text);
    while (e->kind < CN__ARRAY_KINDS && strcmp(cn__array_kinds[e->kind].name, dtype)) e->kind++;
    if (e->kind == CN__ARRAY_KINDS)
        return cn__fail(CN_EFORMAT, "%s: tensor \"%s\" has dtype %s; read are F64, F32, F16, BF16, I64, I32 and U8",
                        file->path, display.text, cn__show(dtype).text);
    e->array.dtype = cn__array_kinds[e->kind].dtype;
    CN_TRY(parse_shape(file, json_object_get(value, "shape"), &e->array));
    e->begin = json_integer_value(begin);
    e->end = json_integer_value(end);
    if (!(0 <= e->begin && e->begin <= e->end && e->end <= data_bytes))
        return cn__fail(CN_EFORMAT, "%s: tensor \"%s\" lies at bytes %lld to %lld of the file's %lld: damaged or cut "
                        "short", file->path, display.text, (long long)e->begin, (long long)e->end,
                        (long long)data_bytes);
    int64_t needed = cn__array_bytes(cn__array_kinds[e->kind].bytes, e->array.ndim, e->array.shape);
    if (needed != e->end - e->begin)
        return cn__fail(CN_EFORMAT, "%s: tensor \"%s\" occupies %lld bytes, which is not what its shape needs",
                        file->path, display.text, (long long)(e->end - e->begin));
    return 0;
}

static int by_position(const void *left, const void *right)
{
    const entry *a = *(const entry *const *)left, *b = *(const entry *const *)right;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* The format demands that the tensors cover the data exactly once, so that nothing can be hidden in between. */
static int check_coverage(const cn__safetensors *file, int64_t data_bytes)
{
    const entry **sorted = cn__alloc_raw((size_t)file->n, sizeof *sorted, "the table of a safetensors file");
    if (!sorted) return CN_ENOMEM;
    for (int i = 0; i < file->n; i++) sorted[i] = &file->entries[i];
    qsort(sorted, (size_t)file->n, sizeof *sorted, by_position);
    int64_t end = 0;
    int status = 0;
    for (int i = 0; i < file->n && status == 0; i++) {
        if (sorted[i]->begin != end)
            status = cn__fail(CN_EFORMAT, "%s: tensor \"%s\" begins at byte %lld, but the one before it ends at %lld",
                              file->path, cn__show(sorted[i]->array.name).text, (long long)sorted[i]->begin,
                              (long long)end);
        end = sorted[i]->end;
    }
    if (status == 0 && end != data_bytes)
        status = cn__fail(CN_EFORMAT, "%s: %lld bytes at its end belong to no tensor", file->path,
                          (long long)(data_bytes - end));
    cn__free(sorted);
    return status;
}

static int parse_entries(cn__safetensors *file, int64_t data_bytes)
{
    const char *name;
    json_t *value;
    file->entries = cn__alloc(json_object_size(file->header), sizeof *file->entries, "the table of a safetensors file");
    if (!file->entries) return CN_ENOMEM;
    json_object_foreach(file->header, name, value)
    {
        if (!strcmp(name, CN__METADATA)) {
            CN_TRY(check_metadata(file, value));
            file->metadata = value;
        } else {
            CN_TRY(parse_entry(file, name, value, data_bytes, &file->entries[file->n]));
            file->n++;
        }
    }
    return check_coverage(file, data_bytes);
}

static int read_file(const char *path, cn__safetensors *file)
{
    size_t size;
    int64_t data_bytes = 0;
    file->path = cn__strdup(path, "a path");
    if (!file->path) return CN_ENOMEM;
    CN_TRY(cn__file_read(path, PTRDIFF_MAX / 2, &file->bytes, &size));
    CN_TRY(parse_header(file, size, &data_bytes));
    return parse_entries(file, data_bytes);
}

int cn__safetensors_read(const char *path, cn__safetensors **out)
{
    *out = NULL;
    cn__safetensors *file = cn__alloc(1, sizeof *file, "a safetensors file");
    if (!file) return CN_ENOMEM;
    int status = read_file(path, file);
    if (status < 0) cn__safetensors_destroy(&file);
    *out = file;
    return status;
}

/* IEEE binary16 to binary32: exact for every value. */
static float from_f16(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = (bits >> 10) & 31, fraction = bits & 0x3ff;
    uint32_t wide;
    if (exponent == 31) wide = sign | 0x7f800000 | fraction << 13;
    else if (exponent) wide = sign | (exponent + 112) << 23 | fraction << 13;
    else {
        float small = (float)fraction * 0x1p-24f; /* subnormal: a plain multiple of 2^-24 */
        return sign ? -small : small;
    }
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* Makes e->array.data usable: 16-bit floats are widened, and numbers that lie at an odd address are moved. */
static int provide(const cn__safetensors *file, entry *e)
{
    const unsigned char *stored = file->data + e->begin;
    size_t stored_bytes = cn__array_kinds[e->kind].bytes, bytes = cn_dtype_size(e->array.dtype);
    if (e->array.data) return 0;
    if (stored_bytes == bytes && (uintptr_t)stored % bytes == 0) {
        e->array.data = stored;
        return 0;
    }
    size_t count = (size_t)(e->end - e->begin) / stored_bytes;
    e->copy = cn__alloc_raw(count, bytes, e->array.name);
    if (!e->copy) return CN_ENOMEM;
    if (stored_bytes == bytes) memcpy(e->copy, stored, count * bytes);
    for (size_t i = 0; i < count && stored_bytes != bytes; i++) {
        uint16_t half;
        memcpy(&half, stored + 2 * i, sizeof half);
        uint32_t wide = (uint32_t)half << 16;
        if (e->kind == CN__ARRAY_BF16) memcpy((float *)e->copy + i, &wide, sizeof wide);
        else ((float *)e->copy)[i] = from_f16(half);
    }
    e->array.data = e->copy;
    return 0;
}

int cn__safetensors_count(const cn__safetensors *file)
{
    return file->n;
}

int cn__safetensors_at(cn__safetensors *file, int i, cn__array *array)
{
    if (i < 0 || i >= file->n)
        return cn__fail(CN_EINVAL, "%s: there is no tensor %d among its %d", file->path, i, file->n);
    CN_TRY(provide(file, &file->entries[i]));
    *array = file->entries[i].array;
    return 0;
}

int cn__safetensors_find(cn__safetensors *file, const char *name, cn__array *array)
{
    for (int i = 0; i < file->n; i++)
        if (!strcmp(file->entries[i].array.name, name)) return cn__safetensors_at(file, i, array);
    return cn__fail(CN_ENAME, "%s: it has no tensor named \"%s\"", file->path, cn__show(name).text);
}

const char *cn__safetensors_metadata(const cn__safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

void cn__safetensors_destroy(cn__safetensors **file)
{
    if (!file || !*file) return;
    cn__safetensors *f = *file;
    for (int i = 0; i < f->n; i++) cn__free(f->entries[i].copy);
    cn__free(f->entries);
    json_decref(f->header);
    cn__free(f->bytes);
    cn__free(f->path);
    cn__free(f);
    *file = NULL;
}

#else /* without jansson */

static int left_out(const char *path)
{
    return cn__fail(CN_ENOTSUP, "%s: this build cannot read or write safetensors files; install libjansson-dev and "
                    "build again", path);
}

int cn__safetensors_read(const char *path, cn__safetensors **out)
{
    *out = NULL;
    return left_out(path);
}

/* Nobody can hold a file in this build, so what follows is never reached with one. */
int cn__safetensors_count(const cn__safetensors *file)
{
    (void)file;
    return 0;
}

int cn__safetensors_at(cn__safetensors *file, int i, cn__array *array)
{
    (void)file, (void)i, (void)array;
    return left_out("safetensors");
}

int cn__safetensors_find(cn__safetensors *file, const char *name, cn__array *array)
{
    (void)file, (void)name, (void)array;
    return left_out("safetensors");
}

const char *cn__safetensors_metadata(const cn__safetensors *file, const char *key)
{
    (void)file, (void)key;
    return NULL;
}

void cn__safetensors_destroy(cn__safetensors **file)
{
    if (file) *file = NULL;
}

#endif
