/* RMSprop's update without momentum and mean on vectors, for kernels that make a gradient and move the weights in one
 * go: those on tiles. The formula is that of train/optimizer_rmsprop.c, which serves all other cases. Float32 gives the
 * same bits. In mixed_bfloat16 on tiles the inverse root is the CPU's own (VRSQRT14PS, wrong by 2^-14 at most, bit by
 * bit the same on all CPUs that have such tiles), as the factors of the gradient have eight bits only; where cn__step's
 * takes_cpu_root says so the optimizer's update takes it too, so that it does not matter which way a weight is
 * moved. */
#ifndef CN_KERNELS_RMSPROP_H
#define CN_KERNELS_RMSPROP_H

#include "kernels/real.h"

/* Places in cn__step.coefficients. */
enum { CN__RMSPROP_RATE, CN__RMSPROP_RHO, CN__RMSPROP_ONE_MINUS_RHO, CN__RMSPROP_MOMENTUM, CN__RMSPROP_EPSILON };

/* A velocity that only decays reaches the subnormal numbers after some 800 steps and would slow the CPU down
 * tenfold. Below this it is set to 0, which next to epsilon changes nothing. */
#define CN__RMSPROP_TINY REAL(1e-30)

#if defined(CN_ISA_AVX512) && CN_REAL_BITS == 32
#define CN__HAS_RMSPROP_ROW 1
#include "kernels/sink.h"

#include <immintrin.h>

typedef struct cn__rmsprop {
    __m512 minus_rate, rho, one_minus_rho, epsilon, half_epsilon;
} cn__rmsprop;

/* For gradients that are still to be multiplied by `scale`. */
static inline cn__rmsprop cn__rmsprop_scaled(const cn__step *step, double scale)
{
    return (cn__rmsprop){_mm512_set1_ps(-(float)(step->coefficients[CN__RMSPROP_RATE] * scale)),
                         _mm512_set1_ps((float)step->coefficients[CN__RMSPROP_RHO]),
                         _mm512_set1_ps((float)(step->coefficients[CN__RMSPROP_ONE_MINUS_RHO] * scale * scale)),
                         _mm512_set1_ps((float)step->coefficients[CN__RMSPROP_EPSILON]),
                         _mm512_set1_ps(0.5f * (float)step->coefficients[CN__RMSPROP_EPSILON])};
}

static inline cn__rmsprop cn__rmsprop_of(const cn__step *step)
{
    return cn__rmsprop_scaled(step, 1);
}

static inline __m512 cn__rmsprop_not_tiny(__m512 v)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_set1_ps(CN__RMSPROP_TINY), _CMP_NLT_UQ), v);
}

/* The new average of squares of sixteen gradients, v before. */
static inline __m512 cn__rmsprop_average_of(const cn__rmsprop *u, __m512 g, __m512 v)
{
    return cn__rmsprop_not_tiny(_mm512_fmadd_ps(_mm512_mul_ps(u->one_minus_rho, g), g, _mm512_mul_ps(u->rho, v)));
}

/* The same where g is 0. */
static inline __m512 cn__rmsprop_decayed(const cn__rmsprop *u, __m512 v)
{
    return cn__rmsprop_not_tiny(_mm512_mul_ps(u->rho, v));
}

/* *velocity is the slot, of which `some` are there. */
static inline __m512 cn__rmsprop_average(const cn__rmsprop *u, __m512 g, __mmask16 some, float *velocity)
{
    const __m512 v = cn__rmsprop_average_of(u, g, _mm512_maskz_loadu_ps(some, velocity));
    _mm512_mask_storeu_ps(velocity, some, v);
    return v;
}

/* What so many updates do to a slot if g is 0. */
static inline void cn__rmsprop_idle(const cn__rmsprop *u, int64_t updates, __mmask16 some, float *velocity)
{
    if (updates <= 0) return;
    __m512 v = _mm512_maskz_loadu_ps(some, velocity);
    for (int64_t i = 0; i < updates; i++) v = cn__rmsprop_decayed(u, v);
    _mm512_mask_storeu_ps(velocity, some, v);
}

#define CN__RMSPROP_VECTORS 8
#define CN__RMSPROP_UPDATES 16

/* The same for n slots. What only decays falls below CN__RMSPROP_TINY once and for all, so after the first update,
 * which may meet anything, it is enough to look for that now and then. */
static inline void cn__rmsprop_idle_row(const cn__step *step, int64_t n, float *velocity, int64_t updates)
{
    const cn__rmsprop u = cn__rmsprop_of(step);
    for (int64_t first = 0; first < n && updates > 0; first += CN__RMSPROP_VECTORS * 16) {
        __m512 v[CN__RMSPROP_VECTORS];
        __mmask16 some[CN__RMSPROP_VECTORS];
        CN__UNROLL(8)
        for (int k = 0; k < CN__RMSPROP_VECTORS; k++) {
            const int64_t left = n - first - 16 * k;
            some[k] = (__mmask16)(left >= 16 ? 0xffff : left > 0 ? (1u << left) - 1 : 0);
            v[k] = cn__rmsprop_decayed(&u, _mm512_maskz_loadu_ps(some[k], velocity + first + 16 * k));
        }
        for (int64_t left = updates - 1, some_move = 1; left > 0 && some_move; left -= CN__RMSPROP_UPDATES) {
            for (int64_t i = left < CN__RMSPROP_UPDATES ? left : CN__RMSPROP_UPDATES; i > 0; i--)
                CN__UNROLL(8)
                for (int k = 0; k < CN__RMSPROP_VECTORS; k++) v[k] = _mm512_mul_ps(u.rho, v[k]);
            __m512i any = _mm512_setzero_si512();
            CN__UNROLL(8)
            for (int k = 0; k < CN__RMSPROP_VECTORS; k++) {
                v[k] = cn__rmsprop_not_tiny(v[k]);
                any = _mm512_or_si512(any, _mm512_castps_si512(v[k]));
            }
            some_move = _mm512_test_epi32_mask(any, any) != 0;
        }
        CN__UNROLL(8)
        for (int k = 0; k < CN__RMSPROP_VECTORS; k++)
            _mm512_mask_storeu_ps(velocity + first + 16 * k, some[k], v[k]);
    }
}

/* cn__rsqrt (kernels/functions.h) of sixteen numbers, from their halves: those of v + epsilon are exactly v / 2 +
 * epsilon / 2, as numbers so small that halving rounds them are far from v, which is 0 or at least CN__RMSPROP_TINY. */
static inline __m512 cn__rmsprop_root(__m512 h)
{
    __m512 y = _mm512_castsi512_ps(
        _mm512_sub_epi32(_mm512_set1_epi32(0x5ef70000), _mm512_srli_epi32(_mm512_castps_si512(h), 1)));
    __m512 r = _mm512_mul_ps(_mm512_mul_ps(h, y), y);
    __m512 p = _mm512_fmadd_ps(r, _mm512_set1_ps(4 * 0.3789431f), _mm512_set1_ps(2 * -1.2589499f));
    y = _mm512_mul_ps(y, _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.8800031f)));
    return _mm512_fmadd_ps(y, _mm512_fnmadd_ps(_mm512_mul_ps(h, y), y, _mm512_set1_ps(0.5f)), y);
}

/* The new weights for sixteen weights w, whose new average is v. */
static inline __m512 cn__rmsprop_moved(const cn__rmsprop *u, __m512 w, __m512 g, __m512 v)
{
    __m512 root = cn__rmsprop_root(_mm512_fmadd_ps(v, _mm512_set1_ps(0.5f), u->half_epsilon));
    return _mm512_fmadd_ps(_mm512_mul_ps(u->minus_rate, g), root, w);
}

static inline __m512 cn__rmsprop_move(const cn__rmsprop *u, __m512 w, __m512 g, __mmask16 some, float *velocity)
{
    return cn__rmsprop_moved(u, w, g, cn__rmsprop_average(u, g, some, velocity));
}

static inline __m512 cn__rmsprop_moved_halves(const cn__rmsprop *u, __m512 w, __m512 g, __m512 v)
{
    __m512 root = _mm512_rsqrt14_ps(_mm512_add_ps(v, u->epsilon));
    return _mm512_fmadd_ps(_mm512_mul_ps(u->minus_rate, g), root, w);
}

static inline __m512 cn__rmsprop_move_halves(const cn__rmsprop *u, __m512 w, __m512 g, __mmask16 some, float *velocity)
{
    return cn__rmsprop_moved_halves(u, w, g, cn__rmsprop_average(u, g, some, velocity));
}

/* The same for the weights that the mask names; the others stay as they are. */
static inline __m512 cn__rmsprop_move_some(const cn__rmsprop *u, __m512 w, __m512 g, __mmask16 some, float *velocity)
{
    const __m512 v = cn__rmsprop_average_of(u, g, _mm512_loadu_ps(velocity));
    _mm512_mask_storeu_ps(velocity, some, v);
    const __m512 root = _mm512_rsqrt14_ps(_mm512_add_ps(v, u->epsilon));
    return _mm512_mask3_fmadd_ps(_mm512_mul_ps(u->minus_rate, g), root, w, some);
}

/* A row of n weights. A weight is loaded before its slot is stored: behind that, where both stand at the same place of
 * a page, the CPU takes the weight for what was just stored, and waits. */
static inline void cn__rmsprop_move_row(const cn__step *step, int64_t n, float *w, float *velocity, const float *g)
{
    const cn__rmsprop u = cn__rmsprop_of(step);
    const int halves = step->takes_cpu_root;
    for (int64_t i = 0; i < n; i += 16) {
        const __mmask16 some = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xffff);
        const __m512 gradient = _mm512_maskz_loadu_ps(some, g + i);
        __m512 weight = _mm512_maskz_loadu_ps(some, w + i);
        __asm__ volatile("" : "+v"(weight) : : "memory");
        weight = halves ? cn__rmsprop_move_halves(&u, weight, gradient, some, velocity + i)
                        : cn__rmsprop_move(&u, weight, gradient, some, velocity + i);
        _mm512_mask_storeu_ps(w + i, some, weight);
    }
}
#else
#define CN__HAS_RMSPROP_ROW 0
#endif
#endif
