/* 2.3.5 Geometric interpretation of tensor operations: what they do to points of the plane. */
#include "chapter.h"
#include "drawing.h"

#include <math.h>

enum { MOST_POINTS = 400 };
static const double pi = 3.14159265358979323846;

/* Points as the chapter has them: a tensor of shape (n, 2), a row per point. */
static cn_tensor *tensor_of(int n, const point *points)
{
    cn_tensor *x = cn_zeros(CN_FLOAT64, n, 2);
    must(x);
    for (int i = 0; i < n; i++) {
        ((double *)cn_data(x))[2 * i] = points[i].x;
        ((double *)cn_data(x))[2 * i + 1] = points[i].y;
    }
    return x;
}

/* A layer of the plane: relu(W . x + b), or without the relu, for all points at once. */
typedef struct layer {
    double w[4], b[2];
    int has_relu;
} layer;

static void apply(const layer *l, int n, const point *points, point *out)
{
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *w = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2, 2), l->w);
    const cn_tensor *b = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2), l->b);
    const cn_tensor *y = cn_tensor_add(cn_tensor_matmul(tensor_of(n, points), cn_transpose(w)), b);
    if (l->has_relu) y = cn_tensor_maximum(y, cn_float(0));
    const double *numbers = cn_data(must(y));
    for (int i = 0; i < n; i++) out[i] = (point){numbers[2 * i], numbers[2 * i + 1]};
    cn_scope_end(&scope);
}

/* --- what is transformed: a flag, and the grid behind it ---------------------------------------------------------- */

static const point flag[] = {{0.2, 0},   {0.4, 0},   {0.4, 0.7}, {1.1, 0.7}, {0.95, 0.9}, {1.1, 1.1},
                             {0.4, 1.1}, {0.4, 1.2}, {0.2, 1.2}, {0.2, 0}};
enum { FLAG_POINTS = sizeof flag / sizeof *flag };

static void draw_grid(const panel *q, const layer *l, colour ink, double opacity)
{
    point line[41], moved[41];
    for (int k = -8; k <= 8; k++) {
        for (int upright = 0; upright < 2; upright++) {
            for (int i = 0; i <= 40; i++) {
                double along = -2 + i * 0.1, across = k * 0.25;
                line[i] = upright ? (point){across, along} : (point){along, across};
            }
            apply(l, 41, line, moved);
            panel_lines(q, 41, moved, k == 0 ? 1.8 : 1, ink, opacity);
        }
    }
}

static void draw_flag(const panel *q, const layer *l, colour ink, double opacity)
{
    point moved[FLAG_POINTS];
    apply(l, FLAG_POINTS, flag, moved);
    panel_polygon(q, FLAG_POINTS, moved, ink, opacity);
    panel_lines(q, FLAG_POINTS, moved, 2, ink, 1);
}

static const layer nothing = {{1, 0, 0, 1}, {0, 0}, 0};

static int finish(picture *p, const char *path)
{
    int status = picture_write(p, path);
    picture_destroy(&p);
    if (status == CN_ENOTSUP) return 0;
    CN_CHECK(status);
    printf("drawn: %s\n", path);
    return 0;
}

/* --- points are arrows, and adding them chains the arrows --------------------------------------------------------- */

static int draw_addition(void)
{
    picture *p = picture_create(460, 440);
    if (!p) return 1;
    const double a[2] = {0.5, 1}, b[2] = {1, 0.25};
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *sum = must(cn_tensor_add(cn_tensor_from(CN_FLOAT64, CN_SHAPE(2), a),
                                              cn_tensor_from(CN_FLOAT64, CN_SHAPE(2), b)));
    show("[0.5, 1] + [1, 0.25]", sum);
    const double *c = cn_data(sum);
    panel q = {p, 50, 55, 360, 330, -0.25, 1.75, -0.25, 1.5833};
    panel_frame(&q, 0.5, 0.5, "adding vectors chains arrows", NULL, NULL);
    panel_arrow(&q, 0, 0, a[0], a[1], 3, blue);
    panel_arrow(&q, a[0], a[1], c[0], c[1], 3, orange);
    panel_arrow(&q, 0, 0, b[0], b[1], 1.6, colour_between(orange, white, 0.45));
    panel_arrow(&q, 0, 0, c[0], c[1], 3, green);
    panel_text(&q, 0.12, 0.55, 14, 1, blue, "A");
    panel_text(&q, 1.0, 1.27, 14, 0.5, orange, "B");
    panel_text(&q, 0.95, 0.62, 14, 0, green, "A + B");
    cn_scope_end(&scope);
    return finish(p, "vector_addition.png");
}

/* --- transformations ---------------------------------------------------------------------------------------------- */

static int draw_transformations(void)
{
    const double a = pi / 5;
    const struct {
        const char *title;
        layer l;
    } shown[6] = {
        {"translation: x + b", {{1, 0, 0, 1}, {0.5, -0.8}, 0}},
        {"rotation by 36 degrees", {{cos(a), -sin(a), sin(a), cos(a)}, {0, 0}, 0}},
        {"scaling: W = diag(1.4, -0.6)", {{1.4, 0, 0, -0.6}, {0, 0}, 0}},
        {"linear: W x", {{1, 0.7, -0.3, 0.8}, {0, 0}, 0}},
        {"affine: W x + b", {{1, 0.7, -0.3, 0.8}, {-0.9, -0.6}, 0}},
        {"dense with relu: relu(W x + b)", {{1, 0.7, -0.3, 0.8}, {-0.9, -0.6}, 1}},
    };
    picture *p = picture_create(1050, 760);
    if (!p) return 1;
    puts("\nThe corner (1.1, 1.1) of the flag goes to");
    for (int k = 0; k < 6; k++) {
        panel q = {p, 30 + 345.0 * (k % 3), 55 + 365.0 * (k / 3), 300, 300, -2, 2, -2, 2};
        panel_frame(&q, 0, 0, shown[k].title, NULL, NULL);
        draw_grid(&q, &shown[k].l, colour_between(blue, white, 0.35), 0.55);
        draw_flag(&q, &nothing, grey, 0.12);
        draw_flag(&q, &shown[k].l, orange, 0.55);
        panel_disc(&q, 0, 0, 3, black);
        point corner;
        apply(&shown[k].l, 1, &(point){1.1, 1.1}, &corner);
        printf("    %-32s (%6.3f, %6.3f)\n", shown[k].title, corner.x, corner.y);
    }
    return finish(p, "transformations.png");
}

/* Affine after affine is affine: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2). */
static void compose(void)
{
    const layer one = {{1, 0.7, -0.3, 0.8}, {-0.9, -0.6}, 0}, two = {{0.4, -0.9, 1.1, 0.2}, {0.3, 0.1}, 0};
    point in_turn[FLAG_POINTS], at_once[FLAG_POINTS];
    apply(&one, FLAG_POINTS, flag, in_turn);
    apply(&two, FLAG_POINTS, in_turn, in_turn);

    cn_scope *scope = cn_scope_begin();
    const cn_tensor *w1 = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2, 2), one.w);
    const cn_tensor *b1 = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2), one.b);
    const cn_tensor *w2 = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2, 2), two.w);
    const cn_tensor *b2 = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2), two.b);
    const cn_tensor *w = must(cn_tensor_matmul(w2, w1)), *b = must(cn_tensor_add(cn_tensor_matmul(w2, b1), b2));
    layer both = {.has_relu = 0};
    memcpy(both.w, cn_data(w), sizeof both.w);
    memcpy(both.b, cn_data(b), sizeof both.b);
    cn_scope_end(&scope);

    apply(&both, FLAG_POINTS, flag, at_once);
    double off = 0;
    for (int i = 0; i < FLAG_POINTS; i++)
        off = fmax(off, hypot(at_once[i].x - in_turn[i].x, at_once[i].y - in_turn[i].y));
    printf("\nTwo affine transformations in turn, and the one they make together, differ by at most %.1g:\n"
           "without a relu between them, two layers are one.\n", off);
}

/* --- more units than axes: relu(W x + b), brought back to the plane by a linear layer ----------------------------- */

/* Beyond the line n . x = distance, points also move by relu(n . x - distance) * (dx, dy). */
static const struct fold {
    double angle, distance, dx, dy;
} folds[] = {{0.35, 0.4, 0.1, -0.9}, {1.9, 0.5, 0.8, 0.2}, {3.6, 0.5, -0.2, 0.7}, {4.9, 0.5, 0.6, 0.25}};
enum { FOLDS = sizeof folds / sizeof *folds, UNITS = 4 + FOLDS };

/* W, b and V of V . relu(W . x + b). The first four units are x, -x, y and -y: together they keep every point in its
 * place, since x = relu(x) - relu(-x); each of the others adds a fold. */
static void fill_units(cn_tensor *w, cn_tensor *b, cn_tensor *v)
{
    const double keep[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    double *in = cn_data(w), *bias = cn_data(b), *out = cn_data(v);
    for (int u = 0; u < UNITS; u++) {
        const struct fold *f = &folds[u < 4 ? 0 : u - 4];
        in[2 * u] = u < 4 ? keep[u][0] : cos(f->angle);
        in[2 * u + 1] = u < 4 ? keep[u][1] : sin(f->angle);
        bias[u] = u < 4 ? 0 : -f->distance;
        out[u] = u < 4 ? keep[u][0] : f->dx;
        out[UNITS + u] = u < 4 ? keep[u][1] : f->dy;
    }
}

static void bend(int n, point *points)
{
    cn_scope *scope = cn_scope_begin();
    cn_tensor *w = cn_zeros(CN_FLOAT64, UNITS, 2), *b = cn_zeros(CN_FLOAT64, UNITS),
              *v = cn_zeros(CN_FLOAT64, 2, UNITS);
    must(w), must(b), must(v);
    fill_units(w, b, v);
    const cn_tensor *units = cn_tensor_add(cn_tensor_matmul(tensor_of(n, points), cn_transpose(w)), b);
    const cn_tensor *y = must(cn_tensor_matmul(cn_tensor_maximum(units, cn_float(0)), cn_transpose(v)));
    memcpy(points, cn_data(y), (size_t)n * sizeof *points);
    cn_scope_end(&scope);
}

/* Lines of the plane, coloured by where they come from, after so many layers. */
static void draw_bent_grid(const panel *q, int layers)
{
    point line[MOST_POINTS];
    for (int i = 0; i <= 16; i++) {
        for (int upright = 0; upright < 2; upright++) {
            for (int j = 0; j < MOST_POINTS; j++) {
                double across = -2 + i * 0.25, along = -2 + 4.0 * j / (MOST_POINTS - 1);
                line[j] = upright ? (point){across, along} : (point){along, across};
            }
            for (int k = 0; k < layers; k++) bend(MOST_POINTS, line);
            colour ink = upright ? colour_between(purple, orange, i / 16.0) : colour_between(blue, green, i / 16.0);
            panel_lines(q, MOST_POINTS, line, 1.5, ink, 0.8);
        }
    }
}

/* --- a dense layer bends the plane -------------------------------------------------------------------------------- */

static int draw_bending(void)
{
    const layer affine = {{0.9, 0.5, -0.6, 0.8}, {0.35, 0.25}, 0}, dense = {{0.9, 0.5, -0.6, 0.8}, {0.35, 0.25}, 1};
    const char *const titles[3] = {"the plane", "W x + b: turned, stretched, moved",
                                   "relu(W x + b): folded at the axes"};
    const layer *const layers[3] = {&nothing, &affine, &dense};
    picture *p = picture_create(1050, 780);
    if (!p) return 1;
    for (int k = 0; k < 3; k++) {
        panel q = {p, 30 + 345.0 * k, 55, 300, 300, -2.2, 2.2, -2.2, 2.2};
        panel_frame(&q, 0, 0, titles[k], NULL, NULL);
        draw_grid(&q, layers[k], colour_between(blue, white, 0.15), 0.75);
        draw_flag(&q, layers[k], orange, 0.5);
        panel_lines(&q, 2, (const point[]){{-2.2, 0}, {2.2, 0}}, 1.2, black, 0.8);
        panel_lines(&q, 2, (const point[]){{0, -2.2}, {0, 2.2}}, 1.2, black, 0.8);
    }
    for (int k = 0; k < 3; k++) {
        const char *const names[3] = {"four units have their folds here", "after a layer of eight units",
                                      "after two: bends upon bends"};
        double reach = k ? 3.2 : 2.2;
        panel q = {p, 30 + 345.0 * k, 435, 300, 300, -reach, reach, -reach, reach};
        panel_frame(&q, 0, 0, names[k], NULL, NULL);
        draw_bent_grid(&q, k);
        for (int i = 0; k == 0 && i < FOLDS; i++) {
            double nx = cos(folds[i].angle), ny = sin(folds[i].angle), d = folds[i].distance;
            panel_lines(&q, 2, (const point[]){{d * nx - 5 * ny, d * ny + 5 * nx}, {d * nx + 5 * ny, d * ny - 5 * nx}},
                        2.2, black, 0.75);
        }
    }
    return finish(p, "dense_layer.png");
}

int main(void)
{
    if (draw_addition() || draw_transformations()) return 1;
    compose();
    return draw_bending();
}
