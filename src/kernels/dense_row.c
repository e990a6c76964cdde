#include "kernels/dense_row.h"

#include "kernels/vector.h"

#define INLINE static inline __attribute__((always_inline))
/* Vectors at a time. Rows of the kernel lie anywhere in a cache far away, and the next ones are asked for in time; with
 * AVX-512 that was not measured. */
#if defined(CN_ISA_AVX2)
#define MOST_V 4
#define ROWS_AHEAD 12
#else
#define MOST_V 16
#define ROWS_AHEAD 0
#endif
#define COLUMNS_AT_ONCE 4096

/* V vectors of y over n listed columns, on top of what y holds unless `first`. */
INLINE void add_rows(const cn__dense *d, const real *x, const int32_t *columns, int n, int64_t o, real *y,
                     const int V, int lanes, int first)
{
    vec sum[MOST_V];
    CN__UNROLL(16)
    for (int v = 0; v < V; v++)
        sum[v] = first                ? vec_zero()
                 : lanes == CN__VEC ? vec_load(y + o + v * CN__VEC)
                                    : vec_load_n(y + o + v * CN__VEC, lanes);
    for (int i = 0; i < n; i++) {
        const real *w = d->kernel + columns[i] * d->kernel_stride + o;
        const real *soon = d->kernel + columns[i + ROWS_AHEAD < n ? i + ROWS_AHEAD : i] * d->kernel_stride + o;
        vec value = vec_set(x[columns[i]]);
        CN__UNROLL(16)
        for (int v = 0; v < V; v++) { /* rows of a kernel are padded to whole vectors */
            if (ROWS_AHEAD) __builtin_prefetch(soon + v * CN__VEC);
            sum[v] = vec_fma(value, vec_load(w + v * CN__VEC), sum[v]);
        }
    }
    CN__UNROLL(16)
    for (int v = 0; v < V; v++) {
        if (lanes == CN__VEC) vec_store(y + o + v * CN__VEC, sum[v]);
        else vec_store_n(y + o + v * CN__VEC, sum[v], lanes);
    }
}

void cn__dense_forward_row(const cn__dense *d, const real *x, real *y)
{
    int32_t columns[COLUMNS_AT_ONCE];
    for (int64_t at = 0; at == 0 || at < d->inputs; at += COLUMNS_AT_ONCE) {
        int64_t end = at + COLUMNS_AT_ONCE < d->inputs ? at + COLUMNS_AT_ONCE : d->inputs, o = 0;
        int n = 0;
        for (int64_t c = at; c < end; c++) {
            columns[n] = (int32_t)c;
            n += x[c] != 0;
        }
        for (; o + MOST_V * CN__VEC <= d->outputs; o += MOST_V * CN__VEC)
            add_rows(d, x, columns, n, o, y, MOST_V, CN__VEC, at == 0);
        for (; o + 4 * CN__VEC <= d->outputs; o += 4 * CN__VEC) add_rows(d, x, columns, n, o, y, 4, CN__VEC, at == 0);
        for (; o < d->outputs; o += CN__VEC)
            add_rows(d, x, columns, n, o, y, 1, d->outputs - o < CN__VEC ? (int)(d->outputs - o) : CN__VEC, at == 0);
    }
}
