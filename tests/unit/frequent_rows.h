/* A data set of codes divided into frequent columns and lists of all else (cn__frequent), written from the definition
 * alone. Which columns are frequent is arbitrary: about half of the pairs, nearly all or nearly none, as `kind` says;
 * or, from FOURS on, of the groups of four. */
#ifndef CN_TEST_FREQUENT_ROWS_H
#define CN_TEST_FREQUENT_ROWS_H

#include "kernels/gather.h"

#include <stdlib.h>
#include <string.h>

typedef struct frequent_copy {
    cn__frequent f;
    uint64_t *is_frequent; /* words of eight columns, as cn__division has them */
    uint16_t *index, *rare, *count;
    uint8_t *codes;
    cn__ink *entries;
    uint32_t *first;
} frequent_copy;

enum { FOURS = 3 };

static inline int is_frequent(int64_t column, int64_t columns, int kind)
{
    int64_t size = kind < FOURS ? 2 : 4, q = column / size;
    if ((q + 1) * size > columns) return 0; /* no whole group */
    kind %= FOURS;
    return kind == 0 ? q * 7 % 5 < 3 : kind == 1 ? q % 11 != 3 : q == 0;
}

static inline frequent_copy open_frequent(const uint8_t *codes, int64_t rows, int64_t columns, int kind)
{
    frequent_copy c = {.is_frequent = calloc((size_t)(columns + 7) / 8, 8), .index = calloc((size_t)columns, 2),
                       .rare = calloc((size_t)columns, 2), .count = calloc((size_t)rows, 2),
                       .codes = calloc((size_t)(rows * columns), 1), .first = calloc((size_t)rows, 4),
                       .entries = calloc((size_t)(rows * columns) + 1, sizeof *c.entries)};
    int64_t n = 0, frequent = 0, n_rare = 0;
    for (int64_t i = 0; i < columns; i++) {
        if (is_frequent(i, columns, kind)) c.index[frequent++] = (uint16_t)i;
        else c.rare[n_rare++] = (uint16_t)i;
        memset((unsigned char *)c.is_frequent + i, is_frequent(i, columns, kind) ? 0xff : 0, 1);
    }
    for (int64_t r = 0; r < rows; r++) {
        c.first[r] = (uint32_t)n;
        for (int64_t i = 0; i < frequent; i++) c.codes[r * frequent + i] = codes[r * columns + c.index[i]];
        for (int64_t i = 0; i < n_rare; i++) {
            uint8_t code = codes[r * columns + c.rare[i]];
            if (code) c.entries[n++] = (cn__ink){.index = c.rare[i], .codes = {code, 0}};
        }
        c.count[r] = (uint16_t)(n - c.first[r]);
    }
    c.f = (cn__frequent){.columns = frequent, .n_rare = n_rare, .index = c.index, .rare = c.rare,
                         .is_frequent = c.is_frequent, .codes = c.codes, .entries = c.entries, .first = c.first,
                         .count = c.count};
    return c;
}

static inline void close_frequent(frequent_copy *c)
{
    free(c->is_frequent);
    free(c->index);
    free(c->rare);
    free(c->count);
    free(c->codes);
    free(c->entries);
    free(c->first);
}

#endif
