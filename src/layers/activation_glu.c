#include "kernels/functions.h"
#include "layers/engine_activation.h"

/* A row (a, b) of two halves gives y = a sigmoid(b), half as wide. y is not z. */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    int64_t half = columns / 2;
    (void)options;
    for (int64_t r = 0; r < rows; r++) {
        const real *a = (const real *)z_ + r * columns, *b = a + half;
        real *y = (real *)y_ + r * half;
        for (int64_t i = 0; i < half; i++) y[i] = a[i] * cn__sigmoid(b[i]);
    }
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    int64_t half = columns / 2;
    (void)options;
    (void)y;
    for (int64_t r = 0; r < rows; r++) {
        const real *a = (const real *)z_ + r * columns, *b = a + half, *dy = (const real *)dy_ + r * half;
        real *da = (real *)dz_ + r * columns, *db = da + half;
        for (int64_t i = 0; i < half; i++) {
            real s = cn__sigmoid(b[i]);
            da[i] = dy[i] * s;
            db[i] = dy[i] * a[i] * (s * (1 - s));
        }
    }
}

const cn__activation_math CN_T(cn__activation_glu_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_glu = {
    .name = "glu",
    .fields = cn__activation_axis,
    .n_fields = 1,
    .defaults = {.axis = -1},
    .needs_input = 1,
    .halves = 1,
    .check = cn__activation_check_axis,
};
#endif
