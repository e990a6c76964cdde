#include "model/inspect_parts.h"

#include <math.h>
#include <string.h>

/* Rows of at least so many non-negative numbers may be images. */
#define IMAGE_FEATURES 64
/* 1/255 is 0.0039; four times that is still darker than any image that was divided once. */
#define TWICE_AT_MOST (4.0 / 255)
/* Brighter than what counts or grades usually reach, no brighter than a byte. */
#define BYTES_AT_LEAST 100.0
#define BYTES_AT_MOST 255.0
/* So many numbers are looked at to tell whole ones from others. */
#define SAMPLE 4096

typedef struct extent {
    double low, high;      /* of the finite values, scale applied */
    int64_t n_not_finite;
    int64_t first;         /* position of the first value that is not finite */
} extent;

/* Smallest and largest of n > 0 integers. */
#define DEFINE_SCAN(type)                                                                                           \
    static void scan_##type(const type *v, int64_t n, extent *e)                                                    \
    {                                                                                                               \
        type low = v[0], high = v[0];                                                                               \
        for (int64_t i = 1; i < n; i++) {                                                                           \
            low = v[i] < low ? v[i] : low;                                                                          \
            high = v[i] > high ? v[i] : high;                                                                       \
        }                                                                                                           \
        e->low = (double)low;                                                                                       \
        e->high = (double)high;                                                                                     \
    }

/* The bits of a float, with those behind a minus sign turned over, are in the order of the floats, and infinities and
 * NaN lie at both ends. Compilers turn comparisons of integers into vectors, of floats they do not: NaN is in the way.
 * Only if one of the ends is not finite are the values walked one by one. */
#define DEFINE_SCAN_REAL(type, bits, all_but_sign)                                                                  \
    static void walk_##type(const type *v, int64_t n, extent *e)                                                    \
    {                                                                                                               \
        for (int64_t i = 0; i < n; i++) {                                                                           \
            if (isfinite(v[i])) {                                                                                   \
                e->low = (double)v[i] < e->low ? (double)v[i] : e->low;                                             \
                e->high = (double)v[i] > e->high ? (double)v[i] : e->high;                                          \
            } else if (e->n_not_finite++ == 0) {                                                                    \
                e->first = i;                                                                                       \
            }                                                                                                       \
        }                                                                                                           \
    }                                                                                                               \
    static void scan_##type(const type *v, int64_t n, extent *e)                                                    \
    {                                                                                                               \
        bits low = all_but_sign, high = -all_but_sign - 1;                                                          \
        for (int64_t i = 0; i < n; i++) {                                                                           \
            bits order;                                                                                             \
            memcpy(&order, &v[i], sizeof order);                                                                    \
            order ^= (order >> (8 * sizeof order - 1)) & all_but_sign;                                              \
            low = order < low ? order : low;                                                                        \
            high = order > high ? order : high;                                                                     \
        }                                                                                                           \
        type ends[2];                                                                                               \
        low ^= low < 0 ? all_but_sign : 0;                                                                          \
        high ^= high < 0 ? all_but_sign : 0;                                                                        \
        memcpy(&ends[0], &low, sizeof low);                                                                         \
        memcpy(&ends[1], &high, sizeof high);                                                                       \
        if (isfinite(ends[0]) && isfinite(ends[1])) {                                                               \
            e->low = (double)ends[0];                                                                               \
            e->high = (double)ends[1];                                                                              \
        } else {                                                                                                    \
            walk_##type(v, n, e);                                                                                   \
        }                                                                                                           \
    }

DEFINE_SCAN(uint8_t)
DEFINE_SCAN(int32_t)
DEFINE_SCAN(int64_t)
DEFINE_SCAN_REAL(float, int32_t, INT32_MAX)
DEFINE_SCAN_REAL(double, int64_t, INT64_MAX)

static extent measure(const cn__rows *x)
{
    extent e = {INFINITY, -INFINITY, 0, -1};
    int64_t n = x->n * x->features;
    switch (x->dtype) {
    case CN_UINT8: scan_uint8_t(x->data, n, &e); break;
    case CN_INT32: scan_int32_t(x->data, n, &e); break;
    case CN_INT64: scan_int64_t(x->data, n, &e); break;
    case CN_FLOAT32: scan_float(x->data, n, &e); break;
    case CN_FLOAT64: scan_double(x->data, n, &e); break;
    default: break; /* open_rows makes one of these five */
    }
    double a = e.low * x->scale, b = e.high * x->scale;
    e.low = a < b ? a : b;
    e.high = a < b ? b : a;
    return e;
}

/* Looks at numbers spread over all rows. */
static int are_whole(const cn__rows *x)
{
    int64_t n = x->n * x->features, step = n / SAMPLE + 1;
    for (int64_t i = 0; i < n; i += step) {
        double value = cn__rows_value(x, i);
        if (!(value == floor(value))) return 0;
    }
    return 1;
}

void cn__inspect_inputs(const cn__rows *x, const char *what, cn__findings *findings)
{
    extent e = measure(x);
    int64_t n = x->n * x->features;
    if (e.n_not_finite > 0) {
        double value = cn__rows_value(x, e.first);
        cn__findings_add(findings, CN_FINDING_NOT_FINITE, "the %s hold %lld value%s that %s not finite, the first (%s) "
                         "in row %lld, column %lld; one is enough to turn all weights into NaN: mend or leave out "
                         "these rows", what, (long long)e.n_not_finite, e.n_not_finite > 1 ? "s" : "",
                         e.n_not_finite > 1 ? "are" : "is", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf",
                         (long long)(e.first / x->features), (long long)(e.first % x->features));
    }
    if (e.n_not_finite == n) return;
    if (n - e.n_not_finite > 1 && e.low == e.high) {
        cn__findings_add(findings, CN_FINDING_CONSTANT, "all %lld %s equal %g, so there is nothing to learn from them; "
                         "check how they were read", (long long)n, what, e.low);
        return;
    }
    if (x->tensor && cn_ndim(x->tensor) >= 2 && x->features >= IMAGE_FEATURES && e.low >= 0) {
        if (e.high <= TWICE_AT_MOST)
            cn__findings_add(findings, CN_FINDING_SCALED_TWICE, "the %s lie in %g ... %.2g, as if images had been "
                             "divided by 255 twice (training would still run, but on MNIST end near 0.85 instead of "
                             "0.98); divide once", what, e.low, e.high);
        else if (e.high >= BYTES_AT_LEAST && e.high <= BYTES_AT_MOST && are_whole(x))
            cn__findings_add(findings, CN_FINDING_NOT_SCALED, "the %s are whole numbers in %g ... %g, as images come "
                             "from a file; networks learn better from 0 ... 1: divide by 255, for example with "
                             "cn_scale(x, 1.0 / 255)", what, e.low, e.high);
    }
}
