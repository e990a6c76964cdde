/* Copying operands of a matrix product into the order in which the innermost loop reads them. */
#ifndef CN_KERNELS_MATMUL_PACK_H
#define CN_KERNELS_MATMUL_PACK_H

#include "kernels/transpose.h"

/* Copies go some rows of k at a time through all panels, because memory delivers long runs best; meanwhile they ask for
 * the next ones. (Whether these are still inside the matrix does not matter: asking for any address is harmless.) */
#define CN__PACK_RUN 8
#define CN__TURN_AHEAD (4 * CN__TRANSPOSE) /* numbers of each row, into level 2: level 1 may not hold so many rows */

/* `rows` strided rows of k neighbouring numbers: packed[i * step + r] = from[r * stride + i]. Numbers beyond `rows` in
 * each group, and up to CN__TRANSPOSE after the last group, may be written too. */
static inline void cn__pack_turned(int rows, int64_t k, const real *from, int64_t stride, real *packed, int64_t step)
{
    const real *row[CN__TRANSPOSE];
    for (int r = 0; r < CN__TRANSPOSE; r++) row[r] = from + (r < rows ? r : rows - 1) * stride;
    int64_t i = 0;
    for (; i + CN__TRANSPOSE <= k; i += CN__TRANSPOSE) {
        for (int r = 0; r < CN__TRANSPOSE; r++) __builtin_prefetch(row[r] + i + CN__TURN_AHEAD, 0, 2);
        cn__transpose(row, i, packed + i * step, step);
    }
    for (; i < k; i++)
        for (int r = 0; r < rows; r++) packed[i * step + r] = row[r][i];
}

/* k strided groups of `rows` <= CN__TRANSPOSE neighbouring numbers: packed[i * rows + r] = from[i * stride + r]. Whole
 * groups of CN__TRANSPOSE are copied where the surplus is overwritten by the next group, and where it can be read: in
 * all rows but the last, or, if there is `more` to the right, in that as well. */
static inline void cn__pack_straight(int rows, int64_t k, const real *from, int64_t stride, real *packed, int more)
{
    int64_t last = (CN__TRANSPOSE + rows - 1) / rows, i = 0; /* groups whose surplus would reach beyond the end */
    int64_t safe = more || stride >= CN__TRANSPOSE ? k - last : 0;
    if (rows == CN__TRANSPOSE && more) safe = k;
    for (; i < safe; i++) {
        __builtin_prefetch(from + (i + CN__PACK_RUN) * stride);
        cn__copy_group(packed + i * rows, from + i * stride);
    }
    for (; i < k; i++) cn__copy_some(packed + i * rows, from + i * stride, rows);
}

/* A block of A, m x k, in panels of `height` rows (the last may have fewer), each k by k. */
static inline void cn__pack_a(int64_t m, int height, int64_t k, const real *a, int64_t a_row, int64_t a_column,
                              real *packed)
{
    int64_t run = a_column == 1 ? k : CN__PACK_RUN;
    for (int64_t i0 = 0; i0 < k; i0 += run) {
        int64_t n = k - i0 < run ? k - i0 : run;
        for (int64_t panel = 0; panel < m; panel += height) {
            int rows = (int)(m - panel < height ? m - panel : height);
            const real *from = a + panel * a_row + i0 * a_column;
            real *to = packed + panel * k + i0 * rows;
            if (a_column == 1)
                cn__pack_turned(rows, n, from, a_row, to, rows);
            else if (a_row == 1)
                cn__pack_straight(rows, n, from, a_column, to, m - panel >= CN__TRANSPOSE);
            else
                for (int64_t i = 0; i < n; i++)
                    for (int r = 0; r < rows; r++) to[i * rows + r] = from[r * a_row + i * a_column];
        }
    }
}

/* A block of B, k x n, in panels of `width` columns (whole vectors; the last panel may have fewer vectors), each k by
 * k; columns that are missing become 0. */
static inline void cn__pack_b(int64_t k, int64_t n, int width, const real *b, int64_t b_row, int64_t b_column,
                              real *packed)
{
    int64_t run = b_row == 1 ? k : CN__PACK_RUN;
    for (int64_t i0 = 0; i0 < k; i0 += run) {
        int64_t count = k - i0 < run ? k - i0 : run;
        for (int64_t j = 0; j < n; j += CN__VEC) {
            int64_t panel = j / width * width, rest = n - panel;
            int64_t step = rest < width ? (rest + CN__VEC - 1) / CN__VEC * CN__VEC : width;
            const real *from = b + i0 * b_row + j * b_column;
            real *to = packed + panel * k + i0 * step + (j - panel);
            if (b_column == 1 && n - j >= CN__VEC) {
                for (int64_t i = 0; i < count; i++) {
                    __builtin_prefetch(from + (i + CN__PACK_RUN) * b_row);
                    vec_store(to + i * step, vec_load(from + i * b_row));
                }
            } else if (b_row == 1 && n - j >= CN__VEC) {
                for (int half = 0; half < CN__VEC; half += CN__TRANSPOSE)
                    cn__pack_turned(CN__TRANSPOSE, count, from + half * b_column, b_column, to + half, step);
            } else if (b_column == 1) {
                for (int64_t i = 0; i < count; i++)
                    vec_store(to + i * step, vec_load_n(from + i * b_row, (int)(n - j)));
            } else {
                for (int64_t i = 0; i < count; i++)
                    for (int c = 0; c < CN__VEC; c++)
                        to[i * step + c] = c < n - j ? from[i * b_row + c * b_column] : 0;
            }
        }
    }
}

#endif
