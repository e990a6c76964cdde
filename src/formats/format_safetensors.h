/* safetensors files: named arrays behind one JSON header. Nothing in such a file is code, and every length and offset
 * is checked before it is used.
 *
 *   8 bytes  length N of the header, little-endian
 *   N bytes  JSON: {"__metadata__": {"key": "text", ...},
 *                   "name": {"dtype": "F32", "shape": [784, 512], "data_offsets": [begin, end]}, ...}
 *   the rest the numbers, row-major, little-endian; offsets count from here and leave no holes
 *
 * Source: huggingface/safetensors, README.md, section "Format". Needs jansson (CN_WITH_JSON); without it reading and
 * writing fail with CN_ENOTSUP. */
#ifndef CN_FORMATS_FORMAT_SAFETENSORS_H
#define CN_FORMATS_FORMAT_SAFETENSORS_H

#include <cornu/tensor.h>

typedef struct cn__array {
    const char *name; /* UTF-8, unique in its file, not "__metadata__" */
    cn_dtype dtype;
    int ndim; /* 0: a scalar */
    int64_t shape[CN_MAX_NDIM];
    const void *data; /* row-major; may be NULL when the array is empty */
} cn__array;

/* Writes n arrays in the order given, and n_metadata pairs of text, through a temporary file and a rename. All
 * arguments are borrowed. Errors: CN_EINVAL (a name or key that is missing, given twice or no UTF-8; a shape that is
 * negative or too large), CN_EIO, CN_ENOMEM, CN_ENOTSUP. */
int cn__safetensors_write(const char *path, int n, const cn__array *arrays, int n_metadata, const char *const *keys,
                          const char *const *values);

/* A file that was read. One thread at a time may use it. */
typedef struct cn__safetensors cn__safetensors;

/* Reads and checks a whole file; *out is destroyed by the caller and NULL on failure. dtypes: F64, F32, I64, I32, U8,
 * and BF16 and F16, which become float32. Errors: CN_ENOTFOUND, CN_EIO, CN_EFORMAT, CN_ENOMEM, CN_ENOTSUP. */
int cn__safetensors_read(const char *path, cn__safetensors **out);

/* Number of arrays; they keep the order of the header. */
int cn__safetensors_count(const cn__safetensors *file);

/* Array i, or the array of that name. Name and data are borrowed from the file and aligned for their type; they stay
 * valid until it is destroyed. Errors: CN_EINVAL (i out of range), CN_ENAME (no such array), CN_ENOMEM. */
int cn__safetensors_at(cn__safetensors *file, int i, cn__array *array);
int cn__safetensors_find(cn__safetensors *file, const char *name, cn__array *array);

/* The text stored under a key, borrowed from the file; NULL when there is none, which is no failure. */
const char *cn__safetensors_metadata(const cn__safetensors *file, const char *key);

/* Accepts NULL and a pointer to NULL; sets it to NULL. */
void cn__safetensors_destroy(cn__safetensors **file);

#endif
