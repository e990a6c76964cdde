/* 2.1 A first look at a neural network: handwritten digits, a network of two dense layers, five epochs. */
#include "chapter.h"

static cn_model *make_network(void)
{
    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(512, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));
    must_be_ok(cn_compile(network, .optimizer_name = "rmsprop", .loss = "categorical_crossentropy",
                          .metrics = {"accuracy"}));
    return network;
}

static void look_at(const cn_dataset *mnist)
{
    puts("The training data:");
    show_shape("train_images", mnist->train_images);
    printf("%-44s %lld\n", "len(train_labels)", (long long)cn_len(mnist->train_labels));
    show("train_labels", mnist->train_labels);
    puts("The test data:");
    show_shape("test_images", mnist->test_images);
    printf("%-44s %lld\n", "len(test_labels)", (long long)cn_len(mnist->test_labels));
    show("test_labels", mnist->test_labels);
}

int main(int argc, char **argv)
{
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    look_at(&mnist);

    /* 60000 x 28 x 28 bytes are read as 60000 rows of 784 numbers between 0 and 1; nothing is copied. */
    const cn_tensor *train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    const cn_tensor *test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255);
    cn_tensor *train_labels = cn_to_categorical(mnist.train_labels, 10);
    cn_tensor *test_labels = cn_to_categorical(mnist.test_labels, 10);

    cn_model *network = make_network();
    CN_CHECK(cn_fit(network, train_images, train_labels, .epochs = is_quick(argc, argv) ? 1 : 5, .batch_size = 128,
                    .verbose = 2));

    cn_result train, test;
    CN_CHECK(cn_evaluate(network, train_images, train_labels, &train));
    CN_CHECK(cn_evaluate(network, test_images, test_labels, &test));
    printf("accuracy on the training data %.4f, on the test data %.4f: the gap of %.4f is overfitting\n",
           train.accuracy, test.accuracy, train.accuracy - test.accuracy);

    cn_model_destroy(&network);
    cn_tensor_destroy(&train_labels);
    cn_tensor_destroy(&test_labels);
    cn_dataset_destroy(&mnist);
    return 0;
}
