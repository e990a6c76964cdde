/* A data set of codes as lists of its non-zeros (cn__sparse_rows), written from the definition alone. */
#ifndef CN_TEST_SPARSE_ROWS_H
#define CN_TEST_SPARSE_ROWS_H

#include "kernels/gather.h"

#include <stdlib.h>

typedef struct sparse_copy {
    cn__sparse_rows rows;
    cn__ink *entries;
    int64_t *first;
    uint8_t *is_heavy;
} sparse_copy;

/* Parts of the columns that differ in size, some of them empty; each begins at an even one. */
static inline sparse_copy open_sparse(const uint8_t *codes, int64_t rows, int64_t columns, int parts)
{
    sparse_copy s = {.entries = malloc((size_t)(rows * columns + 1) * sizeof *s.entries),
                     .first = malloc((size_t)(rows * parts + 1) * sizeof *s.first),
                     .is_heavy = malloc((size_t)rows)};
    int64_t n = 0;
    for (int part = 0; part <= parts; part++)
        s.rows.cuts[part] = (int32_t)(columns * part * part / (parts * parts) & ~INT64_C(1));
    s.rows.cuts[parts] = (int32_t)columns;
    for (int64_t r = 0; r < rows; r++) {
        int64_t sum = 0;
        for (int part = 0; part < parts; part++) {
            s.first[r * parts + part] = n;
            for (int64_t c = s.rows.cuts[part]; c < s.rows.cuts[part + 1]; c++) {
                uint8_t code = codes[r * columns + c];
                if (code) s.entries[n++] = (cn__ink){.index = (uint16_t)c, .codes = {code, 0}};
                sum += code;
            }
        }
        s.is_heavy[r] = sum > CN__LIGHT_SUM;
    }
    s.first[rows * parts] = n;
    s.rows.entries = s.entries;
    s.rows.first = s.first;
    s.rows.is_heavy = s.is_heavy;
    s.rows.parts = parts;
    return s;
}

static inline void close_sparse(sparse_copy *s)
{
    free(s->entries);
    free(s->first);
    free(s->is_heavy);
}

#endif
