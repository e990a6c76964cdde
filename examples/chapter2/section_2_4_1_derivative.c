/* 2.4.1 What's a derivative? The slope of a curve in a point, measured with a small step and taken from a tape. */
#include "chapter.h"
#include "drawing.h"

#include <math.h>

/* f(x) = x^3 / 9 - x / 2 + 1, on tensors of any shape. */
static cn_tensor *f(const cn_tensor *x)
{
    const cn_tensor *cubes = cn_tensor_multiply(cn_tensor_power(x, cn_int(3)), cn_float(1.0 / 9));
    return cn_tensor_add(cn_tensor_subtract(cubes, cn_tensor_multiply(x, cn_float(0.5))), cn_float(1));
}

static double value_of_f(double x)
{
    cn_scope *scope = cn_scope_begin();
    double y = *(const double *)cn_data(must(f(cn_tensor_from(CN_FLOAT64, 0, NULL, &x))));
    cn_scope_end(&scope);
    return y;
}

static double slope_of_f(double at)
{
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *x = cn_tensor_from(CN_FLOAT64, 0, NULL, &at), *slope;
    must_be_ok(cn_tape_watch(tape, x));
    cn_tensor *y = f(x);
    must_be_ok(cn_tape_gradient(tape, y, 1, &x, &slope));
    double result = *(const double *)cn_data(slope);
    cn_tape_destroy(&tape);
    return result;
}

static int draw(double at, double slope)
{
    enum { POINTS = 121 };
    picture *p = picture_create(680, 440);
    if (!p) return 1;
    panel q = {p, 60, 60, 580, 310, -3, 3, -1, 3};
    point curve[POINTS];
    for (int i = 0; i < POINTS; i++) {
        double x = -3 + 6.0 * i / (POINTS - 1);
        curve[i] = (point){x, value_of_f(x)};
    }
    double y = value_of_f(at);
    panel_frame(&q, 1, 1, "near a point, a curve looks like its tangent", "x", NULL);
    panel_lines(&q, POINTS, curve, 3, blue, 1);
    panel_lines(&q, 2, (const point[]){{at - 1.3, y - 1.3 * slope}, {at + 1.3, y + 1.3 * slope}}, 2.2, orange, 1);
    panel_disc(&q, at, y, 6, red);
    panel_text(&q, -2.7, 2.55, 12, 0, blue, "f(x) = x^3 / 9 - x / 2 + 1");
    panel_text(&q, -2.7, 2.25, 12, 0, orange, "f(2) + f'(2) (x - 2)");
    int status = picture_write(p, "derivative.png");
    picture_destroy(&p);
    if (status == CN_ENOTSUP) return 0;
    CN_CHECK(status);
    puts("drawn: derivative.png");
    return 0;
}

int main(void)
{
    const double at = 2, exact = at * at / 3 - 0.5;
    printf("f(x) = x^3 / 9 - x / 2 + 1 at x = %g\n\n", at);
    puts("epsilon   (f(x + epsilon) - f(x)) / epsilon   off by");
    for (double epsilon = 1; epsilon > 1e-13; epsilon /= 100) {
        double slope = (value_of_f(at + epsilon) - value_of_f(at)) / epsilon;
        printf("%-9g %-35.12f %.1e\n", epsilon, slope, fabs(slope - exact));
    }
    double slope = slope_of_f(at);
    printf("%-9s %-35.12f %.1e\n", "tape", slope, fabs(slope - exact));
    puts("\nA smaller step follows the curve more closely, until the rounding of f(x) is all that is left.");
    return draw(at, slope);
}
