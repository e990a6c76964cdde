/* 2.4.3 Stochastic gradient descent: steps against the slope, and what a learning rate and momentum do to them. */
#include "chapter.h"
#include "drawing.h"

#include <math.h>

enum { GRID = 450 }; /* one value of the landscape for each pixel */

/* --- two losses, as tensor operations: the tape differentiates them, the pictures show them ----------------------- */

/* A parabola. */
static cn_tensor *bowl(const cn_tensor *w)
{
    return cn_tensor_add(cn_tensor_multiply(cn_tensor_square(w), cn_float(0.5)), cn_float(0.3));
}

/* A wide valley with ripples: a local minimum near 2.6, the global one near -1. */
static cn_tensor *rippled(const cn_tensor *w)
{
    const cn_tensor *valley = cn_tensor_multiply(cn_tensor_square(cn_tensor_add(w, cn_float(0.6))), cn_float(0.11));
    const cn_tensor *ripples = cn_tensor_sin(cn_tensor_multiply(w, cn_float(1.75)));
    return cn_tensor_add(cn_tensor_add(valley, ripples), cn_float(1));
}

/* exp(-((x - a)^2 + (y - b)^2) / width) */
static const cn_tensor *well(const cn_tensor *x, const cn_tensor *y, double a, double b, double width)
{
    const cn_tensor *dx = cn_tensor_square(cn_tensor_subtract(x, cn_float(a)));
    const cn_tensor *dy = cn_tensor_square(cn_tensor_subtract(y, cn_float(b)));
    return cn_tensor_exp(cn_tensor_multiply(cn_tensor_add(dx, dy), cn_float(-1 / width)));
}

/* A bowl with a shallow well on the way to a deep one. */
static cn_tensor *landscape(const cn_tensor *x, const cn_tensor *y)
{
    const cn_tensor *slope = cn_tensor_multiply(cn_tensor_add(cn_tensor_square(x), cn_tensor_square(y)),
                                                cn_float(0.09));
    const cn_tensor *shallow = cn_tensor_multiply(well(x, y, 0.9, 0.8, 0.5), cn_float(0.55));
    const cn_tensor *deep = cn_tensor_multiply(well(x, y, -1.2, -0.9, 1.1), cn_float(1.5));
    return cn_tensor_add(cn_tensor_subtract(cn_tensor_subtract(slope, shallow), deep), cn_float(1.6));
}

/* The loss in one point. */
static double height(point at)
{
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *loss = must(landscape(cn_tensor_from(CN_FLOAT64, 0, NULL, &at.x),
                                           cn_tensor_from(CN_FLOAT64, 0, NULL, &at.y)));
    double result = *(const double *)cn_data(loss);
    cn_scope_end(&scope);
    return result;
}

static double number(const cn_tensor *scalar)
{
    return *(const double *)cn_data(must(scalar));
}

/* --- descent ------------------------------------------------------------------------------------------------------ */

/* The chapter's loop: velocity = momentum * velocity - learning_rate * gradient; w += velocity. Returns the steps taken
 * until the loss no longer changes; track[i] is (w, loss) before step i. */
static int descend(cn_tensor *(*loss_of)(const cn_tensor *), double start, double learning_rate, double momentum,
                   int steps, point *track)
{
    double w = start, velocity = 0;
    for (int i = 0; i < steps; i++) {
        cn_tape *tape = cn_tape_create(NULL);
        cn_tensor *x = cn_tensor_from(CN_FLOAT64, 0, NULL, &w), *gradient;
        must_be_ok(cn_tape_watch(tape, x));
        cn_tensor *loss = loss_of(x);
        must_be_ok(cn_tape_gradient(tape, loss, 1, &x, &gradient));
        track[i] = (point){w, number(loss)};
        velocity = momentum * velocity - learning_rate * number(gradient);
        w += velocity;
        cn_tape_destroy(&tape);
    }
    return steps;
}

/* The same in the plane: the variables are two scalars. */
static void descend_in_plane(point start, double learning_rate, double momentum, int steps, point *track)
{
    double w[2] = {start.x, start.y}, velocity[2] = {0, 0};
    for (int i = 0; i < steps; i++) {
        cn_tape *tape = cn_tape_create(NULL);
        cn_tensor *xy[2] = {cn_tensor_from(CN_FLOAT64, 0, NULL, &w[0]), cn_tensor_from(CN_FLOAT64, 0, NULL, &w[1])};
        cn_tensor *gradients[2];
        for (int k = 0; k < 2; k++) must_be_ok(cn_tape_watch(tape, xy[k]));
        cn_tensor *loss = landscape(xy[0], xy[1]);
        must_be_ok(cn_tape_gradient(tape, loss, 2, xy, gradients));
        track[i] = (point){w[0], w[1]};
        for (int k = 0; k < 2; k++) {
            velocity[k] = momentum * velocity[k] - learning_rate * number(gradients[k]);
            w[k] += velocity[k];
        }
        cn_tape_destroy(&tape);
    }
}

/* --- pictures ----------------------------------------------------------------------------------------------------- */

static void draw_curve(const panel *q, cn_tensor *(*loss_of)(const cn_tensor *))
{
    enum { POINTS = 201 };
    cn_scope *scope = cn_scope_begin();
    cn_tensor *w = cn_zeros(CN_FLOAT64, POINTS);
    must(w);
    for (int i = 0; i < POINTS; i++) ((double *)cn_data(w))[i] = q->x0 + (q->x1 - q->x0) * i / (POINTS - 1);
    const cn_tensor *loss = must(loss_of(w)); /* the whole curve at once: the operations work on any shape */
    point curve[POINTS];
    for (int i = 0; i < POINTS; i++) curve[i] = (point){((double *)cn_data(w))[i], ((const double *)cn_data(loss))[i]};
    panel_lines(q, POINTS, curve, 2.6, blue, 1);
    cn_scope_end(&scope);
}

static void draw_track(const panel *q, int steps, const point *track, colour ink)
{
    panel_lines(q, steps, track, 1.5, ink, 0.8);
    for (int i = 0; i < steps; i++)
        if (fabs(track[i].x) < 4.99 && track[i].y < q->y1) panel_disc(q, track[i].x, track[i].y, 3.4, ink);
    panel_disc(q, track[0].x, track[0].y, 5.5, black);
    panel_disc(q, track[steps - 1].x, track[steps - 1].y, 6, red);
}

/* What the picture shows is also said in words. */
static void report(const char *what, int steps, const point *track)
{
    printf("%-32s from w = %g to w = %7.4f in %3d steps, loss %.4f\n", what, track[0].x, track[steps - 1].x, steps - 1,
           track[steps - 1].y);
}

static int finish(picture *p, const char *path)
{
    int status = picture_write(p, path);
    picture_destroy(&p);
    if (status == CN_ENOTSUP) return 0;
    CN_CHECK(status);
    printf("drawn: %s\n", path);
    return 0;
}

static int learning_rates(void)
{
    const double rates[3] = {0.08, 0.5, 2.05};
    const char *const titles[3] = {"too small: 0.08", "just right: 0.5", "too large: 2.05"};
    picture *p = picture_create(1050, 380);
    if (!p) return 1;
    puts("Learning rates on a parabola");
    for (int k = 0; k < 3; k++) {
        point track[11];
        panel q = {p, 50 + 335.0 * k, 60, 290, 250, -5, 5, 0, 10};
        descend(bowl, k == 2 ? 2.6 : 4, rates[k], 0, 11, track);
        panel_frame(&q, 2.5, 2.5, titles[k], "w", NULL);
        draw_curve(&q, bowl);
        draw_track(&q, 11, track, orange);
        report(titles[k], 11, track);
    }
    return finish(p, "descent_learning_rates.png");
}

static int momentum_1d(void)
{
    const double momenta[2] = {0, 0.9};
    const char *const titles[2] = {"without momentum: stuck", "with momentum 0.9: over the hill"};
    picture *p = picture_create(1050, 420);
    if (!p) return 1;
    puts("\nA local minimum on the way");
    for (int k = 0; k < 2; k++) {
        point track[121];
        panel q = {p, 50 + 515.0 * k, 60, 460, 290, -5, 5, 0, 5};
        descend(rippled, 4.6, 0.05, momenta[k], 121, track);
        panel_frame(&q, 1, 1, titles[k], "w", NULL);
        draw_curve(&q, rippled);
        draw_track(&q, 121, track, orange);
        report(titles[k], 121, track);
    }
    return finish(p, "descent_momentum.png");
}

/* The loss on a grid in one go: x of shape (1, GRID) and y of shape (GRID, 1) broadcast. */
static void draw_landscape(const panel *q)
{
    const colour low = {0.09, 0.22, 0.42}, middle = {0.45, 0.72, 0.78}, high = {0.99, 0.97, 0.90};
    cn_scope *scope = cn_scope_begin();
    cn_tensor *x = cn_zeros(CN_FLOAT64, 1, GRID), *y = cn_zeros(CN_FLOAT64, GRID, 1);
    must(x), must(y);
    for (int i = 0; i < GRID; i++) {
        ((double *)cn_data(x))[i] = q->x0 + (q->x1 - q->x0) * (i + 0.5) / GRID;
        ((double *)cn_data(y))[i] = q->y0 + (q->y1 - q->y0) * (i + 0.5) / GRID;
    }
    const double *loss = cn_data(must(landscape(x, y)));
    double side = q->width / GRID;
    for (int i = 0; i < GRID; i++) {
        for (int j = 0; j < GRID; j++) {
            double band = fmin(floor(loss[i * GRID + j] * 8) / 24, 1);
            colour c = band < 0.5 ? colour_between(low, middle, 2 * band) : colour_between(middle, high, 2 * band - 1);
            double left = q->left + j * side, top = q->top + q->height - (i + 1) * side;
            draw_polygon(q->p, 4, (const point[]){{left, top}, {left + side, top}, {left + side, top + side},
                                                  {left, top + side}}, c, 1);
        }
    }
    cn_scope_end(&scope);
}

/* "loss 0.28" beside a minimum. */
static void label_height(const panel *q, point at, double x, double y)
{
    char text[32];
    snprintf(text, sizeof text, "loss %.2f", height(at));
    panel_text(q, x, y, 11, 0.5, white, text);
}

static int momentum_2d(void)
{
    const double momenta[2] = {0, 0.9};
    const char *const titles[2] = {"without momentum: stuck in the shallow well",
                                   "with momentum 0.9: into the deep one"};
    picture *p = picture_create(1000, 560);
    if (!p) return 1;
    puts("\nTwo weights: the loss is a landscape");
    for (int k = 0; k < 2; k++) {
        enum { STEPS = 161 };
        point track[STEPS];
        panel q = {p, 45 + 490.0 * k, 60, 450, 450, -3, 3, -3, 3};
        descend_in_plane((point){2.5, 2.3}, 0.06, momenta[k], STEPS, track);
        panel_frame(&q, 0, 0, titles[k], NULL, NULL);
        draw_landscape(&q);
        panel_lines(&q, STEPS, track, 2, white, 0.9);
        for (int i = 0; i < STEPS; i++) panel_disc(&q, track[i].x, track[i].y, 2.6, orange);
        panel_disc(&q, track[0].x, track[0].y, 6, black);
        panel_disc(&q, track[STEPS - 1].x, track[STEPS - 1].y, 6.5, red);
        panel_text(&q, 2.3, 2.35, 12, 1, black, "start");
        label_height(&q, (point){0.826, 0.734}, 1.45, 0.35);
        label_height(&q, (point){-1.125, -0.844}, -1.15, -1.75);
        point end = track[STEPS - 1];
        printf("%-45s ends at (%.3f, %.3f), loss %.3f\n", titles[k], end.x, end.y, height(end));
    }
    return finish(p, "descent_landscape.png");
}

int main(void)
{
    return learning_rates() || momentum_1d() || momentum_2d();
}
