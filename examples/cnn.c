/* A convolutional network reads handwritten digits. Where a dense layer sees a row of 784 numbers, a convolution sees a
 * picture: it slides small windows over it and asks at each place the same questions - an edge here? a corner? - so
 * what it learns in one place it knows everywhere. The second convolution asks about the answers of the first; the
 * pooling keeps the strongest answer of each 2 x 2 places. Dropout blots out some numbers at random while training, so
 * that no answer is relied upon alone.
 * After its five epochs it reads 99.10 % of the test images, where the dense network of mnist.c reads 98 %. */
#include "example.h"

int main(int argc, char **argv)
{
    int quick = example_is_quick(argc, argv);
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));

    /* pictures of 28 x 28 places with one number each, from 0 to 1 */
    cn_tensor *train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28, 28, 1), 1.0 / 255);
    cn_tensor *test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28, 28, 1), 1.0 / 255);
    cn_tensor *train_labels = mnist.train_labels, *test_labels = mnist.test_labels;
    if (quick) {
        train_images = cn_slice(train_images, {0, 76 * 64});
        train_labels = cn_slice(train_labels, {0, 76 * 64});
        test_images = cn_slice(test_images, {0, 2000});
        test_labels = cn_slice(test_labels, {0, 2000});
    }

    cn_model *network = cn_sequential(.name = "cnn");
    cn_add(network, cn_conv2d(32, {3, 3}, .activation = "relu", .input_shape = {28, 28, 1}));
    cn_add(network, cn_conv2d(64, {3, 3}, .activation = "relu"));
    cn_add(network, cn_max_pooling2d({2, 2}));
    cn_add(network, cn_dropout(0.25));
    cn_add(network, cn_flatten());
    cn_add(network, cn_dense(128, .activation = "relu"));
    cn_add(network, cn_dropout(0.5));
    cn_add(network, cn_dense(10, .activation = "softmax"));

    CN_CHECK(cn_compile(network, .optimizer = cn_adam(.learning_rate = 0.001),
                        .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));
    CN_CHECK(cn_fit(network, train_images, train_labels, .epochs = quick ? 1 : 5, .batch_size = 64, .verbose = 1));

    cn_result test;
    CN_CHECK(cn_evaluate(network, test_images, test_labels, &test));
    printf("test_acc: %.4f +- %.4f\n", test.accuracy, test.accuracy_standard_error);

    cn_model_destroy(&network);
    cn_dataset_destroy(&mnist);
    return 0;
}
