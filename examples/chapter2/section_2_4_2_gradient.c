/* 2.4.2 Derivative of a tensor operation: the gradient. Variables, the tape, and what has no gradient. */
#include "chapter.h"

/* time = 0, y = 2 * time + 3: the slope is 2 wherever we are. */
static void scalar(void)
{
    cn_tensor *x = cn_variable(cn_scalar(CN_FLOAT32, 0)), *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_add(cn_tensor_multiply(cn_int(2), x), cn_int(3));
    must_be_ok(cn_tape_gradient(tape, y, 1, &x, &slope));
    show("x scalar, y = 2 x + 3: dy/dx", slope);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&x);
}

/* The same for a matrix: y has four elements, and its gradient is that of their sum. */
static void matrix(cn_generator *random)
{
    cn_tensor *x = cn_variable(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(2, 2))), *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_add(cn_tensor_multiply(cn_int(2), x), cn_int(3));
    must_be_ok(cn_tape_gradient(tape, y, 1, &x, &slope));
    show("\nx a matrix: dy/dx", slope);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&x);
}

/* y = x W + b: a gradient for each weight of a layer. */
static void layer(cn_generator *random)
{
    cn_tensor *w = cn_variable(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(2, 2)));
    cn_tensor *b = cn_variable(cn_zeros(CN_FLOAT32, 2));
    const cn_tensor *x = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(2, 2)));
    cn_tensor *weights[2] = {w, b}, *gradients[2];
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_add(cn_matmul(x, w), b);
    must_be_ok(cn_tape_gradient(tape, y, 2, weights, gradients));
    show("\ny = x W + b: dy/dW", gradients[0]);
    show("dy/db, summed over the rows that b was stretched to", gradients[1]);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&w);
    cn_tensor_destroy(&b);
}

/* The position of a falling apple, its speed, and its acceleration: a tape that records what another one does. */
static void twice(void)
{
    cn_tensor *time = cn_variable(cn_scalar(CN_FLOAT32, 3)), *speed, *acceleration;
    cn_tape *outer = cn_tape_create(NULL), *inner = cn_tape_create(NULL);
    cn_tensor *position = cn_tensor_multiply(cn_float(4.9), cn_tensor_square(time));
    must_be_ok(cn_tape_gradient(inner, position, 1, &time, &speed));
    must_be_ok(cn_tape_gradient(outer, speed, 1, &time, &acceleration));
    show("\nposition 4.9 t^2 at t = 3: speed", speed);
    show("acceleration", acceleration);
    cn_tape_destroy(&inner);
    cn_tape_destroy(&outer);
    cn_tensor_destroy(&time);
}

/* A constant is watched only if asked, and no gradient is not a gradient of zero. */
static void none(void)
{
    cn_tensor *constant = cn_scalar(CN_FLOAT32, 3), *variable = cn_variable(constant);
    cn_tensor *sources[2] = {constant, variable}, *gradients[2];
    cn_tape *tape = cn_tape_create(&(cn_tape_options){.persistent = 1});
    cn_tensor *y = cn_tensor_add(cn_tensor_square(constant), cn_tensor_multiply(variable, cn_int(0)));
    must_be_ok(cn_tape_gradient(tape, y, 2, sources, gradients));
    printf("\ny = constant^2 + 0 variable: the constant has %s, the variable %g\n",
           gradients[0] ? "a gradient" : "no gradient", cn_tensor_get(gradients[1], NULL));
    must_be_ok(cn_tape_watch(tape, constant));
    y = cn_tensor_square(constant);
    must_be_ok(cn_tape_gradient(tape, y, 1, &constant, gradients));
    printf("when the tape watches it, the constant has %g\n", cn_tensor_get(gradients[0], NULL));
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&constant);
    cn_tensor_destroy(&variable);
}

int main(void)
{
    cn_generator random = {.seed = 42};
    cn_scope *scope = cn_scope_begin();
    scalar();
    matrix(&random);
    layer(&random);
    twice();
    none();
    cn_scope_end(&scope);
    return 0;
}
