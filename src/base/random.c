#include "base/random.h"

#include "base/exact.h"

#include <math.h>

void cn__philox(uint64_t seed, uint32_t purpose, uint32_t stream, uint64_t index, uint32_t words[4])
{
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32), c2 = stream, c3 = purpose;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

void cn__random_begin(cn__random *random, uint64_t seed, cn__purpose purpose, uint32_t stream)
{
    *random = (cn__random){.seed = seed, .purpose = (uint32_t)purpose, .stream = stream};
}

uint32_t cn__random_word(cn__random *random)
{
    if (random->left == 0) {
        cn__philox(random->seed, random->purpose, random->stream, random->index++, random->buffer);
        random->left = 4;
    }
    return random->buffer[4 - random->left--];
}

double cn__random_uniform(cn__random *random)
{
    return (double)(cn__random_word(random) >> 8) * 0x1p-24;
}

double cn__random_normal(cn__random *random)
{
    /* The second number of each pair is thrown away: no state to save, and initializers are not hot. */
    for (;;) {
        double a = 2 * cn__random_uniform(random) - 1, b = 2 * cn__random_uniform(random) - 1;
        double s = a * a + b * b;
        if (s > 0 && s < 1) return a * sqrt(-2 * cn__exact_log(s) / s);
    }
}

uint32_t cn__random_below(cn__random *random, uint32_t below)
{
    uint64_t product = (uint64_t)cn__random_word(random) * below;
    if ((uint32_t)product < below) {
        uint32_t threshold = (0u - below) % below;
        while ((uint32_t)product < threshold) product = (uint64_t)cn__random_word(random) * below;
    }
    return (uint32_t)(product >> 32);
}

void cn__random_permutation(cn__random *random, uint32_t n, uint32_t *permutation)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = cn__random_below(random, i + 1);
        permutation[i] = permutation[j];
        permutation[j] = i;
    }
}
