/* What tapes record, who owns what, and what is refused; the rules of tf.GradientTape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"

#include <cornu/cornu.h>
#include <pthread.h>
#include <string.h>

static cn_tensor *scalar_variable(double number)
{
    cn_tensor *start = cn_tensor_from(CN_FLOAT64, 0, NULL, &number), *variable = cn_variable(start);
    cn_tensor_destroy(&start);
    assert_non_null(variable);
    return variable;
}

static double value(const cn_tensor *scalar)
{
    assert_non_null(scalar);
    assert_int_equal(cn_size(scalar), 1);
    assert_int_equal(cn_dtype_of(scalar), CN_FLOAT64);
    return *(const double *)cn_data(scalar);
}

static void expect(int status, const char *part)
{
    assert_true(status < 0);
    if (!strstr(cn_error_message(), part)) fail_msg("\"%s\" lacks \"%s\"", cn_error_message(), part);
}

/* --- the chapter's examples --- */

static void derivative_of_a_line(void **state)
{
    (void)state;
    cn_tensor *x = scalar_variable(0), *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_add(cn_tensor_multiply(cn_int(2), x), cn_int(3));
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_OK);
    assert_true(value(slope) == 2);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&x);
}

static void matrix_and_bias(void **state)
{
    (void)state;
    cn_tensor *w_start = cn_zeros(CN_FLOAT32, 2, 2), *b_start = cn_zeros(CN_FLOAT32, 2);
    cn_tensor *w = cn_variable(w_start), *b = cn_variable(b_start);
    cn_tensor *x = cn_tensor_from(CN_FLOAT32, CN_SHAPE(2, 2), (float[]){1, 2, 3, 4});
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_add(cn_tensor_matmul(x, w), b);
    cn_tensor *sources[] = {w, b, x}, *gradients[3];
    assert_int_equal(cn_tape_gradient(tape, y, 3, sources, gradients), CN_OK);
    assert_memory_equal(cn_data(gradients[0]), ((float[]){4, 4, 6, 6}), 16); /* a target of many is summed */
    assert_memory_equal(cn_data(gradients[1]), ((float[]){2, 2}), 8);       /* summed over the stretched axis */
    assert_null(gradients[2]);                                              /* a constant is not watched */
    cn_tape_destroy(&tape);
    cn_tensor *all[] = {w_start, b_start, w, b, x};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) cn_tensor_destroy(&all[i]);
}

/* Position of a falling apple: 4.9 t^2; its speed and acceleration. */
static void second_derivative(void **state)
{
    (void)state;
    cn_tensor *time = scalar_variable(3), *speed, *acceleration;
    cn_tape *outer = cn_tape_create(NULL), *inner = cn_tape_create(NULL);
    cn_tensor *position = cn_tensor_multiply(cn_float(4.9), cn_tensor_square(time));
    assert_int_equal(cn_tape_gradient(inner, position, 1, &time, &speed), CN_OK);
    cn_tape_destroy(&inner); /* what the outer tape needs of it stays */
    assert_int_equal(cn_tape_gradient(outer, speed, 1, &time, &acceleration), CN_OK);
    assert_true(value(acceleration) == 9.8);
    cn_tape_destroy(&outer);
    cn_tensor_destroy(&time);
}

/* --- none and zero --- */

static void none_is_not_zero(void **state)
{
    (void)state;
    cn_tensor *x = scalar_variable(3), *unused = scalar_variable(4);
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_multiply(x, cn_int(0));
    cn_tensor *sources[] = {x, unused}, *gradients[2];
    assert_int_equal(cn_tape_gradient(tape, y, 2, sources, gradients), CN_OK);
    assert_true(value(gradients[0]) == 0);
    assert_null(gradients[1]);
    cn_tape_destroy(&tape);

    tape = cn_tape_create(NULL);
    cn_tensor *whole = cn_astype(x, CN_INT64), *back = cn_astype(whole, CN_FLOAT64);
    assert_int_equal(cn_tape_gradient(tape, back, 1, &x, gradients), CN_OK);
    assert_null(gradients[0]); /* integers lead nowhere */
    cn_tape_destroy(&tape);

    tape = cn_tape_create(NULL);
    y = cn_tensor_add(x, cn_stop_gradient(cn_tensor_square(x)));
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, gradients), CN_OK);
    assert_true(value(gradients[0]) == 1);
    assert_true(value(y) == 12);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&unused);
}

static void constants_are_watched_when_asked(void **state)
{
    (void)state;
    cn_tensor *x = cn_tensor_from(CN_FLOAT64, 0, NULL, &(double){3}), *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *before = cn_tensor_square(x);
    assert_int_equal(cn_tape_watch(tape, x), CN_OK);
    cn_tensor *after = cn_tensor_square(x);
    cn_tensor *y = cn_tensor_add(before, after);
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_OK);
    assert_true(value(slope) == 6); /* only what came after watching */
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&x);
}

/* A scaled view of bytes reads as float32, and so does its gradient. */
static void scaled_bytes_can_be_watched(void **state)
{
    (void)state;
    cn_tensor *bytes = cn_tensor_from(CN_UINT8, CN_SHAPE(2), (uint8_t[]){51, 255}), *slope;
    cn_tensor *x = cn_scale(bytes, 1.0 / 255);
    cn_tape *tape = cn_tape_create(NULL);
    assert_int_equal(cn_tape_watch(tape, x), CN_OK);
    cn_tensor *y = cn_tensor_square(x);
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_OK);
    assert_int_equal(cn_dtype_of(slope), CN_FLOAT32);
    assert_true(((float *)cn_data(slope))[0] == 0.4f && ((float *)cn_data(slope))[1] == 2);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&bytes);
}

/* --- tapes are used once, or persistent --- */

static void once_or_persistent(void **state)
{
    (void)state;
    cn_tensor *x = scalar_variable(3), *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_square(x);
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_OK);
    expect(cn_tape_gradient(tape, y, 1, &x, &slope), ".persistent = 1");
    expect(cn_tape_begin(tape), ".persistent = 1");
    cn_tape_destroy(&tape);

    tape = cn_tape_create(&(cn_tape_options){.persistent = 1});
    y = cn_tensor_square(x);
    cn_tensor *z = cn_tensor_square(y), *of_z, *of_y;
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &of_y), CN_OK);
    assert_int_equal(cn_tape_gradient(tape, z, 1, &x, &of_z), CN_OK);
    assert_true(value(of_y) == 6 && value(of_z) == 108);
    cn_tensor *later = cn_tensor_multiply(y, cn_int(2)); /* it still records */
    assert_int_equal(cn_tape_gradient(tape, later, 1, &x, &slope), CN_OK);
    assert_true(value(slope) == 12);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&x);
}

static void stopping_and_beginning(void **state)
{
    (void)state;
    cn_tensor *x = scalar_variable(3), *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_square(x);
    assert_int_equal(cn_tape_stop(tape), CN_OK);
    assert_int_equal(cn_tape_stop(tape), CN_OK);
    cn_tensor *unheard = cn_tensor_square(x); /* ours, since nothing records */
    assert_int_equal(cn_tape_begin(tape), CN_OK);
    cn_tensor *sum = cn_tensor_add(y, unheard);
    assert_int_equal(cn_tape_gradient(tape, sum, 1, &x, &slope), CN_OK);
    assert_true(value(slope) == 6);
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&unheard);
    cn_tensor_destroy(&x);
}

/* --- who owns what --- */

static void nothing_is_left(void **state)
{
    (void)state;
    int64_t before = cn__memory_live_blocks();
    cn_tensor *x = scalar_variable(3), *kept, *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *early = cn_tensor_square(x), *y = cn_tensor_exp(cn_tensor_multiply(early, x));
    cn_tensor *passing = cn_tensor_add(x, cn_tensor_from(CN_FLOAT64, 0, NULL, &(double){1}));
    cn_tensor_destroy(&early); /* the tape still needs it, and has it */
    cn_tensor_destroy(&passing);
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_OK);
    kept = cn_keep(slope);
    cn_tape_destroy(&tape);
    assert_null(tape);
    assert_true(value(kept) > 0);
    cn_tensor_destroy(&kept);
    cn_tensor_destroy(&x);
    assert_int_equal(cn__memory_live_blocks(), before);
}

/* A variable and a view of it that go before the tape does. */
static void sources_may_go_first(void **state)
{
    (void)state;
    int64_t before = cn__memory_live_blocks();
    cn_tensor *start = cn_zeros(CN_FLOAT64, 2, 3), *w = cn_variable(start), *view = cn_reshape(w, 6);
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *x = cn_reshape(w, 3, 2), *y = cn_tensor_add(cn_tensor_square(x), cn_reshape(view, 3, 2));
    cn_tensor *source = w, *slope;
    cn_tensor_destroy(&w);
    cn_tensor_destroy(&start);
    assert_int_equal(cn_tape_gradient(tape, y, 1, &source, &slope), CN_OK);
    assert_int_equal(cn_size(slope), 6);
    cn_tape_destroy(&tape);
    assert_int_equal(cn__memory_live_blocks(), before);
}

/* Both sources get the same numbers, but not the same tensor, so each may be kept and destroyed. */
static void gradients_are_tensors_of_their_own(void **state)
{
    (void)state;
    cn_tensor *a = scalar_variable(1), *b = scalar_variable(2), *sources[] = {a, b, a}, *gradients[3];
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_add(a, b);
    assert_int_equal(cn_tape_gradient(tape, y, 3, sources, gradients), CN_OK);
    for (int i = 0; i < 3; i++) assert_ptr_equal(cn_keep(gradients[i]), gradients[i]);
    cn_tape_destroy(&tape);
    for (int i = 0; i < 3; i++) {
        assert_true(value(gradients[i]) == 1);
        cn_tensor_destroy(&gradients[i]);
    }
    cn_tensor_destroy(&a);
    cn_tensor_destroy(&b);
}

static void tapes_may_go_in_any_order(void **state)
{
    (void)state;
    int64_t before = cn__memory_live_blocks();
    cn_tensor *x = scalar_variable(2), *slope;
    cn_tape *first = cn_tape_create(NULL), *second = cn_tape_create(NULL), *third = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_square(x);
    cn_tape_destroy(&second);
    assert_int_equal(cn_tape_gradient(first, y, 1, &x, &slope), CN_OK);
    assert_true(value(slope) == 4);
    cn_tape_destroy(&first);
    cn_tape_destroy(&third);
    cn_tensor_destroy(&x);
    assert_int_equal(cn__memory_live_blocks(), before);
}

/* --- gradients of one's own --- */

/* log(1 + e^x) overflows for large x, and so does its plain gradient; 1 - 1 / (1 + e^x) does not. */
static int softplus_gradient(void *context, const cn_tensor *g, const cn_tensor *output, int n_inputs,
                             const cn_tensor *const *inputs, cn_tensor **gradients)
{
    (void)output;
    ++*(int *)context;
    assert_int_equal(n_inputs, 1);
    cn_tensor *fraction = cn_tensor_reciprocal(cn_tensor_add(cn_int(1), cn_tensor_exp(inputs[0])));
    gradients[0] = cn_tensor_multiply(g, cn_tensor_subtract(cn_int(1), fraction));
    return gradients[0] ? CN_OK : cn_error_status();
}

static int refusing(void *context, const cn_tensor *g, const cn_tensor *output, int n_inputs,
                    const cn_tensor *const *inputs, cn_tensor **gradients)
{
    (void)context, (void)g, (void)output, (void)n_inputs, (void)inputs, (void)gradients;
    return CN_ESTOPPED;
}

static void custom_gradients(void **state)
{
    (void)state;
    int calls = 0;
    cn_tensor *x = scalar_variable(1000), *slope, *again;
    cn_tape *outer = cn_tape_create(NULL), *tape = cn_tape_create(NULL);
    cn_tensor *plain = cn_tensor_log1p(cn_tensor_exp(x));
    const cn_tensor *inputs[] = {x};
    cn_tensor *y = cn_custom_gradient(plain, 1, inputs, softplus_gradient, &calls);
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_OK);
    assert_true(value(slope) == 1);
    assert_int_equal(calls, 1);
    assert_int_equal(cn_tape_gradient(outer, slope, 1, &x, &again), CN_OK); /* made of operations, so it goes on */
    cn_tape_destroy(&tape);
    cn_tape_destroy(&outer);

    tape = cn_tape_create(NULL);
    y = cn_custom_gradient(cn_tensor_square(x), 1, inputs, refusing, NULL);
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_ESTOPPED);
    assert_null(slope);
    assert_null(cn_custom_gradient(y, 0, NULL, refusing, NULL));
    assert_null(cn_custom_gradient(y, 1, inputs, NULL, NULL));
    assert_null(cn_custom_gradient(NULL, 1, inputs, refusing, NULL));
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&x);
}

/* --- what is refused --- */

static void mistakes(void **state)
{
    (void)state;
    cn_tensor *x = scalar_variable(3), *labels = cn_zeros(CN_INT64, 2), *slope, *null = NULL;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *y = cn_tensor_square(x);
    expect(cn_tape_watch(tape, labels), "int64");
    expect(cn_tape_watch(NULL, x), "NULL");
    expect(cn_tape_stop(NULL), "NULL");
    expect(cn_tape_begin(NULL), "NULL");
    expect(cn_tape_gradient(NULL, y, 1, &x, &slope), "NULL");
    expect(cn_tape_gradient(tape, y, 1, &null, &slope), "source 0 is NULL");
    expect(cn_tape_gradient(tape, y, 1, NULL, &slope), "1 sources");
    expect(cn_tape_gradient(tape, labels, 1, &x, &slope), "int64");
    cn_error_clear();
    expect(cn_tape_gradient(tape, NULL, 1, &x, &slope), "NULL");
    assert_null(cn_variable(labels));
    expect(cn_error_status(), "int64");
    assert_int_equal(cn_tape_gradient(tape, y, 1, &x, &slope), CN_OK); /* none of this used it up */
    cn_tape_destroy(&tape);
    cn_tape_destroy(&tape);
    cn_tape_destroy(NULL);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&labels);
}

/* --- no memory, and threads --- */

static int small_job(void)
{
    cn_tensor *start = cn_zeros(CN_FLOAT64, 3, 2), *w = start ? cn_variable(start) : NULL, *slope;
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *x = tape ? cn_tensor_exp(cn_tensor_matmul(w, cn_transpose(w))) : NULL;
    cn_tensor *y = cn_tensor_add(cn_slice(x, {0, 2}), cn_index(x, 1));
    int status = w && y ? cn_tape_gradient(tape, y, 1, &w, &slope) : CN_ENOMEM;
    cn_tape_destroy(&tape);
    cn_tensor_destroy(&w);
    cn_tensor_destroy(&start);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    int64_t before = cn__memory_live_blocks();
    int failures = 0;
    for (uint64_t n = 1; failures < 1000; n++, failures++) {
        cn_error_clear();
        cn__memory_fail_after(n);
        int status = small_job();
        cn__memory_fail_after(0);
        assert_int_equal(cn__memory_live_blocks(), before);
        if (status == CN_OK) break;
        assert_int_equal(status, CN_ENOMEM);
    }
    assert_in_range(failures, 30, 999);
}

static void *in_a_thread(void *argument)
{
    cn_tensor *shared = argument, *slope;
    for (int i = 0; i < 200; i++) {
        cn_tape *tape = cn_tape_create(NULL);
        cn_tensor *y = cn_tensor_square(shared);
        if (cn_tape_gradient(tape, y, 1, &shared, &slope) < 0 || value(slope) != 6) return argument;
        cn_tape_destroy(&tape);
    }
    return NULL;
}

static void threads_have_tapes_of_their_own(void **state)
{
    (void)state;
    cn_tensor *x = scalar_variable(3);
    pthread_t threads[3];
    void *result;
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, in_a_thread, x), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    cn_tensor_destroy(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivative_of_a_line),
        cmocka_unit_test(matrix_and_bias),
        cmocka_unit_test(second_derivative),
        cmocka_unit_test(none_is_not_zero),
        cmocka_unit_test(constants_are_watched_when_asked),
        cmocka_unit_test(scaled_bytes_can_be_watched),
        cmocka_unit_test(once_or_persistent),
        cmocka_unit_test(stopping_and_beginning),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(sources_may_go_first),
        cmocka_unit_test(gradients_are_tensors_of_their_own),
        cmocka_unit_test(tapes_may_go_in_any_order),
        cmocka_unit_test(custom_gradients),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(threads_have_tapes_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
