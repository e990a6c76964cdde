/* C = A . B with operands rounded to bfloat16 on Intel's tiles (AMX): TDPBF16PS multiplies 16x32 by 32x16 numbers in 16
 * cycles. Only in the AVX-512 engine, and only to be called where cn__cpu_amx_bf16 and cn__cpu_avx512_bf16 say yes.
 *
 * Each sum is one chain of tile instructions in ascending order of k, 32 terms each, whatever the cut into blocks and
 * threads; its bits are the CPU's. */
#ifndef CN_KERNELS_AMX_MATMUL_H
#define CN_KERNELS_AMX_MATMUL_H

#include "kernels/dense.h"

#if defined(CN_ISA_AVX512) && CN_REAL_BITS == 32
#define CN__AMX 1

/* A factor in memory: rows of float32, `stride` numbers apart. Whether k, the index that is summed over, runs along the
 * rows or counts them. */
typedef struct cn__amx_factor {
    const float *data;
    int64_t stride;
    int rows_are_k;
    int64_t panel; /* with rows_are_k: from one panel of CN__IDLE_COLUMNS columns to the next; 0: rows are whole */
    const uint16_t *index; /* with rows_are_k: which rows these are, 2q and 2q+1 side by side; NULL: 0, 1, 2, ... */
} cn__amx_factor;

typedef struct cn__amx_matmul {
    cn__pool *pool;
    int64_t m, n, k;
    cn__amx_factor a, b; /* (m,k) and (k,n), or transposed */
    const uint16_t *a_tiles, *a_lines; /* A as tiles already: a is not looked at; or NULL */
    const cn__batch *x;   /* that these are tiles of: the columns that they leave out are added, and its next rows are
                             fetched in advance while the sink is fed */
    const uint16_t *a_turned; /* A^T, whose rows are k, as outputs of a hidden layer in tiles (kernels/amx_hidden.h), */
    const uint16_t *b_tiles;  /* B as its gradients: only cn__amx_rmsprop_narrow_run and cn__amx_rmsprop_run; or NULL */
    uint16_t *c_tiles;    /* C becomes such outputs, with finish, instead of rows of float32; or NULL */
    float scale;          /* 0: none. C is multiplied by it; behind a sink B is, before it is rounded */
    float *c;             /* (m,n), rows c_row numbers apart; or */
    int64_t c_row;
    const cn__finish *finish; /* of C; NULL: nothing follows */
    const cn__sink *sink; /* the result is the gradient of a kernel (m,n) and goes here */
    void *memory;         /* 2 bytes for each number of A and B filled up to multiples of 32 */
    uint16_t *copy;       /* lasting, of B or of the kernel behind the sink (kernels/bf16.h); or NULL */
    int64_t *copied;
} cn__amx_matmul;

#define cn__amx_matmul_run CN_T(cn__amx_matmul_run)
void cn__amx_matmul_run(const cn__amx_matmul *p);

#else
#define CN__AMX 0
#endif
#endif
