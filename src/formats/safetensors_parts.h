/* What reading and writing safetensors files have in common. For files built with jansson only. */
#ifndef CN_FORMATS_SAFETENSORS_PARTS_H
#define CN_FORMATS_SAFETENSORS_PARTS_H

#include "formats/format_safetensors.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie in memory");

#define CN__MOST_HEADER ((uint64_t)100 * 1000 * 1000) /* the limit of the reference implementation */
#define CN__METADATA "__metadata__"

/* Name in the file, bytes per number there, type it has for the caller. Writing takes the first of a type. */
static const struct {
    const char *name;
    size_t bytes;
    cn_dtype dtype;
} cn__array_kinds[] = {
    {"F32", 4, CN_FLOAT32}, {"F64", 8, CN_FLOAT64}, {"I64", 8, CN_INT64},   {"I32", 4, CN_INT32},
    {"U8", 1, CN_UINT8},    {"F16", 2, CN_FLOAT32}, {"BF16", 2, CN_FLOAT32},
};
enum { CN__ARRAY_KINDS = sizeof cn__array_kinds / sizeof cn__array_kinds[0], CN__ARRAY_BF16 = 6 };

typedef struct cn__shown {
    char text[64];
} cn__shown;

/* Names come from strangers: what a terminal might obey is not repeated in a message. */
static inline cn__shown cn__show(const char *name)
{
    cn__shown s;
    size_t i = 0;
    for (; name[i] && i < sizeof s.text - 1; i++)
        s.text[i] = (unsigned char)name[i] < ' ' || name[i] == 127 ? '?' : name[i];
    s.text[i] = '\0';
    return s;
}

/* bytes x the product of the shape; -1 when a size is negative or the product leaves int64. */
static inline int64_t cn__array_bytes(size_t bytes, int ndim, const int64_t *shape)
{
    int64_t product = (int64_t)bytes;
    int empty = 0;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0) return -1;
        if (shape[i] == 0) empty = 1;
        else if (__builtin_mul_overflow(product, shape[i], &product)) return -1;
    }
    return empty ? 0 : product;
}

#endif
