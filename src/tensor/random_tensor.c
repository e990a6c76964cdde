#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "tensor/dtype_rules.h"

#include <math.h>

/* Every call has a stream of its own, so what it draws does not depend on what other calls drew. */
static cn__random begin(cn_generator *generator)
{
    cn__random random;
    cn__random_begin(&random, generator->seed, CN__FOR_USER, generator->calls++);
    return random;
}

/* A multiple of 2^-53 in [0, 1). */
static double uniform53(cn__random *random)
{
    uint64_t high = cn__random_word(random) >> 5, low = cn__random_word(random) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

static int check(const char *function, const cn_generator *generator, cn_dtype dtype)
{
    if (!generator) return cn__fail(CN_EINVAL, "%s needs a generator, which is NULL", function);
    if (cn__is_real(dtype)) return 0;
    return cn__fail(CN_EDTYPE, "%s gives floats, not %s; use cn_random_integers", function, cn_dtype_name(dtype));
}

#define BLOCK 256 /* numbers that are converted together */

static void put_block(cn_tensor *tensor, cn_dtype from, int64_t begin, int64_t n, const void *block)
{
    cn__convert_row(from, 1, block, 8, n, tensor->dtype, tensor->data + begin * (int64_t)cn_dtype_size(tensor->dtype));
}

static int64_t block_at(const cn_tensor *tensor, int64_t begin)
{
    return tensor->size - begin < BLOCK ? tensor->size - begin : BLOCK;
}

cn_tensor *cn_random_uniform(cn_generator *generator, double low, double high, cn_dtype dtype, int ndim,
                             const int64_t *shape)
{
    if (check("cn_random_uniform", generator, dtype) < 0) return NULL;
    if (!(low <= high) || !isfinite(high - low))
        return cn__fail_null(CN_EINVAL, "cn_random_uniform: there is nothing between %g and %g", low, high);
    cn_tensor *tensor = cn__tensor_create_raw(dtype, ndim, shape);
    if (!tensor) return NULL;
    cn__random random = begin(generator);
    for (int64_t begin = 0; begin < tensor->size; begin += BLOCK) {
        double block[BLOCK];
        int64_t n = block_at(tensor, begin);
        for (int64_t i = 0; i < n; i++)
            block[i] = dtype == CN_FLOAT64 ? uniform53(&random) : cn__random_uniform(&random);
        for (int64_t i = 0; i < n; i++) block[i] = low + (high - low) * block[i];
        put_block(tensor, CN_FLOAT64, begin, n, block);
    }
    return tensor;
}

cn_tensor *cn_random_normal(cn_generator *generator, double mean, double stddev, cn_dtype dtype, int ndim,
                            const int64_t *shape)
{
    if (check("cn_random_normal", generator, dtype) < 0) return NULL;
    if (!(stddev >= 0) || !isfinite(mean) || !isfinite(stddev))
        return cn__fail_null(CN_EINVAL, "cn_random_normal: mean %g and standard deviation %g; they must be finite, "
                             "the second one 0 or more", mean, stddev);
    cn_tensor *tensor = cn__tensor_create_raw(dtype, ndim, shape);
    if (!tensor) return NULL;
    cn__random random = begin(generator);
    for (int64_t begin = 0; begin < tensor->size; begin += BLOCK) {
        double block[BLOCK];
        int64_t n = block_at(tensor, begin);
        for (int64_t i = 0; i < n; i++) block[i] = mean + stddev * cn__random_normal(&random);
        put_block(tensor, CN_FLOAT64, begin, n, block);
    }
    return tensor;
}

/* Uniform in 0 ... below-1 without bias: numbers from the incomplete last round are drawn again. */
static uint64_t below64(cn__random *random, uint64_t below)
{
    if (below <= UINT32_MAX) return cn__random_below(random, (uint32_t)below);
    uint64_t rest = (0 - below) % below, word;
    do word = (uint64_t)cn__random_word(random) << 32 | cn__random_word(random);
    while (word < rest);
    return word % below;
}

cn_tensor *cn_random_integers(cn_generator *generator, int64_t low, int64_t high, cn_dtype dtype, int ndim,
                              const int64_t *shape)
{
    static const char function[] = "cn_random_integers";
    if (!generator) return cn__fail_null(CN_EINVAL, "%s needs a generator, which is NULL", function);
    if (!cn__is_integer(dtype))
        return cn__fail_null(CN_EDTYPE, "%s gives integers, not %s", function, cn_dtype_name(dtype));
    if (high <= low || !cn__dtype_holds(dtype, low) || !cn__dtype_holds(dtype, high - 1))
        return cn__fail_null(CN_EINVAL, "%s: from %lld to below %lld is nothing, or more than %s holds", function,
                             (long long)low, (long long)high, cn_dtype_name(dtype));
    cn_tensor *tensor = cn__tensor_create_raw(dtype, ndim, shape);
    if (!tensor) return NULL;
    cn__random random = begin(generator);
    for (int64_t begin = 0; begin < tensor->size; begin += BLOCK) {
        int64_t block[BLOCK], n = block_at(tensor, begin);
        for (int64_t i = 0; i < n; i++)
            block[i] = (int64_t)((uint64_t)low + below64(&random, (uint64_t)high - (uint64_t)low));
        put_block(tensor, CN_INT64, begin, n, block);
    }
    return tensor;
}

cn_tensor *cn_random_permutation(cn_generator *generator, int64_t n)
{
    if (!generator) return cn__fail_null(CN_EINVAL, "cn_random_permutation needs a generator, which is NULL");
    if (n < 0 || n > UINT32_MAX)
        return cn__fail_null(CN_EINVAL, "cn_random_permutation: %lld entries; use 0 ... 2^32-1", (long long)n);
    cn_tensor *tensor = cn__tensor_create_raw(CN_INT64, 1, &n);
    if (!tensor) return NULL;
    cn__random random = begin(generator);
    int64_t *entry = (int64_t *)(void *)tensor->data;
    for (int64_t i = 0; i < n; i++) {
        int64_t j = cn__random_below(&random, (uint32_t)i + 1);
        entry[i] = entry[j];
        entry[j] = i;
    }
    return tensor;
}
