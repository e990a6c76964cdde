/* 2.3.6 A geometric interpretation of deep learning: two sheets of paper, crumpled into one ball, are pulled apart
 * again by a network that bends the plane step by step. */
#include "chapter.h"
#include "drawing.h"

#include <math.h>

enum { PER_SHEET = 150, N_WEIGHTS = 8, HIDDEN = 24, PANELS = 6 };

/* Two spirals around each other. */
static void crumple(cn_tensor *x, cn_tensor *y)
{
    double *at = cn_data(x), *sheet = cn_data(y);
    for (int i = 0; i < 2 * PER_SHEET; i++) {
        int k = i % 2;
        double t = (i / 2 + 0.5) / PER_SHEET, angle = 1.5 * 3.14159265358979 * 2 * t * 0.75 + 3.14159265358979 * k;
        at[2 * i] = (0.25 + 1.6 * t) * cos(angle);
        at[2 * i + 1] = (0.25 + 1.6 * t) * sin(angle);
        sheet[i] = k;
    }
}

/* Dense tanh, dense tanh, dense of two units, whose output can be drawn, and one unit that tells the sheets apart. */
static void create(cn_tensor **w, cn_generator *random)
{
    const int64_t sizes[5] = {2, HIDDEN, HIDDEN, 2, 1};
    cn_scope *scope = cn_scope_begin();
    for (int i = 0; i < 4; i++) {
        double limit = sqrt(6.0 / (double)(sizes[i] + sizes[i + 1]));
        w[2 * i] = cn_variable(cn_random_uniform(random, -limit, limit, CN_FLOAT64, CN_SHAPE(sizes[i], sizes[i + 1])));
        w[2 * i + 1] = cn_variable(cn_zeros(CN_FLOAT64, sizes[i + 1]));
        must(w[2 * i]), must(w[2 * i + 1]);
    }
    cn_scope_end(&scope);
}

static cn_tensor *dense(const cn_tensor *x, cn_tensor *const *w)
{
    return cn_tensor_add(cn_matmul(x, w[0]), w[1]);
}

static cn_tensor *in_the_plane(const cn_tensor *x, cn_tensor *const *w)
{
    return dense(cn_tensor_tanh(dense(cn_tensor_tanh(dense(x, w)), w + 2)), w + 4);
}

/* Mean of -log(probability of the right sheet), from the score before the sigmoid: softplus(z) - y z. */
static cn_tensor *loss_of(const cn_tensor *x, const cn_tensor *y, cn_tensor *const *w)
{
    const cn_tensor *z = dense(in_the_plane(x, w), w + 6);
    const cn_tensor *beyond = cn_tensor_log1p(cn_tensor_exp(cn_tensor_negative(cn_tensor_absolute(z))));
    const cn_tensor *softplus = cn_tensor_add(cn_tensor_relu(z), beyond);
    return cn_mean(cn_tensor_subtract(softplus, cn_tensor_multiply(y, z)));
}

/* Steps of gradient descent with momentum on all points at once. */
static double train(cn_tensor *const *w, cn_tensor *const *velocity, const cn_tensor *x, const cn_tensor *y, int steps)
{
    double result = 0;
    for (int step = 0; step < steps; step++) {
        cn_tensor *gradients[N_WEIGHTS];
        cn_tape *tape = cn_tape_create(NULL);
        cn_tensor *loss = loss_of(x, y, w);
        must_be_ok(cn_tape_gradient(tape, loss, N_WEIGHTS, w, gradients));
        result = cn_tensor_get(loss, NULL);
        for (int i = 0; i < N_WEIGHTS; i++) {
            must_be_ok(cn_tensor_multiply_inplace(velocity[i], cn_float(0.9)));
            must_be_ok(cn_tensor_multiply_inplace(gradients[i], cn_float(0.05)));
            must_be_ok(cn_tensor_subtract_inplace(velocity[i], gradients[i]));
            must_be_ok(cn_tensor_add_inplace(w[i], velocity[i]));
        }
        cn_tape_destroy(&tape);
    }
    return result;
}

/* --- the picture -------------------------------------------------------------------------------------------------- */

/* A panel whose coordinates hold all points, with the same scale on both axes. */
static panel frame_for(picture *p, double left, double top, const cn_tensor *points, const char *title)
{
    const double *at = cn_data(points);
    double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
    for (int i = 0; i < 4 * PER_SHEET; i++) {
        low[i % 2] = fmin(low[i % 2], at[i]);
        high[i % 2] = fmax(high[i % 2], at[i]);
    }
    double half = 0.56 * fmax(high[0] - low[0], high[1] - low[1]), x = (low[0] + high[0]) / 2,
           y = (low[1] + high[1]) / 2;
    panel q = {p, left, top, 310, 310, x - half, x + half, y - half, y + half};
    panel_frame(&q, 0, 0, title, NULL, NULL);
    return q;
}

/* Where the network takes the lines of a grid on the plane. */
static void draw_grid(const panel *q, cn_tensor *const *w)
{
    enum { POINTS = 81 };
    for (int i = -9; i <= 9; i++) {
        for (int upright = 0; upright < 2; upright++) {
            cn_scope *scope = cn_scope_begin();
            cn_tensor *line = cn_zeros(CN_FLOAT64, POINTS, 2);
            must(line);
            for (int j = 0; j < POINTS; j++) {
                double across = i * 0.22, along = -2 + 4.0 * j / (POINTS - 1);
                ((double *)cn_data(line))[2 * j] = upright ? across : along;
                ((double *)cn_data(line))[2 * j + 1] = upright ? along : across;
            }
            const double *at = cn_data(must(w ? in_the_plane(line, w) : line));
            point moved[POINTS];
            for (int j = 0; j < POINTS; j++) moved[j] = (point){at[2 * j], at[2 * j + 1]};
            panel_lines(q, POINTS, moved, 1, colour_between(grey, white, 0.55), 1);
            cn_scope_end(&scope);
        }
    }
}

static void draw_sheets(const panel *q, const cn_tensor *points)
{
    const double *at = cn_data(points);
    for (int k = 0; k < 2; k++) {
        point sheet[PER_SHEET];
        for (int i = 0; i < PER_SHEET; i++) sheet[i] = (point){at[4 * i + 2 * k], at[4 * i + 2 * k + 1]};
        panel_lines(q, PER_SHEET, sheet, 4, k ? orange : blue, 0.9);
    }
}

/* The line where the last unit is undecided: u . (x, y) + c = 0. */
static void draw_border(const panel *q, cn_tensor *const *w)
{
    const double *u = cn_data(w[6]), c = *(const double *)cn_data(w[7]), length = u[0] * u[0] + u[1] * u[1];
    point foot = {-c * u[0] / length, -c * u[1] / length},
          along = {-u[1] * 100 / sqrt(length), u[0] * 100 / sqrt(length)};
    const point ends[2] = {{foot.x - along.x, foot.y - along.y}, {foot.x + along.x, foot.y + along.y}};
    panel_lines(q, 2, ends, 2.4, red, 0.9);
}

int main(int argc, char **argv)
{
    /* What the picture shows: the plane as it is, as the untrained network sees it, and after so many steps. */
    const int steps[PANELS] = {0, 0, 250, 300, 350, is_quick(argc, argv) ? 400 : 1000};
    const char *const titles[PANELS] = {"two sheets, crumpled together", "through an untrained network",
                                        "after 250 steps", "after 300 steps", "after 350 steps",
                                        "pulled apart: one line parts them"};
    cn_generator random = {.seed = 7};
    cn_tensor *x = cn_zeros(CN_FLOAT64, 2 * PER_SHEET, 2), *y = cn_zeros(CN_FLOAT64, 2 * PER_SHEET, 1);
    cn_tensor *w[N_WEIGHTS], *velocity[N_WEIGHTS];
    must(x), must(y);
    crumple(x, y);
    create(w, &random);
    for (int i = 0; i < N_WEIGHTS; i++) must(velocity[i] = cn_tensor_multiply(w[i], cn_int(0)));
    picture *p = picture_create(1060, 780);
    if (!p) return 1;
    for (int k = 0; k < PANELS; k++) {
        double loss = train(w, velocity, x, y, steps[k] - (k ? steps[k - 1] : 0));
        cn_scope *scope = cn_scope_begin();
        const cn_tensor *points = k ? must(in_the_plane(x, w)) : x;
        panel q = frame_for(p, 25 + 350.0 * (k % 3), 55 + 375.0 * (k / 3), points, titles[k]);
        draw_grid(&q, k ? w : NULL);
        draw_sheets(&q, points);
        if (k > 1) draw_border(&q, w);
        const cn_tensor *right = cn_tensor_equal(cn_tensor_greater(dense(in_the_plane(x, w), w + 6), cn_int(0)), y);
        if (k > 1) printf("after %4d steps: loss %.4f, %.1f %% of the points on the right side\n", steps[k], loss,
                      100 * cn_tensor_get(must(cn_mean(right)), NULL));
        cn_scope_end(&scope);
    }
    int status = picture_write(p, "uncrumpling.png");
    picture_destroy(&p);
    for (int i = 0; i < N_WEIGHTS; i++) {
        cn_tensor_destroy(&w[i]);
        cn_tensor_destroy(&velocity[i]);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    if (status == CN_ENOTSUP) return 0;
    CN_CHECK(status);
    puts("drawn: uncrumpling.png");
    return 0;
}
