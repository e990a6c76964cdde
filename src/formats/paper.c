#include "formats/paper.h"

#include <math.h>
#include <string.h>

enum { TERMS = 6, BINS = 2048 };
#define BINS_PER_LEVEL 8.0

typedef struct region {
    int64_t h, w, border; /* border: how many pixels from the edge belong to it; h + w: all of them */
} region;

static int inside(const region *r, int64_t y, int64_t x)
{
    return y < r->border || x < r->border || y >= r->h - r->border || x >= r->w - r->border;
}

/* The median of the values, or of their absolute values, over the region. By counting: exact to 1/8 of a grey level. */
static double median(const float *values, const region *r, int absolute)
{
    int64_t bins[BINS] = {0}, total = 0, seen = 0;
    for (int64_t y = 0; y < r->h; y++)
        for (int64_t x = 0; x < r->w; x++) {
            if (!inside(r, y, x)) continue;
            double v = (double)values[y * r->w + x];
            int bin = (int)((absolute ? fabs(v) : v) * BINS_PER_LEVEL + 0.5);
            bins[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
            total++;
        }
    int bin = 0;
    while (bin < BINS - 1 && 2 * (seen += bins[bin]) < total) bin++;
    return bin / BINS_PER_LEVEL;
}

/* Solves a c = b for a symmetric matrix that is nearly singular when the picture is a line; then those terms stay 0. */
static void solve(double a[TERMS][TERMS], double b[TERMS], double c[TERMS])
{
    int usable[TERMS];
    for (int k = 0; k < TERMS; k++) {
        usable[k] = a[k][k] > 1e-6 * (1 + a[0][0]);
        for (int i = k + 1; i < TERMS && usable[k]; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j < TERMS; j++) a[i][j] -= factor * a[k][j];
            b[i] -= factor * b[k];
        }
    }
    for (int k = TERMS - 1; k >= 0; k--) {
        double sum = b[k];
        for (int j = k + 1; j < TERMS; j++) sum -= a[k][j] * c[j];
        c[k] = usable[k] ? sum / a[k][k] : 0;
    }
}

static void terms_at(const region *r, int64_t y, int64_t x, double terms[TERMS])
{
    double v = (2.0 * (double)y + 1) / (double)r->h - 1, u = (2.0 * (double)x + 1) / (double)r->w - 1;
    const double all[TERMS] = {1, u, v, u * v, u * u, v * v};
    memcpy(terms, all, sizeof all);
}

/* Fits the surface to the values of the region that are near 0, and subtracts it everywhere. */
static void flatten(float *values, const region *r, double near)
{
    double a[TERMS][TERMS] = {{0}}, b[TERMS] = {0}, c[TERMS], terms[TERMS];
    for (int64_t y = 0; y < r->h; y++)
        for (int64_t x = 0; x < r->w; x++) {
            double value = (double)values[y * r->w + x];
            if (!inside(r, y, x) || !(fabs(value) <= near)) continue;
            terms_at(r, y, x, terms);
            for (int i = 0; i < TERMS; i++) {
                for (int j = 0; j < TERMS; j++) a[i][j] += terms[i] * terms[j];
                b[i] += terms[i] * value;
            }
        }
    solve(a, b, c);
    for (int64_t y = 0; y < r->h; y++)
        for (int64_t x = 0; x < r->w; x++) {
            double paper = 0;
            terms_at(r, y, x, terms);
            for (int i = 0; i < TERMS; i++) paper += c[i] * terms[i];
            values[y * r->w + x] -= (float)paper;
        }
}

#define DEVIATIONS(mad) (1.4826 * (mad)) /* median absolute deviation to standard deviation, for Gaussian noise */

double cn__paper_subtract(float *values, int64_t h, int64_t w)
{
    const region ring = {h, w, 1 + (h < w ? h : w) / 40}, all = {h, w, h + w};
    const double border = median(values, &ring, 0);
    for (int64_t i = 0; i < h * w; i++) values[i] -= (float)border;
    /* The ring first: it is nearly all paper and reaches round the ink. Then every pixel that agrees with it. */
    for (int round = 0; round < 3; round++) {
        const region *r = round == 0 ? &ring : &all;
        double near = 3 * DEVIATIONS(median(values, r, 1));
        flatten(values, r, near > 8 ? near : 8);
    }
    return DEVIATIONS(median(values, &all, 1));
}
