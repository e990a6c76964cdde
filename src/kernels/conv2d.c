#include "kernels/conv2d.h"

#include <string.h>

/* The numbers under the window of (p,q), channels of group g; zeros outside the picture. */
static void gather_window(const cn__conv2d *c, const real *x, int64_t p, int64_t q, int64_t g, real *window)
{
    int64_t n = c->channels / c->groups;
    for (int64_t i = 0; i < c->size[0]; i++) {
        int64_t row = p * c->stride[0] - c->before[0] + i * c->dilation[0];
        for (int64_t j = 0; j < c->size[1]; j++, window += n) {
            int64_t column = q * c->stride[1] - c->before[1] + j * c->dilation[1];
            if (row < 0 || row >= c->height || column < 0 || column >= c->width)
                memset(window, 0, (size_t)n * sizeof *window);
            else
                memcpy(window, x + (row * c->width + column) * c->channels + g * n, (size_t)n * sizeof *window);
        }
    }
}

static void add_window(const cn__conv2d *c, const real *window, int64_t p, int64_t q, int64_t g, real *dx)
{
    int64_t n = c->channels / c->groups;
    for (int64_t i = 0; i < c->size[0]; i++) {
        int64_t row = p * c->stride[0] - c->before[0] + i * c->dilation[0];
        for (int64_t j = 0; j < c->size[1]; j++, window += n) {
            int64_t column = q * c->stride[1] - c->before[1] + j * c->dilation[1];
            if (row < 0 || row >= c->height || column < 0 || column >= c->width) continue;
            real *to = dx + (row * c->width + column) * c->channels + g * n;
            for (int64_t k = 0; k < n; k++) to[k] += window[k];
        }
    }
}

void cn__conv2d_forward(const cn__conv2d *c, const real *x, const real *kernel, int64_t kernel_stride, int64_t p,
                        int64_t rows, real *z, real *memory)
{
    int64_t terms = cn__conv2d_terms(c), share = c->filters / c->groups;
    for (int64_t at = 0; at < rows * c->out_width; at++)
        for (int64_t g = 0; g < c->groups; g++) {
            real *sum = z + at * c->filters + g * share;
            gather_window(c, x, p + at / c->out_width, at % c->out_width, g, memory);
            memset(sum, 0, (size_t)share * sizeof *sum);
            for (int64_t k = 0; k < terms; k++)
                for (int64_t f = 0; f < share; f++)
                    sum[f] = FMA(memory[k], kernel[k * kernel_stride + g * share + f], sum[f]);
        }
}

void cn__conv2d_turn_kernel(const cn__conv2d *c, const real *kernel, int64_t kernel_stride, int64_t f, int64_t n,
                            real *turned)
{
    int64_t terms = cn__conv2d_terms(c), stride = cn__conv2d_turned_stride(c);
    for (int64_t i = f; i < f + n; i++)
        for (int64_t k = 0; k < stride; k++)
            turned[i * stride + k] = k < terms ? kernel[k * kernel_stride + i] : 0;
}

void cn__conv2d_backward(const cn__conv2d *c, const real *x, const real *dz, const real *turned, real *gradient,
                         real *bias, real *dx, real *memory)
{
    int64_t terms = cn__conv2d_terms(c), stride = cn__conv2d_turned_stride(c), share = c->filters / c->groups;
    real *window = memory, *sum = memory + stride;
    if (dx) memset(dx, 0, (size_t)(c->height * c->width * c->channels) * sizeof *dx);
    for (int64_t at = 0; at < c->out_height * c->out_width; at++)
        for (int64_t g = 0; g < c->groups; g++) {
            int64_t p = at / c->out_width, q = at % c->out_width;
            gather_window(c, x, p, q, g, window);
            memset(sum, 0, (size_t)terms * sizeof *sum);
            for (int64_t f = g * share; f < (g + 1) * share; f++) {
                real d = dz[at * c->filters + f];
                if (d == 0) continue;
                bias[f] += d;
                for (int64_t k = 0; k < terms; k++) {
                    gradient[f * stride + k] = FMA(window[k], d, gradient[f * stride + k]);
                    sum[k] = FMA(d, turned[f * stride + k], sum[k]);
                }
            }
            if (dx) add_window(c, sum, p, q, g, dx);
        }
}
