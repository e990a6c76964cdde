#include "formats/format_safetensors.h"

#include "base/error.h"

#ifdef CN_WITH_JSON
#include "base/file.h"
#include "base/memory.h"
#include "formats/safetensors_parts.h"

#include <errno.h>
#include <jansson.h>

static int add_metadata(json_t *header, int n, const char *const *keys, const char *const *values)
{
    if (n == 0) return 0;
    json_t *metadata = json_object();
    if (!metadata || json_object_set_new(header, CN__METADATA, metadata) < 0)
        return cn__fail(CN_ENOMEM, "out of memory for the header of a safetensors file");
    for (int i = 0; i < n; i++) {
        if (!keys[i] || !values[i])
            return cn__fail(CN_EINVAL, "safetensors: entry %d of the metadata has no key or no text", i);
        if (json_object_get(metadata, keys[i]))
            return cn__fail(CN_EINVAL, "safetensors: metadata key \"%s\" is given twice", cn__show(keys[i]).text);
        if (json_object_set_new(metadata, keys[i], json_string(values[i])) < 0)
            return cn__fail(CN_EINVAL, "safetensors: metadata \"%s\" cannot be stored; key and text must be UTF-8",
                            cn__show(keys[i]).text);
    }
    return 0;
}

/* Adds one array to the header and moves *end behind it. */
static int add_array(json_t *header, int i, const cn__array *array, int64_t *end)
{
    if (!array->name || !strcmp(array->name, CN__METADATA))
        return cn__fail(CN_EINVAL, "safetensors: array %d needs a name other than \"" CN__METADATA "\"", i);
    cn__shown name = cn__show(array->name);
    if (json_object_get(header, array->name))
        return cn__fail(CN_EINVAL, "safetensors: the name \"%s\" is given twice", name.text);
    int kind = 0;
    while (kind < CN__ARRAY_KINDS && cn__array_kinds[kind].dtype != array->dtype) kind++;
    if (kind == CN__ARRAY_KINDS || array->ndim < 0 || array->ndim > CN_MAX_NDIM)
        return cn__fail(CN_EINVAL, "safetensors: array \"%s\" has an unknown type or more than %d axes", name.text,
                        CN_MAX_NDIM);
    int64_t begin = *end, bytes = cn__array_bytes(cn__array_kinds[kind].bytes, array->ndim, array->shape);
    if (bytes < 0 || __builtin_add_overflow(begin, bytes, end))
        return cn__fail(CN_EINVAL, "safetensors: array \"%s\" has a negative or too large size", name.text);
    if (bytes && !array->data)
        return cn__fail(CN_EINVAL, "safetensors: array \"%s\" has no numbers", name.text);

    json_t *entry = json_object(), *shape = json_array(), *offsets = json_array();
    int failed = json_array_append_new(offsets, json_integer(begin));
    failed |= json_array_append_new(offsets, json_integer(*end));
    for (int axis = 0; axis < array->ndim; axis++)
        failed |= json_array_append_new(shape, json_integer(array->shape[axis]));
    failed |= json_object_set_new(entry, "dtype", json_string(cn__array_kinds[kind].name));
    failed |= json_object_set_new(entry, "shape", shape);
    failed |= json_object_set_new(entry, "data_offsets", offsets);
    if (failed) {
        json_decref(entry);
        return cn__fail(CN_ENOMEM, "out of memory for the header of a safetensors file");
    }
    if (json_object_set_new(header, array->name, entry) < 0)
        return cn__fail(CN_EINVAL, "safetensors: the name \"%s\" cannot be stored; it must be UTF-8", name.text);
    return 0;
}

/* The header as text, preceded by its length and padded with spaces so that the numbers start at a multiple of 8. */
static int format_header(const json_t *header, char **text, size_t *bytes)
{
    size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
    size_t padded = (length + 7) / 8 * 8;
    if (length == 0) return cn__fail(CN_ENOMEM, "out of memory for the header of a safetensors file");
    if (padded > CN__MOST_HEADER)
        return cn__fail(CN_EINVAL, "safetensors: the header would have %zu bytes; the format allows %llu", padded,
                        (unsigned long long)CN__MOST_HEADER);
    char *block = cn__alloc_raw(8 + padded, 1, "the header of a safetensors file");
    if (!block) return CN_ENOMEM;
    uint64_t prefix = padded;
    memcpy(block, &prefix, sizeof prefix);
    memset(block + 8 + length, ' ', padded - length);
    if (json_dumpb(header, block + 8, length, JSON_COMPACT) != length) {
        cn__free(block);
        return cn__fail(CN_ENOMEM, "out of memory for the header of a safetensors file");
    }
    *text = block;
    *bytes = 8 + padded;
    return 0;
}

static int write_bytes(const cn__output *output, const void *bytes, size_t count)
{
    if (count == 0 || fwrite(bytes, 1, count, output->stream) == count) return 0;
    return cn__fail(CN_EIO, "%s: writing failed: %s; free some space or choose another place", output->path,
                    strerror(errno));
}

static int write_file(const char *path, const char *header, size_t header_bytes, int n, const cn__array *arrays)
{
    cn__output output = {0};
    CN_TRY(cn__output_open(&output, path));
    int status = write_bytes(&output, header, header_bytes);
    for (int i = 0; i < n && status == 0; i++) {
        int64_t bytes = cn__array_bytes(cn_dtype_size(arrays[i].dtype), arrays[i].ndim, arrays[i].shape);
        status = write_bytes(&output, arrays[i].data, (size_t)bytes);
    }
    if (status == 0) return cn__output_commit(&output);
    cn__output_discard(&output);
    return status;
}

int cn__safetensors_write(const char *path, int n, const cn__array *arrays, int n_metadata, const char *const *keys,
                          const char *const *values)
{
    json_t *header = json_object();
    if (!header) return cn__fail(CN_ENOMEM, "out of memory for the header of a safetensors file");
    char *text = NULL;
    size_t bytes = 0;
    int64_t end = 0;
    int status = add_metadata(header, n_metadata, keys, values);
    for (int i = 0; i < n && status == 0; i++) status = add_array(header, i, &arrays[i], &end);
    if (status == 0) status = format_header(header, &text, &bytes);
    if (status == 0) status = write_file(path, text, bytes, n, arrays);
    cn__free(text);
    json_decref(header);
    return status;
}

#else /* without jansson */

int cn__safetensors_write(const char *path, int n, const cn__array *arrays, int n_metadata, const char *const *keys,
                          const char *const *values)
{
    (void)n, (void)arrays, (void)n_metadata, (void)keys, (void)values;
    return cn__fail(CN_ENOTSUP, "%s: this build cannot read or write safetensors files; install libjansson-dev and "
                    "build again", path);
}

#endif
