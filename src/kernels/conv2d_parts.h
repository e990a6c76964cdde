/* What the loops of a correlation share: where windows lie in memory, and how the kernel is packed. */
#ifndef CN_KERNELS_CONV2D_PARTS_H
#define CN_KERNELS_CONV2D_PARTS_H

#include "kernels/conv2d.h"
#include "kernels/vector.h"

/* Vectors of neighbouring filters that a loop works on together: of dense loops, and of loops over non-zeros. */
#if defined(CN_ISA_AVX512)
#define CN__PANEL_VECTORS 2
#define CN__CHUNK_VECTORS 4
#else
#define CN__PANEL_VECTORS 1
#define CN__CHUNK_VECTORS 2
#endif
#define CN__PANEL (CN__PANEL_VECTORS * CN__VEC)

static inline int64_t cn__smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Vectors of the chunk that begins where `left` vectors are left: 4, 2 or 1. */
static inline int cn__chunk_vectors(int64_t left)
{
    int vectors = CN__CHUNK_VECTORS;
    while (vectors > left) vectors /= 2;
    return vectors;
}

/* Windows over some rows of a picture. Number n of run r of row i of the window at pixel q of row p is at
 * base + p * row_step + i * pitch + r * run_step + q * step + n. */
typedef struct cn__band {
    const real *base;
    int64_t row_step, pitch, step;
    int64_t runs, run_step, run; /* runs of neighbouring numbers in each row of a window, and their length */
} cn__band;

/* Rows of out whose windows are copied together where they must be copied: about 64 Ki numbers. */
int64_t cn__conv2d_band_rows(const cn__conv2d *c);
/* Numbers of memory for such a copy. */
int64_t cn__conv2d_band_memory(const cn__conv2d *c);

/* Windows of rows p ... p+rows-1 (numbered from 0 in the band), channels of group g. They are read where they lie
 * unless they take in zeros that are not in memory; `whole`: whole vectors of a run may be read, so copy if that reads
 * on. */
#define cn__conv2d_open_band CN_T(cn__conv2d_open_band)
cn__band cn__conv2d_open_band(const cn__conv2d *c, const real *in, int64_t p, int64_t rows, int whole, real *memory);

/* A number that is not zero, and where it leads. */
typedef struct cn__nonzero {
    real value;
    uint32_t offset;
} cn__nonzero;

/* Lists of the non-zeros of some rows of a picture: those of pixel n, counted from the first row on, are entries
 * first[n] ... first[n+1]-1; offset is the number of the channel times a unit. */
typedef struct cn__nonzeros {
    int32_t *first;
    cn__nonzero *entries;
} cn__nonzeros;

#if defined(CN_ISA_AVX512)
/* Writes the numbers that the mask picks, with their offsets, one after another; up to 16 entries may be written. */
static inline void cn__compress(__mmask16 mask, vec values, __m512i offsets, cn__nonzero *to)
{
    const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i high = _mm512_set_epi32(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8);
    __m512i v = _mm512_castps_si512(_mm512_maskz_compress_ps(mask, values));
    __m512i o = _mm512_maskz_compress_epi32(mask, offsets);
    _mm512_storeu_si512(to, _mm512_permutex2var_epi32(v, low, o));
    _mm512_storeu_si512(to + 8, _mm512_permutex2var_epi32(v, high, o));
}
#endif

/* Rows of a picture that are listed together. */
int64_t cn__conv2d_list_rows(const cn__conv2d *c);

/* Rows of dz that the kernel gradient takes together. */
int64_t cn__conv2d_gradient_rows(const cn__conv2d *c);

/* The dense rows of `out`, and those from lists; p counts rows of the picture. */
#define cn__conv2d_dense CN_T(cn__conv2d_dense)
void cn__conv2d_dense(const cn__conv2d *c, const real *in, const real *packed, int64_t p, int64_t rows, real *out,
                      real *memory);

/* Whether the loops over non-zeros can do it at all. */
#define cn__conv2d_can_list CN_T(cn__conv2d_can_list)
int cn__conv2d_can_list(const cn__conv2d *c);
/* 1 if that was done; 0 if the picture has too few zeros for it to pay, and nothing was done. */
#define cn__conv2d_listed CN_T(cn__conv2d_listed)
int cn__conv2d_listed(const cn__conv2d *c, const real *in, const real *packed, int64_t p, int64_t rows, real *out,
                      real *memory);

#endif
