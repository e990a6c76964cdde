/* 2.5 Looking back at our first example: the same network from raw tensors and the tape, in a hundred lines.
 *
 * First as the chapter does it: naive classes, batches in order, plain gradient descent with a learning rate of 0.001.
 * Then with what the library's own fit does: Glorot's initial weights, shuffled batches, RMSprop. */
#include "chapter.h"

#include <math.h>

enum { BATCH = 128, N_WEIGHTS = 4 };

/* A NaiveDense is relu or softmax of x W + b; a NaiveSequential of two has four weights. */
typedef struct network {
    cn_tensor *weights[N_WEIGHTS]; /* W1, b1, W2, b2 */
    cn_tensor *squares[N_WEIGHTS]; /* RMSprop: running means of the squared gradients */
} network;

static network create(cn_generator *random, int as_keras)
{
    const int64_t sizes[3] = {28 * 28, 512, 10};
    network net;
    cn_scope *scope = cn_scope_begin();
    for (int i = 0; i < 2; i++) {
        double limit = sqrt(6.0 / (double)(sizes[i] + sizes[i + 1])); /* Glorot's; the chapter takes 0 ... 0.1 */
        net.weights[2 * i] = cn_variable(cn_random_uniform(random, as_keras ? -limit : 0, as_keras ? limit : 0.1,
                                                           CN_FLOAT32, CN_SHAPE(sizes[i], sizes[i + 1])));
        net.weights[2 * i + 1] = cn_variable(cn_zeros(CN_FLOAT32, sizes[i + 1]));
    }
    for (int i = 0; i < N_WEIGHTS; i++)
        net.squares[i] = cn_keep(cn_tensor_multiply(must(net.weights[i]), cn_float(0)));
    cn_scope_end(&scope);
    return net;
}

static cn_tensor *call(const network *net, const cn_tensor *x)
{
    cn_tensor *const *w = net->weights;
    const cn_tensor *hidden = cn_tensor_relu(cn_tensor_add(cn_matmul(x, w[0]), w[1]));
    return cn_tensor_softmax(cn_tensor_add(cn_matmul(hidden, w[2]), w[3]), -1);
}

/* Mean of -log(probability of the right class), which take_along_axis picks. */
static cn_tensor *sparse_categorical_crossentropy(const cn_tensor *labels, const cn_tensor *predictions)
{
    const cn_tensor *right = cn_tensor_take_along_axis(predictions, cn_tensor_expand_dims(labels, 1), 1);
    return cn_mean(cn_tensor_negative(cn_tensor_log(cn_tensor_maximum(right, cn_float(1e-7)))));
}

/* SGD: w -= rate * g.  RMSprop: v = 0.9 v + 0.1 g^2, w -= rate * g / sqrt(v + 1e-7). */
static void update(network *net, cn_tensor *const *gradients, double rate, int rmsprop)
{
    for (int i = 0; i < N_WEIGHTS; i++) {
        const cn_tensor *step = gradients[i], *v = net->squares[i];
        if (rmsprop) {
            v = cn_tensor_add(cn_tensor_multiply(v, cn_float(0.9)), cn_tensor_multiply(cn_tensor_square(step), cn_float(0.1)));
            must_be_ok(cn_tensor_assign(net->squares[i], v));
            step = cn_tensor_divide(step, cn_tensor_sqrt(cn_tensor_add(v, cn_float(1e-7))));
        }
        must_be_ok(cn_tensor_subtract_inplace(net->weights[i], cn_tensor_multiply(step, cn_float(rate))));
    }
}

static double one_training_step(network *net, const cn_tensor *images, const cn_tensor *labels, int rmsprop)
{
    cn_tensor *gradients[N_WEIGHTS];
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *loss = sparse_categorical_crossentropy(labels, call(net, images));
    must_be_ok(cn_tape_gradient(tape, loss, N_WEIGHTS, net->weights, gradients));
    double result = cn_tensor_get(loss, NULL);
    cn_scope *scope = cn_scope_begin();
    update(net, gradients, 1e-3, rmsprop);
    cn_scope_end(&scope);
    cn_tape_destroy(&tape);
    return result;
}

static void fit(network *net, const cn_tensor *images, const cn_tensor *labels, int64_t n, int epochs, int as_keras,
                cn_generator *random)
{
    for (int epoch = 0; epoch < epochs; epoch++) {
        cn_scope *scope = cn_scope_begin();
        const cn_tensor *order = cn_random_permutation(random, n);
        printf("Epoch %d\n", epoch);
        for (int64_t first = 0, batch = 0; first < n; first += BATCH, batch++) {
            cn_scope *inner = cn_scope_begin();
            const cn_tensor *x = cn_slice(images, {first, first + BATCH}), *y = cn_slice(labels, {first, first + BATCH});
            if (as_keras) {
                const cn_tensor *picks = cn_slice(order, {first, first + BATCH});
                x = cn_tensor_take(images, picks, 0);
                y = cn_tensor_take(labels, picks, 0);
            }
            double loss = one_training_step(net, x, y, as_keras);
            if (batch % 100 == 0) printf("loss at batch %lld: %.2f\n", (long long)batch, loss);
            cn_scope_end(&inner);
        }
        cn_scope_end(&scope);
    }
}

/* Predictions are argmax over axis 1; the accuracy is the mean of the matches. */
static double accuracy(const network *net, const cn_tensor *images, const cn_tensor *labels)
{
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *matches = cn_tensor_equal(cn_tensor_argmax(call(net, images), 1, 0), labels);
    double result = cn_tensor_get(must(cn_mean(matches)), NULL);
    cn_scope_end(&scope);
    return result;
}

static void destroy(network *net)
{
    for (int i = 0; i < N_WEIGHTS; i++) {
        cn_tensor_destroy(&net->weights[i]);
        cn_tensor_destroy(&net->squares[i]);
    }
}

int main(int argc, char **argv)
{
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    cn_tensor *train = cn_astype(cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255), CN_FLOAT32);
    cn_tensor *test = cn_astype(cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255), CN_FLOAT32);
    cn_tensor *labels = cn_astype(mnist.train_labels, CN_INT64), *test_labels = cn_astype(mnist.test_labels, CN_INT64);
    must(train), must(test), must(labels), must(test_labels);
    const int64_t n = is_quick(argc, argv) ? 100 * BATCH : cn_len(train);
    for (int as_keras = 0; as_keras < 2; as_keras++) {
        cn_generator random = {.seed = 1};
        network net = create(&random, as_keras);
        puts(as_keras ? "\nAs the library's fit: Glorot, shuffled, RMSprop" : "As the chapter's: naive SGD");
        fit(&net, train, labels, n, is_quick(argc, argv) ? 1 : as_keras ? 5 : 10, as_keras, &random);
        printf("accuracy: %.4f\n", accuracy(&net, test, test_labels));
        destroy(&net);
    }
    cn_tensor *all[] = {train, test, labels, test_labels};
    for (int i = 0; i < 4; i++) cn_tensor_destroy(&all[i]);
    cn_dataset_destroy(&mnist);
    return 0;
}
