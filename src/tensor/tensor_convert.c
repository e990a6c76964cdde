#include "tensor/tensor.h"

#include "base/error.h"
#include "tensor/half.h"
#include "tensor/record.h"

#include <math.h>
#include <string.h>

cn_dtype cn__value_dtype(const cn_tensor *tensor)
{
    return tensor->scale == 1 || cn__is_real(tensor->dtype) ? tensor->dtype : CN_FLOAT32;
}

cn_dtype cn__plain_dtype(cn_dtype dtype)
{
    switch (dtype) {
    case CN_UINT8:
    case CN_BOOL: return CN_UINT8;
    case CN_INT32:
    case CN_INT8:
    case CN_INT16:
    case CN_UINT16: return CN_INT32;
    case CN_INT64:
    case CN_UINT32:
    case CN_UINT64: return CN_INT64;
    case CN_FLOAT32:
    case CN_FLOAT16: return CN_FLOAT32;
    default: return CN_FLOAT64;
    }
}

/* --- one number --- */

/* memcpy, because wrapped memory need not be aligned; it compiles to a load. */
#define DEFINE_LOAD(name, type)                                                                                     \
    static inline type name(const char *element)                                                                    \
    {                                                                                                               \
        type number;                                                                                                \
        memcpy(&number, element, sizeof number);                                                                    \
        return number;                                                                                              \
    }
DEFINE_LOAD(load_uint8, uint8_t)
DEFINE_LOAD(load_uint16, uint16_t)
DEFINE_LOAD(load_uint32, uint32_t)
DEFINE_LOAD(load_uint64, uint64_t)
DEFINE_LOAD(load_int8, int8_t)
DEFINE_LOAD(load_int16, int16_t)
DEFINE_LOAD(load_int32, int32_t)
DEFINE_LOAD(load_int64, int64_t)
DEFINE_LOAD(load_float32, float)
DEFINE_LOAD(load_float64, double)

static inline float load_float16(const char *element)
{
    return cn__half_value(load_uint16(element));
}

/* C leaves conversions of NaN and of numbers out of range undefined. */
#define DEFINE_SATURATE(name, type, lowest, highest)                                                                \
    static inline type name(double number)                                                                          \
    {                                                                                                               \
        if (number <= (double)(lowest)) return lowest;                                                              \
        if (number >= (double)(highest)) return highest;                                                            \
        return number == number ? (type)number : 0;                                                                 \
    }
DEFINE_SATURATE(saturate_uint8, uint8_t, 0, UINT8_MAX)
DEFINE_SATURATE(saturate_uint16, uint16_t, 0, UINT16_MAX)
DEFINE_SATURATE(saturate_uint32, uint32_t, 0, UINT32_MAX)
DEFINE_SATURATE(saturate_uint64, uint64_t, 0, UINT64_MAX)
DEFINE_SATURATE(saturate_int8, int8_t, INT8_MIN, INT8_MAX)
DEFINE_SATURATE(saturate_int16, int16_t, INT16_MIN, INT16_MAX)
DEFINE_SATURATE(saturate_int32, int32_t, INT32_MIN, INT32_MAX)
DEFINE_SATURATE(saturate_int64, int64_t, INT64_MIN, INT64_MAX)

/* --- rows --- */

typedef struct row {
    const char *first;
    int64_t stride, length;
} row;

#define LOOP(load, target, convert, stride)                                                                         \
    for (int64_t i = 0; i < from.length; i++) {                                                                     \
        target number = convert(load(from.first + i * (stride)));                                                   \
        memcpy(out + i * (int64_t)sizeof number, &number, sizeof number);                                           \
    }                                                                                                               \
    break

/* Row without gaps: the compiler can use vector instructions. */
#define EITHER_LOOP(source, load, target, convert)                                                                  \
    if (from.stride == (int64_t)sizeof(source)) { LOOP(load, target, convert, (int64_t)sizeof(source)); }           \
    LOOP(load, target, convert, from.stride)

#define TO_BOOL(number) ((uint8_t)((number) != 0))
#define TO_FLOAT16(number) cn__half_from((double)(number))
#define TO_FLOAT32(number) ((float)(number))
#define TO_FLOAT64(number) ((double)(number))
/* Integers among themselves wrap round as NumPy's; reals saturate. */
#define WRAP_UINT8(number) ((uint8_t)(number))
#define WRAP_UINT16(number) ((uint16_t)(number))
#define WRAP_UINT32(number) ((uint32_t)(number))
#define WRAP_UINT64(number) ((uint64_t)(number))
#define WRAP_INT8(number) ((int8_t)(number))
#define WRAP_INT16(number) ((int16_t)(number))
#define WRAP_INT32(number) ((int32_t)(number))
#define WRAP_INT64(number) ((int64_t)(number))

#define DEFINE_CONVERT_ROW(name, source, load, to_uint8, to_uint16, to_uint32, to_uint64, to_int8, to_int16, to_int32, \
                           to_int64)                                                                                \
    static void name(row from, cn_dtype dtype, char *out)                                                           \
    {                                                                                                               \
        switch (dtype) {                                                                                            \
        case CN_BOOL: LOOP(load, uint8_t, TO_BOOL, from.stride);                                                    \
        case CN_UINT8: EITHER_LOOP(source, load, uint8_t, to_uint8);                                                \
        case CN_UINT16: LOOP(load, uint16_t, to_uint16, from.stride);                                               \
        case CN_UINT32: LOOP(load, uint32_t, to_uint32, from.stride);                                               \
        case CN_UINT64: LOOP(load, uint64_t, to_uint64, from.stride);                                               \
        case CN_INT8: LOOP(load, int8_t, to_int8, from.stride);                                                     \
        case CN_INT16: LOOP(load, int16_t, to_int16, from.stride);                                                  \
        case CN_INT32: EITHER_LOOP(source, load, int32_t, to_int32);                                                \
        case CN_INT64: EITHER_LOOP(source, load, int64_t, to_int64);                                                \
        case CN_FLOAT16: LOOP(load, uint16_t, TO_FLOAT16, from.stride);                                             \
        case CN_FLOAT32: EITHER_LOOP(source, load, float, TO_FLOAT32);                                              \
        case CN_FLOAT64: EITHER_LOOP(source, load, double, TO_FLOAT64);                                             \
        case CN_DTYPE_COUNT: break;                                                                                 \
        }                                                                                                           \
    }
#define DEFINE_CONVERT_INTEGERS(name, source, load)                                                                 \
    DEFINE_CONVERT_ROW(name, source, load, WRAP_UINT8, WRAP_UINT16, WRAP_UINT32, WRAP_UINT64, WRAP_INT8, WRAP_INT16, \
                       WRAP_INT32, WRAP_INT64)
#define DEFINE_CONVERT_REALS(name, source, load)                                                                    \
    DEFINE_CONVERT_ROW(name, source, load, saturate_uint8, saturate_uint16, saturate_uint32, saturate_uint64,       \
                       saturate_int8, saturate_int16, saturate_int32, saturate_int64)

DEFINE_CONVERT_INTEGERS(convert_uint8, uint8_t, load_uint8)
DEFINE_CONVERT_INTEGERS(convert_uint16, uint16_t, load_uint16)
DEFINE_CONVERT_INTEGERS(convert_uint32, uint32_t, load_uint32)
DEFINE_CONVERT_INTEGERS(convert_uint64, uint64_t, load_uint64)
DEFINE_CONVERT_INTEGERS(convert_int8, int8_t, load_int8)
DEFINE_CONVERT_INTEGERS(convert_int16, int16_t, load_int16)
DEFINE_CONVERT_INTEGERS(convert_int32, int32_t, load_int32)
DEFINE_CONVERT_INTEGERS(convert_int64, int64_t, load_int64)
DEFINE_CONVERT_REALS(convert_float16, uint16_t, load_float16)
DEFINE_CONVERT_REALS(convert_float32, float, load_float32)
DEFINE_CONVERT_REALS(convert_float64, double, load_float64)

static void convert_plain(cn_dtype stored, row from, cn_dtype dtype, char *out)
{
    int64_t bytes = (int64_t)cn_dtype_size(stored);
    if (stored == dtype && from.stride == bytes) {
        memcpy(out, from.first, (size_t)(from.length * bytes));
        return;
    }
    switch (stored) {
    case CN_BOOL:
    case CN_UINT8: convert_uint8(from, dtype, out); break;
    case CN_UINT16: convert_uint16(from, dtype, out); break;
    case CN_UINT32: convert_uint32(from, dtype, out); break;
    case CN_UINT64: convert_uint64(from, dtype, out); break;
    case CN_INT8: convert_int8(from, dtype, out); break;
    case CN_INT16: convert_int16(from, dtype, out); break;
    case CN_INT32: convert_int32(from, dtype, out); break;
    case CN_INT64: convert_int64(from, dtype, out); break;
    case CN_FLOAT16: convert_float16(from, dtype, out); break;
    case CN_FLOAT32: convert_float32(from, dtype, out); break;
    case CN_FLOAT64: convert_float64(from, dtype, out); break;
    case CN_DTYPE_COUNT: break;
    }
}

#define BLOCK 512 /* doubles, which stay in the nearest cache */

void cn__convert_row(cn_dtype stored, double scale, const char *first, int64_t stride, int64_t n, cn_dtype dtype,
                     void *out)
{
    row from = {first, stride, n};
    if (scale == 1) {
        convert_plain(stored, from, dtype, out);
        return;
    }
    double block[BLOCK];
    char *to = out;
    for (int64_t done = 0; done < n; done += BLOCK, to += BLOCK * (int64_t)cn_dtype_size(dtype)) {
        from.first = first + done * stride;
        from.length = n - done < BLOCK ? n - done : BLOCK;
        convert_plain(stored, from, CN_FLOAT64, (char *)block);
        for (int64_t i = 0; i < from.length; i++) block[i] *= scale;
        convert_float64((row){(const char *)block, sizeof *block, from.length}, dtype, to);
    }
}

void cn__scatter_row(cn_dtype stored, const void *numbers, int64_t n, cn_dtype dtype, char *first, int64_t stride)
{
    int64_t bytes = (int64_t)cn_dtype_size(dtype), from_bytes = (int64_t)cn_dtype_size(stored);
    const char *from = numbers;
    if (stride == bytes) {
        cn__convert_row(stored, 1, from, from_bytes, n, dtype, first);
        return;
    }
    double block[BLOCK]; /* of any dtype */
    for (int64_t done = 0; done < n; done += BLOCK) {
        int64_t length = n - done < BLOCK ? n - done : BLOCK;
        cn__convert_row(stored, 1, from + done * from_bytes, from_bytes, length, dtype, block);
        for (int64_t i = 0; i < length; i++)
            memcpy(first + (done + i) * stride, (const char *)block + i * bytes, (size_t)bytes);
    }
}

double cn__tensor_value(const cn_tensor *tensor, const char *element)
{
    switch (tensor->dtype) {
    case CN_UINT8: return load_uint8(element) * tensor->scale;
    case CN_INT32: return load_int32(element) * tensor->scale;
    case CN_INT64: return (double)load_int64(element) * tensor->scale;
    case CN_FLOAT32: return (double)load_float32(element) * tensor->scale;
    case CN_FLOAT64: return load_float64(element) * tensor->scale;
    default: break;
    }
    double value;
    cn__convert_row(tensor->dtype, 1, element, 0, 1, CN_FLOAT64, &value);
    return value * tensor->scale;
}

/* --- whole tensors --- */

const char *cn__tensor_element(const cn_tensor *tensor, const int64_t *index)
{
    const char *element = tensor->data;
    for (int i = 0; i < tensor->ndim; i++) element += index[i] * tensor->strides[i];
    return element;
}

int cn__next_index(const cn_tensor *tensor, int n, int64_t *index)
{
    for (int i = n - 1; i >= 0; i--) {
        if (++index[i] < tensor->shape[i]) return 1;
        index[i] = 0;
    }
    return 0;
}

void cn__tensor_convert(const cn_tensor *tensor, cn_dtype dtype, void *out)
{
    if (tensor->size == 0) return;
    if (cn_is_contiguous(tensor)) {
        cn__convert_row(tensor->dtype, tensor->scale, tensor->data, (int64_t)cn_dtype_size(tensor->dtype), tensor->size,
                        dtype, out);
        return;
    }
    int last = tensor->ndim - 1; /* a scalar is contiguous, so there is one */
    int64_t index[CN_MAX_NDIM] = {0}, length = tensor->shape[last];
    char *row_out = out;
    do {
        cn__convert_row(tensor->dtype, tensor->scale, cn__tensor_element(tensor, index), tensor->strides[last], length,
                        dtype, row_out);
        row_out += length * (int64_t)cn_dtype_size(dtype);
    } while (cn__next_index(tensor, last, index));
}

void cn__tensor_to_real(const cn_tensor *tensor, void *out, int bits)
{
    cn__tensor_convert(tensor, bits == 64 ? CN_FLOAT64 : CN_FLOAT32, out);
}

void cn__tensor_gather(const cn_tensor *tensor, void *out)
{
    cn_tensor stored = cn__tensor_outline(tensor);
    stored.scale = 1;
    cn__tensor_convert(&stored, tensor->dtype, out);
}

cn_tensor *cn_astype(const cn_tensor *tensor, cn_dtype dtype)
{
    if (!tensor) {
        cn__null_tensor("cn_astype");
        return NULL;
    }
    cn_tensor *copy = cn_tensor_create(dtype, tensor->ndim, tensor->shape);
    if (copy) cn__tensor_convert(tensor, dtype, copy->data);
    return cn__record(copy, &(cn__operation){.op = CN__OP_astype, .n_inputs = 1, .inputs = &tensor});
}

cn_tensor *cn__copy_unrecorded(const cn_tensor *tensor)
{
    cn__recorder *paused = cn__record_pause();
    cn_tensor *copy = cn_copy(tensor);
    cn__record_resume(paused);
    return copy;
}

cn_tensor *cn_copy(const cn_tensor *tensor)
{
    if (!tensor) {
        cn__null_tensor("cn_copy");
        return NULL;
    }
    return cn_astype(tensor, cn__value_dtype(tensor));
}
