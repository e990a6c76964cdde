/* 2.5 Looking back at our first example: the same network from raw tensors and the tape, in a hundred lines.
 *
 * First as the chapter does it: naive classes, batches in order, W -= rate * gradient by hand. Then with what the
 * library's own fit does: Glorot's initial weights, shuffled batches, RMSprop. */
#include "chapter.h"

#include <math.h>

enum { BATCH = 128, N_WEIGHTS = 4 };

/* Two layers, W1, b1, W2, b2; each is relu or softmax of x W + b. optimizer NULL: by hand. */
typedef struct network {
    cn_tensor *weights[N_WEIGHTS];
    cn_optimizer *optimizer;
} network;

static network create(cn_generator *random, int as_keras)
{
    const int64_t sizes[3] = {28 * 28, 512, 10};
    network net = {.optimizer = as_keras ? cn_rmsprop() : NULL};
    cn_scope *scope = cn_scope_begin();
    for (int i = 0; i < 2; i++) {
        double limit = sqrt(6.0 / (double)(sizes[i] + sizes[i + 1])); /* Glorot's; the chapter takes 0 ... 0.1 */
        const cn_tensor *start = cn_random_uniform(random, as_keras ? -limit : 0, as_keras ? limit : 0.1, CN_FLOAT32,
                                                   CN_SHAPE(sizes[i], sizes[i + 1]));
        net.weights[2 * i] = cn_variable(must(start));
        net.weights[2 * i + 1] = cn_variable(must(cn_zeros(CN_FLOAT32, sizes[i + 1])));
    }
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

static double one_training_step(network *net, const cn_tensor *images, const cn_tensor *labels)
{
    const double rate = 1e-3;
    cn_tensor *gradients[N_WEIGHTS];
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *loss = sparse_categorical_crossentropy(labels, call(net, images));
    must_be_ok(cn_tape_gradient(tape, loss, N_WEIGHTS, net->weights, gradients));
    if (net->optimizer) must_be_ok(cn_apply_gradients(net->optimizer, N_WEIGHTS, gradients, net->weights));
    for (int i = 0; i < N_WEIGHTS && !net->optimizer; i++)
        must_be_ok(cn_tensor_subtract_inplace(net->weights[i], cn_tensor_multiply(gradients[i], cn_float(rate))));
    double result = cn_item(loss);
    cn_tape_destroy(&tape);
    return result;
}

static void fit(network *net, const cn_tensor *images, const cn_tensor *labels, int epochs, cn_generator *random)
{
    const int64_t n = cn_len(images);
    for (int epoch = 0; epoch < epochs; epoch++) {
        cn_scope *scope = cn_scope_begin();
        const cn_tensor *order = net->optimizer ? cn_random_permutation(random, n)
                                                : cn_tensor_arange(CN_INT64, 0, (double)n, 1);
        printf("Epoch %d\n", epoch);
        for (int64_t batch = 0; batch * BATCH < n; batch++) {
            cn_scope *inner = cn_scope_begin();
            const cn_tensor *rows = cn_slice(order, {batch * BATCH, (batch + 1) * BATCH});
            double loss = one_training_step(net, cn_tensor_take(images, rows, 0), cn_tensor_take(labels, rows, 0));
            if (batch % 100 == 0) printf("loss at batch %lld: %.2f\n", (long long)batch, loss);
            cn_scope_end(&inner);
        }
        cn_scope_end(&scope);
    }
}

/* How often the argmax over axis 1 is the label. */
static double accuracy(const network *net, const cn_tensor *images, const cn_tensor *labels)
{
    cn_scope *scope = cn_scope_begin();
    double result = cn_item(must(cn_mean(cn_tensor_equal(cn_tensor_argmax(call(net, images), 1, 0), labels))));
    cn_scope_end(&scope);
    return result;
}

int main(int argc, char **argv)
{
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *train = must(cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255));
    const cn_tensor *test = must(cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255));
    for (int as_keras = 0; as_keras < 2; as_keras++) {
        cn_generator random = {.seed = 1};
        network net = create(&random, as_keras);
        puts(as_keras ? "\nAs the library's fit: Glorot, shuffled, RMSprop" : "As the chapter's: naive SGD");
        fit(&net, train, mnist.train_labels, as_keras ? 5 : is_quick(argc, argv) ? 1 : 10, &random);
        printf("accuracy: %.4f\n", accuracy(&net, test, mnist.test_labels));
        for (int i = 0; i < N_WEIGHTS; i++) cn_tensor_destroy(&net.weights[i]);
        cn_optimizer_destroy(&net.optimizer);
    }
    cn_scope_end(&scope);
    cn_dataset_destroy(&mnist);
    return 0;
}
