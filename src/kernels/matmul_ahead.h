/* Operands that will be copied soon, and in which portions tiles ask memory for them. */
#ifndef CN_KERNELS_MATMUL_AHEAD_H
#define CN_KERNELS_MATMUL_AHEAD_H

#include "kernels/matmul_tile.h"

/* A piece of an operand that will be copied: runs of neighbouring numbers, of which some were asked for. */
typedef struct cn__ahead {
    const real *at;
    int64_t runs, stride, length, asked;
} cn__ahead;

static inline cn__ahead cn__runs_of(const real *at, int64_t rows, int64_t row, int64_t columns, int64_t column)
{
    if (column == 1) return (cn__ahead){at, rows, row, columns, 0};
    if (row == 1) return (cn__ahead){at, columns, column, rows, 0};
    return (cn__ahead){.at = at};
}

/* What one tile is to ask for; without anything left, something that surely is in the cache. */
static inline cn__run cn__ask(cn__ahead *p, int64_t lines, const real *otherwise)
{
    if (!p->runs) return (cn__run){otherwise, otherwise};
    int64_t left = p->length - p->asked, count = left < lines * CN__LINE ? left : lines * CN__LINE;
    cn__run run = {p->at + p->asked, p->at + p->asked + count - 1};
    p->asked += count;
    if (p->asked == p->length) {
        p->at += p->stride;
        p->asked = 0;
        p->runs--;
    }
    return run;
}

#endif
