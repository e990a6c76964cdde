#include "kernels/tensor_math.h"

#include "kernels/functions.h"
#include "kernels/matmul.h"
#include "kernels/real.h"
#include "kernels/unroll.h"
#include "kernels/vector.h"

#include <stdatomic.h>
#include <string.h>

/* --- products without a team --- */

static void add_scaled_row(int64_t n, real factor, const real *restrict x, real *restrict sum)
{
    for (int64_t i = 0; i < n; i++) sum[i] = FMA(factor, x[i], sum[i]);
}

#define ROWS 4

/* How many rows of B may be loaded sixteen numbers at a time, of which `columns` count: all, if these are sixteen;
 * else, where row follows row without a gap, those behind which B goes on for long enough. */
static int64_t rows_to_load_whole(const cn__matmul *p, int columns)
{
    if (columns == CN__VEC) return p->k;
    if (p->b_row != p->n) return 0;
    const int64_t needed_behind = (CN__VEC - columns + p->n - 1) / p->n;
    return p->k > needed_behind ? p->k - needed_behind : 0;
}

/* Up to sixteen columns, from n on, of ROWS rows of C, whose sums stay in registers. */
static void multiply_rows(const cn__matmul *p, int64_t m, int64_t n)
{
    const int columns = p->n - n < CN__VEC ? (int)(p->n - n) : CN__VEC;
    const int64_t whole = rows_to_load_whole(p, columns);
    const real *a = p->a + m * p->a_row, *b = p->b + n;
    real *c = p->c + m * p->c_row + n;
    vec sum[ROWS];
    CN__UNROLL(4)
    for (int r = 0; r < ROWS; r++) sum[r] = vec_zero();
    for (int64_t k = 0; k < p->k; k++) {
        const vec x = k < whole ? vec_load(b + k * p->b_row) : vec_load_n(b + k * p->b_row, columns);
        CN__UNROLL(4)
        for (int r = 0; r < ROWS; r++) sum[r] = vec_fma(vec_set(a[r * p->a_row + k * p->a_column]), x, sum[r]);
    }
    CN__UNROLL(4)
    for (int r = 0; r < ROWS; r++) {
        if (columns == CN__VEC) vec_store(c + r * p->c_row, sum[r]);
        else vec_store_n(c + r * p->c_row, sum[r], columns);
    }
}

static void multiply_small(const cn__matmul *p)
{
    int64_t first = 0;
    for (; p->b_column == 1 && first + ROWS <= p->m; first += ROWS)
        for (int64_t n = 0; n < p->n; n += CN__VEC) multiply_rows(p, first, n);
    for (int64_t m = first; m < p->m; m++) {
        const real *a = p->a + m * p->a_row;
        real *c = p->c + m * p->c_row;
        if (p->b_column == 1) {
            memset(c, 0, (size_t)p->n * sizeof *c);
            for (int64_t k = 0; k < p->k; k++) add_scaled_row(p->n, a[k * p->a_column], p->b + k * p->b_row, c);
            continue;
        }
        for (int64_t n = 0; n < p->n; n++) {
            const real *b = p->b + n * p->b_column;
            real sum = 0;
            for (int64_t k = 0; k < p->k; k++) sum = FMA(a[k * p->a_column], b[k * p->b_row], sum);
            c[n] = sum;
        }
    }
}

static void matmul(cn__pool *pool, int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_column,
                   const void *b, int64_t b_row, int64_t b_column, void *c, int64_t c_row)
{
    cn__matmul p = {.pool = pool, .m = m, .n = n, .k = k, .a = a, .a_row = a_row, .a_column = a_column,
                    .b = b, .b_row = b_row, .b_column = b_column, .c = c, .c_row = c_row};
    if (pool) cn__matmul_run(&p);
    else multiply_small(&p);
}

/* --- functions --- */

/* The fast functions give 0 where exp is subnormal and are wrong for subnormal arguments of log. Such numbers are rare,
 * so they are looked for first, and computed again by the C library. */
#if CN_REAL_BITS == 64
#define IS_RARE_EXP(x) 0
#define IS_RARE_LOG(x) 0
#else
#define IS_RARE_EXP(x) ((x) < -87.33654f && (x) > -104.0f)
#define IS_RARE_LOG(x) ((x) > 0 && (x) < 1.17549435e-38f)
#endif
#define IS_RARE_TANH(x) 0

#define DEFINE_MAP(name, function, is_rare, exact)                                                                  \
    static void name(int64_t n, const void *from, void *to)                                                         \
    {                                                                                                               \
        const real *x = from;                                                                                       \
        real *z = to;                                                                                               \
        int rare = 0;                                                                                               \
        for (int64_t i = 0; i < n; i++) rare |= is_rare(x[i]);                                                      \
        if (!rare) {                                                                                                \
            for (int64_t i = 0; i < n; i++) z[i] = function(x[i]);                                                  \
            return;                                                                                                 \
        }                                                                                                           \
        for (int64_t i = 0; i < n; i++) z[i] = is_rare(x[i]) ? (real)exact((double)x[i]) : function(x[i]);          \
    }
DEFINE_MAP(map_exp, cn__exp, IS_RARE_EXP, exp)
DEFINE_MAP(map_log, cn__log, IS_RARE_LOG, log)
DEFINE_MAP(map_tanh, cn__tanh, IS_RARE_TANH, tanh)

/* --- places of extremes --- */

/* Compilers take vectors that are wider than the registers apart, number by number. */
#if defined(CN_ISA_AVX512)
#define VECTOR_BYTES 64
#elif defined(CN_ISA_AVX2)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define LANES (VECTOR_BYTES / (int)sizeof(real))
#define BLOCK (4 * LANES)
typedef real lanes __attribute__((vector_size(VECTOR_BYTES)));
typedef real_bits masks __attribute__((vector_size(VECTOR_BYTES)));

static int is_any(const masks *m)
{
    real_bits all[LANES], any = 0;
    memcpy(all, m, sizeof all);
    for (int l = 0; l < LANES; l++) any |= all[l];
    return any != 0;
}

/* The first i with x[i] == wanted, or, where wanted is NaN, with x[i] NaN; there is one. */
static int64_t first_equal(int64_t n, const real *x, real wanted)
{
    const int is_nan = wanted != wanted;
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        masks here = {0};
        lanes next;
        for (int k = 0; k < BLOCK; k += LANES) {
            memcpy(&next, x + i + k, sizeof next);
            here |= is_nan ? next != next : next == wanted;
        }
        if (is_any(&here)) break;
    }
    while (is_nan ? x[i] == x[i] : x[i] != wanted) i++;
    return i;
}

/* Vectors find the number; its place comes from a second look. Short lines are looked at once. */
#define DEFINE_FIRST(name, beats)                                                                                   \
    static int64_t name(int64_t n, const void *x_)                                                                  \
    {                                                                                                               \
        const real *x = x_;                                                                                         \
        real top = x[0], all[LANES];                                                                                \
        int64_t i = 0, at = 0;                                                                                      \
        for (; n < 32 && i < n; i++) {                                                                       \
            if (x[i] != x[i]) return i;                                                                             \
            if (x[i] beats x[at]) at = i;                                                                           \
        }                                                                                                           \
        if (i > 0) return at;                                                                                       \
        lanes best = top - (lanes){0}, next;                                                                        \
        masks odd = {0};                                                                                            \
        for (; i + LANES <= n; i += LANES) {                                                                        \
            memcpy(&next, x + i, sizeof next);                                                                      \
            masks better = next beats best;                                                                         \
            best = (lanes)((better & (masks)next) | (~better & (masks)best));                                       \
            odd |= next != next;                                                                                    \
        }                                                                                                           \
        memcpy(all, &best, sizeof all);                                                                             \
        for (int l = 0; l < LANES; l++) top = all[l] beats top ? all[l] : top;                             \
        int is_odd = is_any(&odd);                                                                                  \
        for (; i < n; i++) {                                                                                        \
            top = x[i] beats top ? x[i] : top;                                                                      \
            is_odd |= x[i] != x[i];                                                                                 \
        }                                                                                                           \
        return first_equal(n, x, is_odd ? (real)NAN : top);                                                         \
    }
DEFINE_FIRST(first_largest, >)
DEFINE_FIRST(first_smallest, <)

/* --- this engine --- */

#if defined(CN_ISA_AVX512)
#define THIS_ISA CN__ISA_AVX512
#elif defined(CN_ISA_AVX2)
#define THIS_ISA CN__ISA_AVX2
#elif defined(CN_ISA_NEON)
#define THIS_ISA CN__ISA_NEON
#else
#define THIS_ISA CN__ISA_C
#endif

extern const cn__tensor_math CN_T(cn__tensor_math);
const cn__tensor_math CN_T(cn__tensor_math) = {.isa = THIS_ISA, .bits = CN_REAL_BITS, .matmul = matmul,
                                                     .maps = {map_exp, map_log, map_tanh},
                                                     .first_largest = first_largest, .first_smallest = first_smallest};

/* --- all engines --- */

#if CN_ONCE
#define X(engine) extern const cn__tensor_math cn__tensor_math_##engine;
CN_ENGINES
#undef X

#define X(engine) &cn__tensor_math_##engine,
static const cn__tensor_math *const engines[] = {CN_ENGINES};
#undef X

const cn__tensor_math *cn__tensor_math_find(int bits)
{
    static _Atomic(const cn__tensor_math *) found[2]; /* asking the CPU takes microseconds in a virtual machine */
    const cn__tensor_math *best = atomic_load(&found[bits == 64]);
    cn__isa isa;
    if (best) return best;
    if (cn__isa_choose(NULL, &isa) < 0) return NULL;
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (engines[i]->bits == bits && engines[i]->isa <= isa) best = engines[i];
    atomic_store(&found[bits == 64], best);
    return best;
}
#endif
