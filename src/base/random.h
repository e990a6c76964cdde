/* Random numbers by counter: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011). A number depends only on (seed, purpose, stream, index), so it is the same for any number of threads and
 * can be made in any order. */
#ifndef CN_BASE_RANDOM_H
#define CN_BASE_RANDOM_H

#include <stdint.h>

/* What the numbers are for; never renumber, or old seeds give other results. */
typedef enum cn__purpose {
    CN__FOR_INITIALIZER = 1,  /* stream: number of the weight in the model */
    CN__FOR_SHUFFLE = 2,      /* stream: epoch */
    CN__FOR_DROPOUT = 3,      /* stream: training step; of one layer */
    CN__FOR_AUGMENTATION = 4, /* stream: training step; of one layer */
    CN__FOR_USER = 5,
    CN__FOR_SPLIT = 6         /* stream: class */
} cn__purpose;

/* The purpose as one layer has it to itself. */
static inline uint32_t cn__purpose_of_layer(cn__purpose purpose, int layer)
{
    return (uint32_t)purpose + 256 * (uint32_t)layer;
}

typedef struct cn__random {
    uint64_t seed, index;
    uint32_t purpose, stream, buffer[4];
    int left;
} cn__random;

/* Four 32-bit words at one index. */
void cn__philox(uint64_t seed, uint32_t purpose, uint32_t stream, uint64_t index, uint32_t words[4]);

/* A generator that walks the indices from 0. */
void cn__random_begin(cn__random *random, uint64_t seed, cn__purpose purpose, uint32_t stream);
uint32_t cn__random_word(cn__random *random);
/* Multiple of 2^-24 in [0, 1): the same number as float and as double. */
double cn__random_uniform(cn__random *random);
/* Standard normal, by the polar method (Marsaglia). */
double cn__random_normal(cn__random *random);
/* Uniform in 0 ... below-1 without bias (Lemire's multiplication with rejection); below > 0. */
uint32_t cn__random_below(cn__random *random, uint32_t below);

/* A uniform permutation of 0 ... n-1 (Fisher and Yates). */
void cn__random_permutation(cn__random *random, uint32_t n, uint32_t *permutation);

#endif
