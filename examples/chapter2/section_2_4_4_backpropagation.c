/* 2.4.4 Chaining derivatives: the backpropagation algorithm, by hand on the chapter's graph, then by the tape. */
#include "chapter.h"

/*   x --(* w)--> x1 --(+ b)--> x2 --(|y_true - x2|)--> loss */
static const double x = 2, w = 3, b = 1, y_true = 4;

int main(void)
{
    /* Forward: from the inputs to the loss. */
    double x1 = x * w, x2 = x1 + b, difference = y_true - x2, loss = difference < 0 ? -difference : difference;
    puts("forward");
    printf("    x1   = x * w         = %g * %g = %g\n", x, w, x1);
    printf("    x2   = x1 + b        = %g + %g = %g\n", x1, b, x2);
    printf("    loss = |y_true - x2| = |%g - %g| = %g\n", y_true, x2, loss);

    /* Backward: the derivative of each step alone. */
    double loss_by_x2 = difference < 0 ? 1 : -1, x2_by_x1 = 1, x2_by_b = 1, x1_by_w = x;
    puts("backward, each edge by itself");
    printf("    d loss / d x2 = %g    d x2 / d x1 = %g    d x2 / d b = %g    d x1 / d w = %g\n", loss_by_x2, x2_by_x1,
           x2_by_b, x1_by_w);
    puts("the chain rule: multiply along the path from the loss to the weight");
    printf("    d loss / d w = %g * %g * %g = %g\n", loss_by_x2, x2_by_x1, x1_by_w, loss_by_x2 * x2_by_x1 * x1_by_w);
    printf("    d loss / d b = %g * %g = %g\n", loss_by_x2, x2_by_b, loss_by_x2 * x2_by_b);

    /* The tape does the same: it writes the steps down and multiplies back along them. */
    cn_scope *scope = cn_scope_begin();
    cn_tensor *weights[2] = {cn_variable(cn_scalar(CN_FLOAT64, w)), cn_variable(cn_scalar(CN_FLOAT64, b))},
              *gradients[2];
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *out = cn_tensor_add(cn_tensor_multiply(cn_float(x), weights[0]), weights[1]);
    cn_tensor *recorded = cn_tensor_absolute(cn_tensor_subtract(cn_float(y_true), out));
    must_be_ok(cn_tape_gradient(tape, recorded, 2, weights, gradients));
    puts("the tape");
    printf("    loss %g, d loss / d w = %g, d loss / d b = %g\n", cn_tensor_get(recorded, NULL),
           cn_tensor_get(gradients[0], NULL), cn_tensor_get(gradients[1], NULL));
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&weights[0]);
    cn_tensor_destroy(&weights[1]);
    cn_scope_end(&scope);
    return 0;
}
