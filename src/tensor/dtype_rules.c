#include "tensor/dtype_rules.h"

int cn__is_unsigned(cn_dtype dtype)
{
    return dtype == CN_UINT8 || dtype == CN_UINT16 || dtype == CN_UINT32 || dtype == CN_UINT64;
}

int cn__is_integer(cn_dtype dtype)
{
    return dtype != CN_BOOL && !cn__is_real(dtype);
}

static int bits_of(cn_dtype dtype)
{
    return (int)cn_dtype_size(dtype) * 8;
}

static cn_dtype real_of_bits(int bits)
{
    return bits <= 16 ? CN_FLOAT16 : bits <= 32 ? CN_FLOAT32 : CN_FLOAT64;
}

static cn_dtype signed_of_bits(int bits)
{
    return bits <= 8 ? CN_INT8 : bits <= 16 ? CN_INT16 : bits <= 32 ? CN_INT32 : CN_INT64;
}

/* A float holds integers of half its bits. */
static int real_bits_for(cn_dtype dtype)
{
    if (cn__is_real(dtype)) return bits_of(dtype);
    return dtype == CN_BOOL ? 16 : 2 * bits_of(dtype);
}

static cn_dtype wider(cn_dtype a, cn_dtype b)
{
    return bits_of(a) >= bits_of(b) ? a : b;
}

cn_dtype cn__promote(cn_dtype a, cn_dtype b)
{
    if (a == b || b == CN_BOOL) return a;
    if (a == CN_BOOL) return b;
    if (cn__is_real(a) || cn__is_real(b)) {
        int bits_a = real_bits_for(a), bits_b = real_bits_for(b);
        return real_of_bits(bits_a > bits_b ? bits_a : bits_b);
    }
    if (cn__is_unsigned(a) == cn__is_unsigned(b)) return wider(a, b);
    cn_dtype without = cn__is_unsigned(a) ? a : b, with = cn__is_unsigned(a) ? b : a;
    if (bits_of(with) > bits_of(without)) return with;
    return without == CN_UINT64 ? CN_FLOAT64 : signed_of_bits(2 * bits_of(without));
}

cn_dtype cn__promote_all(int n, const cn_tensor *const *operands)
{
    cn_dtype promoted = CN_DTYPE_COUNT;
    int any_int = 0, any_float = 0;
    /* Floats first: int8, uint8 and float16 give float16, though int8 and uint8 alone would be int16. */
    for (int reals = 1; reals >= 0; reals--)
        for (int i = 0; i < n; i++) {
            cn_dtype dtype = cn__value_dtype(operands[i]);
            if (cn__is_real(dtype) != reals) continue;
            if (!operands[i]->is_weak) promoted = promoted == CN_DTYPE_COUNT ? dtype : cn__promote(promoted, dtype);
            else if (reals) any_float = 1;
            else any_int = 1;
        }
    if (any_float && (promoted == CN_DTYPE_COUNT || !cn__is_real(promoted))) return CN_FLOAT64;
    if (any_int && (promoted == CN_DTYPE_COUNT || promoted == CN_BOOL)) return CN_INT64;
    return promoted;
}

cn_dtype cn__real_dtype(cn_dtype dtype)
{
    return real_of_bits(real_bits_for(dtype));
}

cn_dtype cn__sum_dtype(cn_dtype dtype)
{
    if (cn__is_real(dtype)) return dtype;
    return cn__is_unsigned(dtype) ? CN_UINT64 : CN_INT64;
}

cn_dtype cn__loop_dtype(cn_dtype dtype)
{
    if (dtype == CN_BOOL || dtype == CN_UINT64 || dtype == CN_FLOAT32 || dtype == CN_FLOAT64) return dtype;
    return dtype == CN_FLOAT16 ? CN_FLOAT32 : CN_INT64;
}

int cn__loop_number(cn_dtype loop_dtype)
{
    switch (loop_dtype) {
    case CN_BOOL: return 0;
    case CN_INT64: return 1;
    case CN_UINT64: return 2;
    case CN_FLOAT32: return 3;
    default: return 4;
    }
}

int cn__dtype_holds(cn_dtype dtype, int64_t number)
{
    if (cn__is_real(dtype) || dtype == CN_INT64) return 1;
    if (dtype == CN_UINT64) return number >= 0;
    if (dtype == CN_BOOL) return number == 0 || number == 1;
    int bits = bits_of(dtype);
    if (cn__is_unsigned(dtype)) return number >= 0 && number < (int64_t)1 << bits;
    return number >= -((int64_t)1 << (bits - 1)) && number < (int64_t)1 << (bits - 1);
}
