/* What the two ways of multiplying by a batch of very few non-zeros share: by columns (dense_sparse.c) and, for narrow
 * kernels, by rows (dense_sparse_narrow.c). */
#ifndef CN_KERNELS_DENSE_SPARSE_PARTS_H
#define CN_KERNELS_DENSE_SPARSE_PARTS_H

#include "kernels/dense_sparse.h"
#include "kernels/digit_pairs.h"
#include "kernels/exact.h"
#include "kernels/sink_row.h"
#include "kernels/vector.h"

/* Whole numbers are int32 as long as they fit: the sums of a light sample do (its codes add up to CN__LIGHT_SUM at
 * most, and 2^23 CN__LIGHT_SUM < 2^31); those of gradients do mostly (a float32 times 2^30 / 2^e stays below 2^30), and
 * whether they do is looked at. All others are double. */
#define CN__SPARSE_WIDTH 512 /* outputs at a time */
#define CN__SPARSE_GROUPS (CN__SPARSE_WIDTH / CN__EXACT_GROUP)
#define CN__INLINE static inline __attribute__((always_inline))

typedef uint32_t cn__float_bits __attribute__((may_alias));

#define CN__LANES 8
typedef double cn__wide __attribute__((vector_size(CN__LANES * sizeof(double)), aligned(8), may_alias));

/* As many as one register holds: gcc 12 keeps larger vectors in memory. */
#define CN__WORDS CN__WHOLES
typedef uint32_t cn__words __attribute__((vector_size(CN__WORDS * sizeof(uint32_t)), aligned(4), may_alias));
typedef int32_t cn__signed_words __attribute__((vector_size(CN__WORDS * sizeof(int32_t)), aligned(4), may_alias));

typedef struct cn__sparse_job {
    const cn__dense *d;
    const cn__batch *x;
    const cn__finish *finish;
    real *y;
    const real *dy;
    const cn__sink *sink;
    int64_t o, width, tasks; /* outputs o ... o+width-1 */
    cn__exact_scale scales[CN__SPARSE_GROUPS];
} cn__sparse_job;

/* Scales of groups spread out over their outputs, for loops without groups. */
typedef struct cn__spread {
    float up[CN__SPARSE_WIDTH], high[CN__SPARSE_WIDTH], rest[CN__SPARSE_WIDTH];
} cn__spread;

static inline void cn__spread_out(const cn__exact_scale *scales, int64_t width, cn__spread *s)
{
    for (int64_t c = 0; c < width; c++) {
        s->up[c] = scales[c / CN__EXACT_GROUP].up;
        s->high[c] = scales[c / CN__EXACT_GROUP].high;
        s->rest[c] = scales[c / CN__EXACT_GROUP].rest;
    }
}

/* cn__exact_whole without double. A NaN becomes `most`; its group gives NaN anyway. Adding 2^23 to a smaller number
 * rounds it, larger ones are whole already. */
CN__INLINE float cn__limited(float x, float most)
{
    x = x < most ? x : most;
    return x > -most - 1 ? x : -most - 1;
}

CN__INLINE float cn__rounded(float x)
{
    float by = copysignf(8388608, x);
    return (x + by) - by;
}

/* floor(x) for |x| < 2^51. Not every compiler makes vectors of floor() where the CPU has none; adding 1.5 2^52 rounds
 * to a whole number. */
CN__INLINE double cn__floor(double x)
{
#if defined(CN_ISA_AVX512) || defined(CN_ISA_AVX2)
    return floor(x);
#else
    const double shift = 6755399441055744.0, near = (x + shift) - shift;
    return near > x ? near - 1 : near;
#endif
}

/* cn__exact_value for n sums. */
CN__INLINE void cn__values(const double *restrict sums, int64_t n, cn__exact_kind kind,
                           const float *restrict high_scale, const float *restrict rest_scale, float *restrict value)
{
    const double unit = (double)(1 << kind.low), part = 1 / unit;
    for (int64_t c = 0; c < n; c++) {
        double high = cn__floor(sums[c] * part);
        value[c] = FMA((float)high, high_scale[c], (float)(sums[c] - high * unit) * rest_scale[c]);
    }
}

CN__INLINE void cn__raise_peaks(const cn__float_bits *restrict w, int64_t width, cn__float_bits *restrict peaks)
{
    for (int64_t c = 0; c < width; c++) {
        uint32_t magnitude = w[c] & 0x7fffffffu;
        peaks[c] = magnitude > peaks[c] ? magnitude : peaks[c];
    }
}

/* --- forward --- */

/* A task's own sums: int32 for every sample, behind them double for the heavy ones. */
static inline int32_t *cn__light_sums(const cn__sparse_job *j, int64_t task)
{
    return cn__pool_scratch(j->d->pool, (int)task);
}

static inline double *cn__heavy_sums(const cn__sparse_job *j, int64_t task)
{
    return (double *)(void *)(cn__light_sums(j, task) + (j->x->rows * j->width + 1) / 2 * 2);
}

#define CN__MOST_WEIGHT 8388607 /* as cn__exact_scale_of(CN__EXACT_WEIGHTS) has it */

CN__INLINE void cn__make_whole(const real *restrict w, int64_t width, const float *restrict up, int32_t *restrict q)
{
    int64_t c = 0;
#if defined(CN_ISA_AVX512)
    const __m512 most = _mm512_set1_ps(CN__MOST_WEIGHT), least = _mm512_set1_ps(-CN__MOST_WEIGHT - 1);
    for (; c + 16 <= width; c += 16) {
        __m512 x = _mm512_min_ps(_mm512_mul_ps(_mm512_loadu_ps(w + c), _mm512_loadu_ps(up + c)), most);
        _mm512_storeu_si512(q + c, _mm512_cvtps_epi32(_mm512_max_ps(x, least)));
    }
#elif defined(CN_ISA_AVX2)
    const __m256 most = _mm256_set1_ps(CN__MOST_WEIGHT), least = _mm256_set1_ps(-CN__MOST_WEIGHT - 1);
    for (; c + 8 <= width; c += 8) {
        __m256 x = _mm256_min_ps(_mm256_mul_ps(_mm256_loadu_ps(w + c), _mm256_loadu_ps(up + c)), most);
        _mm256_storeu_si256((__m256i *)(void *)(q + c), _mm256_cvtps_epi32(_mm256_max_ps(x, least)));
    }
#endif
    for (; c < width; c++) q[c] = (int32_t)cn__rounded(cn__limited(w[c] * up[c], CN__MOST_WEIGHT));
}

CN__INLINE void cn__add_light(int32_t *restrict sums, const int32_t *restrict q, int64_t width, int32_t code)
{
    if (code == 1)
        for (int64_t c = 0; c < width; c++) sums[c] += q[c];
    else
        for (int64_t c = 0; c < width; c++) sums[c] += q[c] * code;
}

static inline void cn__add_heavy(double *restrict sums, const int32_t *restrict q, int64_t width, double code)
{
    for (int64_t c = 0; c < width; c++) sums[c] += (double)q[c] * code;
}

/* --- gradient of the kernel --- */

/* The largest float32 below 2^30, so that two of them fit into 32 bits. Only a NaN is limited to it. */
#define CN__MOST_GRADIENT 1073741760

/* The scales of dy; 1 if a gradient may be NaN. */
static inline int cn__spread_gradient_scales(const cn__sparse_job *j, cn__spread *s)
{
    cn__float_bits peaks[CN__SPARSE_WIDTH] = {0};
    cn__exact_scale scales[CN__SPARSE_GROUPS];
    int has_nan = 0;
    for (int64_t b = 0; b < j->x->rows; b++)
        cn__raise_peaks((const cn__float_bits *)(j->dy + b * j->d->outputs + j->o), j->width, peaks);
    for (int64_t c = 0; c < j->width; c += CN__EXACT_GROUP) {
        const int64_t end = c + CN__EXACT_GROUP < j->width ? c + CN__EXACT_GROUP : j->width;
        uint32_t peak = 0;
        for (int64_t i = c; i < end; i++) peak = peaks[i] > peak ? peaks[i] : peak;
        cn__exact_scale scale = cn__exact_scale_of(CN__EXACT_GRADIENTS, peak, j->x->scale);
        has_nan |= !isfinite(scale.high) || !isfinite(scale.rest); /* an infinity times 0 is one */
        scales[c / CN__EXACT_GROUP] = scale;
    }
    cn__spread_out(scales, j->width, s);
    return has_nan;
}

/* A number of dy as a whole one; one of 2^23 and more is whole already. */
CN__INLINE int32_t cn__whole_gradient(float dy, float up)
{
    float x = cn__limited(dy * up, CN__MOST_GRADIENT), near = cn__rounded(x);
    return (int32_t)(fabsf(x) < 8388608 ? near : x);
}

/* cn__exact_value for gradients whose sum fits into 32 bits. */
CN__INLINE float cn__light_value(int32_t sum, float high, float rest)
{
    return FMA((float)(sum >> 24), high, (float)(sum & 0xffffff) * rest);
}

/* cn__light_value of CN__VEC sums, of which compilers make no vectors by themselves. */
CN__INLINE void cn__light_values(const uint32_t *sums, const float *high_scale, const float *rest_scale,
                                 float *gradient)
{
    float high[CN__VEC], rest[CN__VEC];
    for (int v = 0; v < CN__VEC; v += CN__WORDS) {
        const cn__signed_words sum = *(const cn__signed_words *)(sums + v);
        *(cn__floats *)(high + v) = __builtin_convertvector(sum >> 24, cn__floats);
        *(cn__floats *)(rest + v) =
            __builtin_convertvector(sum & 0xffffff, cn__floats) * *(const cn__floats *)(rest_scale + v);
    }
    vec_store(gradient, vec_fma(vec_load(high), vec_load(high_scale), vec_load(rest)));
}

CN__INLINE int cn__some_bit(cn__words v)
{
#if defined(CN_ISA_AVX512)
    return _mm512_test_epi32_mask((__m512i)v, (__m512i)v) != 0;
#elif defined(CN_ISA_AVX2)
    return !_mm256_testz_si256((__m256i)v, (__m256i)v);
#else
    uint32_t any = 0;
    for (int lane = 0; lane < CN__WORDS; lane++) any |= v[lane];
    return any != 0;
#endif
}

/* Row k of the kernel is about to be moved: makes up for the updates it has missed. */
static inline void cn__settle_row(const cn__sparse_job *j, int64_t k)
{
    const cn__accounts *accounts = j->sink->accounts;
    for (int64_t c = 0; accounts && c < j->width; c += CN__IDLE_COLUMNS) {
        int64_t o = j->o + c, left = j->width - c;
        cn__sink_settle(j->sink, k, o, left < CN__IDLE_COLUMNS ? left : CN__IDLE_COLUMNS);
        accounts->settled[o / CN__IDLE_COLUMNS * j->d->inputs + k]++;
    }
}

/* --- dense_sparse_narrow.c --- */

#define cn__dense_sparse_narrow_forward CN_T(cn__dense_sparse_narrow_forward)
#define cn__dense_sparse_narrow_gradient CN_T(cn__dense_sparse_narrow_gradient)

/* Bodies of loops over the tasks of a job. The first leaves sums and peaks as dense_sparse.c has them. */
void cn__dense_sparse_narrow_forward(void *job, int thread, int64_t begin, int64_t end);
void cn__dense_sparse_narrow_gradient(void *job, int thread, int64_t begin, int64_t end);

#endif
