/* Trains a network on 60,000 handwritten digits and tests it on 10,000 others. */
#include <cornu/cornu.h>

int main(void)
{
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    cn_tensor *train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    cn_tensor *test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255);
    cn_tensor *train_labels = cn_to_categorical(mnist.train_labels, 10);
    cn_tensor *test_labels = cn_to_categorical(mnist.test_labels, 10);

    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(512, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));
    CN_CHECK(cn_compile(network, .optimizer = cn_rmsprop(.learning_rate = 0.001),
                        .loss = "categorical_crossentropy", .metrics = {"accuracy"}));
    CN_CHECK(cn_fit(network, train_images, train_labels, .epochs = 5, .batch_size = 128, .verbose = 1));

    cn_result test;
    CN_CHECK(cn_evaluate(network, test_images, test_labels, &test));
    printf("test_acc: %.4f\n", test.accuracy);

    cn_model_destroy(&network);
    cn_tensor_destroy(&test_labels);
    cn_tensor_destroy(&train_labels);
    cn_dataset_destroy(&mnist);
    return 0;
}
