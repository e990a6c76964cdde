/* Sums over bytes in whole numbers, written from the definition in src/kernels/exact.h alone, and problems to compare
 * kernels with them. */
#ifndef CN_TEST_EXACT_PROBLEM_H
#define CN_TEST_EXACT_PROBLEM_H

#include "engines.h"

/* What weights and gradients are made of. */
typedef enum number_kind { PLAIN, ZEROS, SUBNORMAL, HUGE_ONES, MIXED, POWERS, LARGEST, MOST_NEGATIVE,
                          STRANGE } number_kind;

typedef struct one_case {
    int64_t rows, inputs, outputs;
    double density;    /* share of codes that are not 0 */
    number_kind kind;
    int has_bias, relu;
    int full;          /* all codes that are not 0 are this; 0: any */
    double scale;      /* 0: 1/255 */
    int is_short;      /* the numbers of mixed_bfloat16 without tiles */
} one_case;

/* --- the definition --- */

/* s = scale sum_k code[k] w[k] for one output of a group whose exponent is e; sum: sum_k code[k] q[k] */
static inline float value_of(int64_t sum, int bits, int low, int e, double scale)
{
    int64_t part = (int64_t)1 << low, high = sum / part - (sum % part < 0), rest = sum - high * part;
    float c = (float)(scale * ldexp(1, e - bits)), product = (float)rest * c;
    return fmaf((float)high, ldexpf(c, low), product);
}

/* out[r][o] = scale sum_k codes(r, k) w[k][o], for n rows of `terms` codes: codes[r * step_r + k * step_k]. w has rows
 * of `stride` numbers; terms that are not used do not count. */
typedef struct exact_product {
    int64_t n, terms, outputs, stride, step_r, step_k;
    const uint8_t *codes;
    const float *w;
    double scale;
    int bits, low;
} exact_product;

static inline void multiply_naively(const exact_product *p, const uint8_t *used, float *out)
{
    int64_t *sums = malloc((size_t)(p->n * 16) * sizeof *sums);
    for (int64_t first = 0; first < p->outputs; first += 16) {
        int64_t width = p->outputs - first < 16 ? p->outputs - first : 16,
                most = (INT64_C(1) << p->bits) - (p->bits < 24);
        int e = -60, is_finite = 1;
        for (int64_t k = 0; k < p->terms; k++) {
            for (int64_t o = first; used[k] && o < first + width; o++) {
                int exponent = 0;
                float w = p->w[k * p->stride + o];
                is_finite &= isfinite(w) != 0;
                if (isfinite(w) && w != 0) frexpf(w, &exponent);
                else exponent = -1000;
                if (exponent > e) e = exponent;
            }
        }
        memset(sums, 0, (size_t)(p->n * 16) * sizeof *sums);
        for (int64_t k = 0; is_finite && k < p->terms; k++) {
            int64_t q[16] = {0};
            for (int64_t o = 0; used[k] && o < width; o++) {
                q[o] = (int64_t)rint(ldexp((double)p->w[k * p->stride + first + o], p->bits - e));
                q[o] = q[o] > most ? most : q[o];
            }
            for (int64_t r = 0; r < p->n; r++) {
                int64_t code = p->codes[r * p->step_r + k * p->step_k];
                for (int64_t o = 0; code && o < 16; o++) sums[r * 16 + o] += code * q[o];
            }
        }
        for (int64_t r = 0; r < p->n; r++)
            for (int64_t o = 0; o < width; o++)
                out[r * p->outputs + first + o] =
                    is_finite ? value_of(sums[r * 16 + o], p->bits, p->low, e, p->scale) : NAN;
    }
    free(sums);
}

/* --- one case --- */

typedef struct problem {
    const one_case *c;
    double scale;
    uint8_t *codes, *inked; /* inked: columns that have ink in any sample */
    float *kernel, *bias, *dy, *slot; /* (inputs, outputs), (outputs), (rows, outputs), (inputs, outputs) */
    float *y, *gradient;    /* expected; y where scales are those of all rows of the kernel, */
    float *y_of_used;       /* and where they are those of the inked columns' rows */
    int gradient_has_nan;
} problem;

static inline float number_of(number_kind kind, float plain, int64_t i)
{
    switch (kind) {
    case ZEROS: return 0;
    case SUBNORMAL: return plain * 0x1p-130f;
    case HUGE_ONES: return plain * 1e30f;
    case MIXED: return ldexpf(plain, (int)(i * 7919 % 81) - 40);
    case POWERS: return copysignf(ldexpf(1, (int)(i * 7919 % 9) - 4), plain);
    case LARGEST: return 0x1.fffffep-1f;
    case MOST_NEGATIVE: return -0x1.fffffep-1f;
    case STRANGE: return i % 977 == 500 ? NAN : i % 1409 == 700 ? -INFINITY : plain;
    default: return plain;
    }
}

static inline float *make_numbers(int64_t n, number_kind kind, uint32_t stream)
{
    float *out = malloc((size_t)n * sizeof *out + 1);
    engines_fill(out, n, stream);
    for (int64_t i = 0; i < n; i++) out[i] = number_of(kind, out[i], i);
    return out;
}

static inline void expect_outputs(const problem *p, const uint8_t *used, float *y)
{
    const one_case *c = p->c;
    multiply_naively(&(exact_product){.n = c->rows, .terms = c->inputs, .outputs = c->outputs, .stride = c->outputs,
                                      .step_r = c->inputs, .step_k = 1, .codes = p->codes, .w = p->kernel,
                                      .scale = p->scale, .bits = c->is_short ? 14 : 23,
                                      .low = c->is_short ? 0 : 16}, used, y);
    for (int64_t i = 0; i < c->rows * c->outputs; i++) {
        if (c->has_bias) y[i] += p->bias[i % c->outputs];
        if (c->relu && y[i] <= 0) y[i] = 0;
    }
}

static inline void open_problem(problem *p, const one_case *c)
{
    *p = (problem){.c = c, .scale = c->scale > 0 ? c->scale : 1.0 / 255};
    p->codes = malloc((size_t)(c->rows * c->inputs));
    p->inked = calloc((size_t)c->inputs, 1);
    cn__random random;
    cn__random_begin(&random, 7, CN__FOR_USER, 99);
    for (int64_t i = 0; i < c->rows * c->inputs; i++) {
        int is_blank = cn__random_uniform(&random) >= c->density;
        p->codes[i] = is_blank ? 0 : c->full ? (uint8_t)c->full : (uint8_t)(1 + cn__random_below(&random, 255));
        if (p->codes[i]) p->inked[i % c->inputs] = 1;
    }
    p->kernel = make_numbers(c->inputs * c->outputs, c->kind, 1);
    p->bias = make_numbers(c->outputs, PLAIN, 2);
    p->dy = make_numbers(c->rows * c->outputs, c->kind, 3);
    p->slot = make_numbers(c->inputs * c->outputs, PLAIN, 4);
    p->y = malloc((size_t)(c->rows * c->outputs) * sizeof(float));
    p->y_of_used = malloc((size_t)(c->rows * c->outputs) * sizeof(float));
    p->gradient = malloc((size_t)(c->inputs * c->outputs) * sizeof(float));
    uint8_t *all = malloc((size_t)(c->rows + c->inputs));
    memset(all, 1, (size_t)(c->rows + c->inputs));
    expect_outputs(p, all, p->y);
    expect_outputs(p, p->inked, p->y_of_used);
    multiply_naively(&(exact_product){.n = c->inputs, .terms = c->rows, .outputs = c->outputs, .stride = c->outputs,
                                      .step_r = 1, .step_k = c->inputs, .codes = p->codes, .w = p->dy,
                                      .scale = p->scale, .bits = c->is_short ? 15 : 30,
                                      .low = c->is_short ? 0 : 24}, all, p->gradient);
    for (int64_t i = 0; i < c->inputs * c->outputs; i++) p->gradient_has_nan |= isnan(p->gradient[i]) != 0;
    free(all);
}

static inline void close_problem(problem *p)
{
    void *const pieces[] = {p->codes, p->inked, p->kernel, p->bias, p->dy, p->slot, p->y, p->y_of_used, p->gradient};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) free(pieces[i]);
}

#endif
