/* 2.3 The gears of neural networks: element-wise operations, broadcasting, products and reshaping. Each is written as
 * naive loops first, then as one operation, and both are timed as the chapter does it. */
#include "chapter.h"

#include <math.h>

/* A contiguous float32 matrix seen as C's own. */
static float *row(const cn_tensor *x, int64_t i)
{
    return (float *)cn_data(x) + i * cn_shape(x)[1];
}

static float number(const cn_tensor *x, int64_t i)
{
    return ((const float *)cn_data(x))[i];
}

static int are_close(const cn_tensor *a, const cn_tensor *b)
{
    for (int64_t i = 0; i < cn_size(a); i++)
        if (!(fabsf(number(a, i) - number(b, i)) <= 1e-5f * fmaxf(1, fabsf(number(b, i))))) return 0;
    return cn_size(a) == cn_size(b);
}

/* --- 2.3.1 element by element ------------------------------------------------------------------------------------- */

static void naive_relu(cn_tensor *x)
{
    const int64_t rows = cn_shape(x)[0], columns = cn_shape(x)[1];
    for (int64_t i = 0; i < rows; i++) {
        float *to = row(x, i);
        for (int64_t j = 0; j < columns; j++) to[j] = to[j] > 0 ? to[j] : 0;
    }
}

static void naive_add(cn_tensor *x, const cn_tensor *y)
{
    const int64_t rows = cn_shape(x)[0], columns = cn_shape(x)[1];
    for (int64_t i = 0; i < rows; i++) {
        float *to = row(x, i);
        const float *from = row(y, i);
        for (int64_t j = 0; j < columns; j++) to[j] += from[j];
    }
}

/* The chapter's experiment: a thousand times z = relu(x + y) for two tensors of shape (20, 100). */
static void element_wise(cn_generator *random, int rounds)
{
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *x = must(cn_random_uniform(random, -1, 1, CN_FLOAT32, CN_SHAPE(20, 100)));
    const cn_tensor *y = must(cn_random_uniform(random, -1, 1, CN_FLOAT32, CN_SHAPE(20, 100)));
    const cn_tensor *fast = must(cn_tensor_relu(cn_tensor_add(x, y)));
    cn_tensor *naive = cn_copy(x);
    must(naive);
    naive_add(naive, y);
    naive_relu(naive);
    printf("2.3.1 relu(x + y): loops and operations %s\n", are_close(naive, fast) ? "agree" : "DIFFER");

    double start = cn_clock();
    for (int i = 0; i < rounds; i++) {
        cn_scope *inner = cn_scope_begin();
        must(cn_tensor_relu(cn_tensor_add(x, y)));
        cn_scope_end(&inner);
    }
    double seconds = cn_clock() - start;
    start = cn_clock();
    for (int i = 0; i < rounds; i++) {
        cn_tensor *z = cn_copy(x);
        must(z);
        naive_add(z, y);
        naive_relu(z);
        cn_tensor_destroy(&z);
    }
    printf("Took: %.4f s for %d rounds of operations, %.4f s of loops\n", seconds, rounds, cn_clock() - start);
    cn_scope_end(&scope);
}

/* --- 2.3.2 broadcasting ------------------------------------------------------------------------------------------- */

static void naive_add_matrix_and_vector(cn_tensor *x, const cn_tensor *y)
{
    const int64_t rows = cn_shape(x)[0], columns = cn_shape(x)[1];
    const float *from = cn_data(y);
    for (int64_t i = 0; i < rows; i++) {
        float *to = row(x, i);
        for (int64_t j = 0; j < columns; j++) to[j] += from[j];
    }
}

static void broadcasting(cn_generator *random)
{
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *x = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(32, 10)));
    const cn_tensor *y = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(10)));
    puts("\n2.3.2 Broadcasting");
    show_shape("x", x);
    show_shape("y", y);
    show_shape("expand_dims(y, 0)", cn_tensor_expand_dims(y, 0));
    show_shape("tile(expand_dims(y, 0), (32, 1))", cn_tensor_tile(cn_tensor_expand_dims(y, 0), CN_SHAPE(32, 1)));
    show_shape("x + y, with nothing repeated in memory", cn_tensor_add(x, y));
    cn_tensor *naive = cn_copy(x);
    must(naive);
    naive_add_matrix_and_vector(naive, y);
    printf("loops and broadcasting %s\n", are_close(naive, must(cn_tensor_add(x, y))) ? "agree" : "DIFFER");

    const cn_tensor *wide = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(64, 3, 32, 10)));
    const cn_tensor *small = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(32, 10)));
    show_shape("maximum of (64, 3, 32, 10) and (32, 10)", cn_tensor_maximum(wide, small));
    if (!cn_tensor_add(x, cn_slice(y, {0, 9}))) printf("and refused: %s\n", cn_error_message());
    cn_scope_end(&scope);
}

/* --- 2.3.3 dot ---------------------------------------------------------------------------------------------------- */

static float naive_vector_dot(int64_t n, const float *x, const float *y)
{
    float z = 0;
    for (int64_t i = 0; i < n; i++) z += x[i] * y[i];
    return z;
}

/* Row i of x times column j of y. */
static void naive_matrix_dot(const cn_tensor *x, const cn_tensor *y, cn_tensor *z)
{
    const int64_t rows = cn_shape(x)[0], shared = cn_shape(x)[1], columns = cn_shape(y)[1];
    const float *second = cn_data(y);
    for (int64_t i = 0; i < rows; i++) {
        const float *first = row(x, i);
        float *out = row(z, i);
        for (int64_t j = 0; j < columns; j++) {
            out[j] = 0;
            for (int64_t k = 0; k < shared; k++) out[j] += first[k] * second[k * columns + j];
        }
    }
}

static void dot(cn_generator *random, int64_t n)
{
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *x = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(32)));
    const cn_tensor *y = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(32)));
    puts("\n2.3.3 Tensor product");
    printf("two vectors of 32: %.4f, by a loop %.4f\n", (double)number(must(cn_dot(x, y)), 0),
           (double)naive_vector_dot(32, cn_data(x), cn_data(y)));

    const cn_tensor *a = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(n, n)));
    const cn_tensor *b = must(cn_random_uniform(random, 0, 1, CN_FLOAT32, CN_SHAPE(n, n)));
    cn_tensor *naive = cn_zeros(CN_FLOAT32, n, n);
    must(naive);
    double start = cn_clock();
    naive_matrix_dot(a, b, naive);
    double loops = cn_clock() - start;
    start = cn_clock();
    const cn_tensor *product = must(cn_matmul(a, b));
    double fast = cn_clock() - start;
    printf("two matrices of %lld x %lld: three loops and matmul %s\n", (long long)n, (long long)n,
           are_close(naive, product) ? "agree" : "DIFFER");
    printf("Took: %.5f s with matmul, %.5f s with loops\n", fast, loops);

    const cn_tensor *four = must(cn_tensor_full(CN_FLOAT32, CN_SHAPE(2, 3, 4, 5), 1));
    show_shape("(2, 3, 4, 5) . (5,)", cn_dot(four, must(cn_ones(CN_FLOAT32, 5))));
    show_shape("(2, 3, 4, 5) . (5, 7)", cn_dot(four, must(cn_ones(CN_FLOAT32, 5, 7))));
    if (!cn_matmul(a, must(cn_ones(CN_FLOAT32, 7, 2)))) printf("and refused: %s\n", cn_error_message());
    cn_scope_end(&scope);
}

/* --- 2.3.4 reshape ------------------------------------------------------------------------------------------------ */

static void reshaping(void)
{
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *x = cn_tensor_from(CN_FLOAT64, CN_SHAPE(3, 2), (const double[]){0, 1, 2, 3, 4, 5});
    puts("\n2.3.4 Reshaping");
    show("x", x);
    show("x.reshape((6, 1))", cn_reshape(x, 6, 1));
    show("x.reshape((2, 3))", cn_reshape(x, 2, 3));
    show_shape("zeros((300, 20)).transpose()", cn_transpose(cn_zeros(CN_FLOAT32, 300, 20)));
    if (!cn_reshape(x, 4, 2)) printf("and refused: %s\n", cn_error_message());
    cn_scope_end(&scope);
}

int main(int argc, char **argv)
{
    cn_generator random = {.seed = 42};
    element_wise(&random, is_quick(argc, argv) ? 50 : 1000);
    broadcasting(&random);
    dot(&random, is_quick(argc, argv) ? 64 : 400);
    reshaping();
    return 0;
}
