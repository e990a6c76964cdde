#include "kernels/pooling2d.h"

#include <string.h>

/* The part of a window that lies inside the picture: rows i0 ... i1-1, columns j0 ... j1-1 of the window. */
typedef struct inside {
    int64_t row, column; /* of the window's first place, maybe outside */
    int64_t i0, i1, j0, j1;
} inside;

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static inside window_at(const cn__pooling2d *c, int64_t p, int64_t q)
{
    inside w = {.row = p * c->stride[0] - c->before[0], .column = q * c->stride[1] - c->before[1]};
    w.i0 = larger(0, -w.row);
    w.j0 = larger(0, -w.column);
    w.i1 = smaller(c->size[0], c->height - w.row);
    w.j1 = smaller(c->size[1], c->width - w.column);
    return w;
}

static int64_t offset(const cn__pooling2d *c, const inside *w, int64_t i, int64_t j)
{
    return ((w->row + i) * c->width + w->column + j) * c->channels;
}

/* Channels are worked on some at a time, so that what is best so far stays in registers or nearby. */
#define SOME 64

static void find_largest(const cn__pooling2d *c, const inside *w, const real *x, int n, real *best, int32_t *place)
{
    const real *first = x + offset(c, w, w->i0, w->j0);
    for (int k = 0; k < n; k++) {
        best[k] = first[k];
        place[k] = (int32_t)(w->i0 * c->size[1] + w->j0);
    }
    for (int64_t i = w->i0; i < w->i1; i++)
        for (int64_t j = w->j0; j < w->j1; j++) {
            const real *at = x + offset(c, w, i, j);
            int32_t here = (int32_t)(i * c->size[1] + j);
            for (int k = 0; k < n; k++) {
                /* a NaN is better than any number, and nothing is better than a NaN */
                int better = (best[k] == best[k]) & !(at[k] <= best[k]);
                best[k] = better ? at[k] : best[k];
                place[k] = better ? here : place[k];
            }
        }
}

void cn__max_pooling2d_forward(const cn__pooling2d *c, const real *x, int64_t p, real *y, void *places)
{
    int64_t bytes = cn__pooling2d_place_bytes(c);
    for (int64_t q = 0; q < c->out_width; q++) {
        inside w = window_at(c, p, q);
        for (int64_t first = 0; first < c->channels; first += SOME) {
            int n = (int)smaller(SOME, c->channels - first);
            int64_t at = q * c->channels + first;
            int32_t place[SOME];
            find_largest(c, &w, x + first, n, y + at, place);
            for (int k = 0; k < n && bytes == 1; k++) ((uint8_t *)places)[at + k] = (uint8_t)place[k];
            for (int k = 0; k < n && bytes == 4; k++) ((int32_t *)places)[at + k] = place[k];
        }
    }
}

void cn__max_pooling2d_backward(const cn__pooling2d *c, const real *dy, const void *places, real *dx)
{
    int64_t bytes = cn__pooling2d_place_bytes(c);
    memset(dx, 0, (size_t)(c->height * c->width * c->channels) * sizeof *dx);
    for (int64_t p = 0; p < c->out_height; p++)
        for (int64_t q = 0; q < c->out_width; q++) {
            inside w = window_at(c, p, q);
            int64_t at = (p * c->out_width + q) * c->channels;
            for (int64_t k = 0; k < c->channels; k++) {
                int64_t place = bytes == 1 ? ((const uint8_t *)places)[at + k] : ((const int32_t *)places)[at + k];
                dx[offset(c, &w, place / c->size[1], place % c->size[1]) + k] += dy[at + k];
            }
        }
}

void cn__average_pooling2d_forward(const cn__pooling2d *c, const real *x, int64_t p, real *y)
{
    for (int64_t q = 0; q < c->out_width; q++, y += c->channels) {
        inside w = window_at(c, p, q);
        real count = (real)((w.i1 - w.i0) * (w.j1 - w.j0));
        memset(y, 0, (size_t)c->channels * sizeof *y);
        for (int64_t i = w.i0; i < w.i1; i++)
            for (int64_t j = w.j0; j < w.j1; j++) {
                const real *at = x + offset(c, &w, i, j);
                for (int64_t k = 0; k < c->channels; k++) y[k] += at[k];
            }
        for (int64_t k = 0; k < c->channels; k++) y[k] /= count;
    }
}

void cn__average_pooling2d_backward(const cn__pooling2d *c, const real *dy, real *dx)
{
    memset(dx, 0, (size_t)(c->height * c->width * c->channels) * sizeof *dx);
    for (int64_t p = 0; p < c->out_height; p++)
        for (int64_t q = 0; q < c->out_width; q++, dy += c->channels) {
            inside w = window_at(c, p, q);
            real count = (real)((w.i1 - w.i0) * (w.j1 - w.j0));
            for (int64_t i = w.i0; i < w.i1; i++)
                for (int64_t j = w.j0; j < w.j1; j++) {
                    real *to = dx + offset(c, &w, i, j);
                    for (int64_t k = 0; k < c->channels; k++) to[k] += dy[k] / count;
                }
        }
}
