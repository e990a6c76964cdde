#include "tensor/tensor.h"

#include "base/error.h"
#include "tensor/record.h"

#include <math.h>
#include <string.h>

cn_dtype cn__value_dtype(const cn_tensor *tensor)
{
    int is_real = tensor->dtype == CN_FLOAT32 || tensor->dtype == CN_FLOAT64;
    return tensor->scale == 1 || is_real ? tensor->dtype : CN_FLOAT32;
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
DEFINE_LOAD(load_int32, int32_t)
DEFINE_LOAD(load_int64, int64_t)
DEFINE_LOAD(load_float32, float)
DEFINE_LOAD(load_float64, double)

double cn__tensor_value(const cn_tensor *tensor, const char *element)
{
    switch (tensor->dtype) {
    case CN_UINT8: return load_uint8(element) * tensor->scale;
    case CN_INT32: return load_int32(element) * tensor->scale;
    case CN_INT64: return (double)load_int64(element) * tensor->scale;
    case CN_FLOAT32: return (double)load_float32(element) * tensor->scale;
    case CN_FLOAT64: return load_float64(element) * tensor->scale;
    default: return NAN;
    }
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
DEFINE_SATURATE(saturate_int32, int32_t, INT32_MIN, INT32_MAX)
DEFINE_SATURATE(saturate_int64, int64_t, INT64_MIN, INT64_MAX)

/* --- rows --- */

typedef struct row {
    const char *first;
    int64_t stride, length;
    double scale;
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

#define AS_IS(number) (number)
#define TIMES_SCALE(number) ((double)(number) * from.scale)
#define TO_UINT8(number) ((uint8_t)(number))
#define TO_INT32(number) ((int32_t)(number))
#define TO_INT64(number) ((int64_t)(number))
#define TO_FLOAT32(number) ((float)(number))
#define TO_FLOAT64(number) ((double)(number))
#define SCALED_UINT8(number) saturate_uint8(TIMES_SCALE(number))
#define SCALED_INT32(number) saturate_int32(TIMES_SCALE(number))
#define SCALED_INT64(number) saturate_int64(TIMES_SCALE(number))
#define SCALED_FLOAT32(number) ((float)TIMES_SCALE(number))

/* Integers among themselves wrap round as NumPy's; everything that passes through a real number saturates. */
#define DEFINE_CONVERT_ROW(name, source, load, to_uint8, to_int32, to_int64, to_float32, to_float64)                \
    static void name(row from, cn_dtype dtype, char *out)                                                           \
    {                                                                                                               \
        switch (dtype) {                                                                                            \
        case CN_UINT8: EITHER_LOOP(source, load, uint8_t, to_uint8);                                                \
        case CN_INT32: EITHER_LOOP(source, load, int32_t, to_int32);                                                \
        case CN_INT64: EITHER_LOOP(source, load, int64_t, to_int64);                                                \
        case CN_FLOAT32: EITHER_LOOP(source, load, float, to_float32);                                              \
        case CN_FLOAT64: EITHER_LOOP(source, load, double, to_float64);                                             \
        default: break;                                                                                             \
        }                                                                                                           \
    }
#define DEFINE_CONVERT_INTEGERS(name, source, load)                                                                 \
    DEFINE_CONVERT_ROW(name, source, load, TO_UINT8, TO_INT32, TO_INT64, TO_FLOAT32, TO_FLOAT64)
#define DEFINE_CONVERT_REALS(name, source, load)                                                                    \
    DEFINE_CONVERT_ROW(name, source, load, saturate_uint8, saturate_int32, saturate_int64, TO_FLOAT32, TO_FLOAT64)
#define DEFINE_CONVERT_SCALED(name, source, load)                                                                   \
    DEFINE_CONVERT_ROW(name, source, load, SCALED_UINT8, SCALED_INT32, SCALED_INT64, SCALED_FLOAT32, TIMES_SCALE)

DEFINE_CONVERT_INTEGERS(convert_uint8, uint8_t, load_uint8)
DEFINE_CONVERT_INTEGERS(convert_int32, int32_t, load_int32)
DEFINE_CONVERT_INTEGERS(convert_int64, int64_t, load_int64)
DEFINE_CONVERT_REALS(convert_float32, float, load_float32)
DEFINE_CONVERT_REALS(convert_float64, double, load_float64)
DEFINE_CONVERT_SCALED(convert_scaled_uint8, uint8_t, load_uint8)
DEFINE_CONVERT_SCALED(convert_scaled_int32, int32_t, load_int32)
DEFINE_CONVERT_SCALED(convert_scaled_int64, int64_t, load_int64)
DEFINE_CONVERT_SCALED(convert_scaled_float32, float, load_float32)
DEFINE_CONVERT_SCALED(convert_scaled_float64, double, load_float64)

static void convert_row(const cn_tensor *tensor, row from, cn_dtype dtype, char *out)
{
    int scaled = tensor->scale != 1;
    switch (tensor->dtype) {
    case CN_UINT8: (scaled ? convert_scaled_uint8 : convert_uint8)(from, dtype, out); break;
    case CN_INT32: (scaled ? convert_scaled_int32 : convert_int32)(from, dtype, out); break;
    case CN_INT64: (scaled ? convert_scaled_int64 : convert_int64)(from, dtype, out); break;
    case CN_FLOAT32: (scaled ? convert_scaled_float32 : convert_float32)(from, dtype, out); break;
    case CN_FLOAT64: (scaled ? convert_scaled_float64 : convert_float64)(from, dtype, out); break;
    default: break;
    }
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
    row from = {tensor->data, (int64_t)cn_dtype_size(tensor->dtype), tensor->size, tensor->scale};
    if (cn_is_contiguous(tensor)) {
        convert_row(tensor, from, dtype, out);
        return;
    }
    int last = tensor->ndim - 1; /* a scalar is contiguous, so there is one */
    int64_t index[CN_MAX_NDIM] = {0};
    int64_t row_bytes = tensor->shape[last] * (int64_t)cn_dtype_size(dtype);
    char *row_out = out;
    from.stride = tensor->strides[last];
    from.length = tensor->shape[last];
    do {
        from.first = cn__tensor_element(tensor, index);
        convert_row(tensor, from, dtype, row_out);
        row_out += row_bytes;
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

cn_tensor *cn_copy(const cn_tensor *tensor)
{
    if (!tensor) {
        cn__null_tensor("cn_copy");
        return NULL;
    }
    return cn_astype(tensor, cn__value_dtype(tensor));
}
