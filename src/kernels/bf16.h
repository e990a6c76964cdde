/* bfloat16: the upper half of a float32, rounded to nearest, ties to even. Infinities stay, NaN stays NaN (quiet).
 * Subnormal float32 numbers become a zero of their sign, because that is what the CPU's own conversion (VCVTNEPS2BF16)
 * and its tile products (TDPBF16PS) do, whatever the mode bits say; numbers below 1.2e-38 mean nothing to a network. */
#ifndef CN_KERNELS_BF16_H
#define CN_KERNELS_BF16_H

#include <stdint.h>
#include <string.h>

static inline uint16_t cn__bf16_from(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t magnitude = bits & 0x7fffffffu;
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    rounded = magnitude > 0x7f800000u ? (bits >> 16 | 0x40u) : rounded;
    rounded = magnitude < 0x00800000u ? bits >> 31 << 15 : rounded;
    return (uint16_t)rounded;
}

static inline float cn__bf16_value(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The nearest bfloat16 as a float32. */
static inline float cn__bf16_round(float x)
{
    return cn__bf16_value(cn__bf16_from(x));
}

/* Two ways to multiply matrices of bfloat16 with sums in float32: tiles (Intel AMX), or the float32 kernels on rounded
 * copies. A product of two bfloat16 numbers is exact in float32, so the ways differ only in how sums are rounded.
 * Either gives the same bits for any number of threads; the second also on every CPU. */
typedef enum cn__bf16_way { CN__BF16_NONE, CN__BF16_ROUNDED, CN__BF16_TILES } cn__bf16_way;

/* Between a first layer that reads bytes and a last one, numbers may stay in tiles (kernels/amx_hidden.h). */
#define CN__HIDDEN_UNITS 32   /* a multiple of so many */
#define CN__HIDDEN_OUTPUTS 16 /* of the last layer, at most */
#define CN__HIDDEN_ROWS 4096  /* of a batch, at most */

/* How to compute, and memory for rounded copies of the operands: cn__bf16_bytes of the largest product.
 * A kernel may have a copy in tiles that stays from one product to the next: the first forward pass fills it, updates
 * of the kernel keep it up to date, and whoever else writes the kernel, or leaves other columns of the inputs out of
 * their tiles (kernels/gather.h, cn__frequent), sets *copied to 0. */
typedef struct cn__bf16 {
    cn__bf16_way way;
    void *memory;
    uint16_t *copy; /* of cn__bf16_copy_bytes, or NULL */
    const uint16_t *x_tiles; /* a hidden layer's outputs as tiles (kernels/amx_hidden.h), for the layer behind it, */
    uint16_t *dx_tiles;      /* which leaves the gradients here; */
    uint16_t *y_tiles;       /* the same for the hidden layer itself; all NULL: in rows of float32 */
    const uint16_t *dy_tiles;
    int64_t *copied; /* how many rows of the kernel the copy has: all, or those of the columns in tiles; 0: it is out of
                      * date */
} cn__bf16;

static inline double cn__bf16_copy_bytes(int64_t inputs, int64_t outputs)
{
    return 2 * ((double)inputs + 32) * ((double)outputs + 32);
}

/* The same in every engine: room for x (rows, inputs), kernel (inputs, outputs) and y (rows, outputs), filled up to
 * whole tiles. Computed in double, so that it cannot overflow before the caller checks it. */
static inline double cn__bf16_bytes(int64_t rows, int64_t inputs, int64_t outputs)
{
    double b = (double)rows + 32, i = (double)inputs + 32, o = (double)outputs + 32;
    return 4 * (b * i + i * o + b * o);
}

#endif
