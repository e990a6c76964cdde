/* Sixteen numbers that are worked on together: one AVX-512 register, two AVX2 or four NEON registers, or a plain array
 * that the compiler may do with as it likes. Every operation rounds each lane exactly as the scalar one does, so the
 * bits are the same everywhere.
 *
 * vec_keep(a) is a. It tells the compiler to load a vector that is used twice once, and not twice from memory.
 * vec_fma_at(p, b, c) is vec_fma(vec_set(*p), b, c). Where one instruction does all of it, it is one even if *p is used
 * again, for which a compiler would rather keep it in a register. Where c is two registers it stays in them, which a
 * compiler that unrolls a loop would rather rename, by copies.
 * vec_fetch_to_write(p) asks for the line of p, which another core may have, as one that only this core has. p may be
 * any address. */
#ifndef CN_KERNELS_VECTOR_H
#define CN_KERNELS_VECTOR_H

#include "kernels/real.h"

#define CN__VEC 16
#define CN__LINE (int64_t)(64 / sizeof(real)) /* numbers in a line of a cache */

#if defined(CN_ISA_AVX512)
#if !defined(__AVX512F__) || !defined(__AVX512VL__)
#error "this engine must be compiled with -march=x86-64-v4"
#endif
#include <immintrin.h>

typedef __m512 vec;
static inline vec vec_zero(void) { return _mm512_setzero_ps(); }
static inline vec vec_set(real x) { return _mm512_set1_ps(x); }
static inline vec vec_load(const real *p) { return _mm512_loadu_ps(p); }
static inline void vec_store(real *p, vec a) { _mm512_storeu_ps(p, a); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_load_n(const real *p, int n) { return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
static inline void vec_store_n(real *p, vec a, int n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), a); }
static inline vec vec_keep(vec a)
{
    __asm__("" : "+v"(a));
    return a;
}
static inline void vec_fetch_to_write(const real *p) { __asm__ volatile("prefetchw %0" ::"m"(*p)); }
static inline vec vec_fma_at(const real *p, vec b, vec c)
{
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
    return c;
}

#elif defined(CN_ISA_AVX2)
#if !defined(__AVX2__) || !defined(__FMA__)
#error "this engine must be compiled with -march=x86-64-v3"
#endif
#include <immintrin.h>

typedef struct vec {
    __m256 low, high;
} vec;
static inline vec vec_zero(void) { return (vec){_mm256_setzero_ps(), _mm256_setzero_ps()}; }
static inline vec vec_set(real x) { return (vec){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
static inline vec vec_load(const real *p) { return (vec){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
static inline void vec_store(real *p, vec a)
{
    _mm256_storeu_ps(p, a.low);
    _mm256_storeu_ps(p + 8, a.high);
}
static inline vec vec_fma(vec a, vec b, vec c)
{
    return (vec){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
static inline vec vec_add(vec a, vec b) { return (vec){_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
static inline vec vec_load_n(const real *p, int n)
{
    real copy[CN__VEC] = {0};
    for (int i = 0; i < n; i++) copy[i] = p[i];
    return vec_load(copy);
}
static inline void vec_store_n(real *p, vec a, int n)
{
    real copy[CN__VEC];
    vec_store(copy, a);
    for (int i = 0; i < n; i++) p[i] = copy[i];
}
static inline vec vec_keep(vec a)
{
    __asm__("" : "+x"(a.low), "+x"(a.high));
    return a;
}
static inline vec vec_fma_at(const real *p, vec b, vec c)
{
    __m256 element = _mm256_broadcast_ss(p);
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(c.low) : "x"(element), "x"(b.low));
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(c.high) : "x"(element), "x"(b.high));
    return c;
}

#elif defined(CN_ISA_NEON)
#include <arm_neon.h>

typedef struct vec {
    float32x4_t part[4];
} vec;
#define CN__PARTS(expression)                                                                                       \
    vec result;                                                                                                     \
    for (int i = 0; i < 4; i++) result.part[i] = (expression);                                                      \
    return result
static inline vec vec_zero(void) { CN__PARTS(vdupq_n_f32(0)); }
static inline vec vec_set(real x) { CN__PARTS(vdupq_n_f32(x)); }
static inline vec vec_load(const real *p) { CN__PARTS(vld1q_f32(p + 4 * i)); }
static inline void vec_store(real *p, vec a)
{
    for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, a.part[i]);
}
static inline vec vec_fma(vec a, vec b, vec c) { CN__PARTS(vfmaq_f32(c.part[i], a.part[i], b.part[i])); }
static inline vec vec_add(vec a, vec b) { CN__PARTS(vaddq_f32(a.part[i], b.part[i])); }
static inline vec vec_keep(vec a) { return a; }
static inline vec vec_load_n(const real *p, int n)
{
    real copy[CN__VEC] = {0};
    for (int i = 0; i < n; i++) copy[i] = p[i];
    return vec_load(copy);
}
static inline void vec_store_n(real *p, vec a, int n)
{
    real copy[CN__VEC];
    vec_store(copy, a);
    for (int i = 0; i < n; i++) p[i] = copy[i];
}

#else

typedef struct vec {
    real lane[CN__VEC];
} vec;
#define CN__LANEWISE(expression)                                                                                    \
    vec result;                                                                                                     \
    for (int i = 0; i < CN__VEC; i++) result.lane[i] = (expression);                                                \
    return result
static inline vec vec_zero(void) { CN__LANEWISE(0); }
static inline vec vec_set(real x) { CN__LANEWISE(x); }
static inline vec vec_load(const real *p) { CN__LANEWISE(p[i]); }
static inline void vec_store(real *p, vec a)
{
    for (int i = 0; i < CN__VEC; i++) p[i] = a.lane[i];
}
static inline vec vec_fma(vec a, vec b, vec c) { CN__LANEWISE(FMA(a.lane[i], b.lane[i], c.lane[i])); }
static inline vec vec_add(vec a, vec b) { CN__LANEWISE(a.lane[i] + b.lane[i]); }
static inline vec vec_keep(vec a) { return a; }
static inline vec vec_load_n(const real *p, int n) { CN__LANEWISE(i < n ? p[i] : 0); }
static inline void vec_store_n(real *p, vec a, int n)
{
    for (int i = 0; i < n; i++) p[i] = a.lane[i];
}
#endif

#if !defined(CN_ISA_AVX512)
static inline void vec_fetch_to_write(const real *p) { __builtin_prefetch(p, 1); }
#if !defined(CN_ISA_AVX2)
static inline vec vec_fma_at(const real *p, vec b, vec c) { return vec_fma(vec_set(*p), b, c); }
#endif
#endif

#endif
