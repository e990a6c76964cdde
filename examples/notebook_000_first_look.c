/* Notebook 000: a neural network on MNIST. Classify grey images of handwritten digits (28 x 28 pixels) into their 10
 * categories. Above each piece of C stands the cell of the notebook that it does the work of. */
#include "example.h"

int main(int argc, char **argv)
{
    int epochs = example_is_quick(argc, argv) ? 1 : 5;

    /* In [1]: from tensorflow.keras.datasets import mnist
     * In [2]: (train_images, train_labels), (test_images, test_labels) = mnist.load_data() */
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));

    /* In [3]: train_images.shape */
    example_print_shape(mnist.train_images);

    /* In [4]: train_labels */
    CN_CHECK(cn_print(stdout, mnist.train_labels));

    /* In [5]: test_images.shape */
    example_print_shape(mnist.test_images);

    /* In [6]: test_labels */
    CN_CHECK(cn_print(stdout, mnist.test_labels));

    /* In [8]: network = models.Sequential()
     *         network.add(layers.Dense(512,activation='relu',input_shape=(28*28,)))
     *         network.add(layers.Dense(10,activation= 'softmax')) */
    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(512, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));

    /* In [9]: network.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy']) */
    CN_CHECK(cn_compile(network, .optimizer_name = "rmsprop", .loss = "categorical_crossentropy",
                        .metrics = {"accuracy"}));

    /* In [10]: train_images = train_images.reshape((60000,28*28))
     *          train_images = train_images.astype('float32') / 255
     * The pixels stay bytes; cn_scale makes a view through which each of them reads as byte / 255. */
    cn_tensor *train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    cn_tensor *test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255);

    /* In [11]: train_labels = to_categorical(train_labels)
     *          test_labels = to_categorical(test_labels) */
    cn_tensor *train_labels = cn_to_categorical(mnist.train_labels, 0);
    cn_tensor *test_labels = cn_to_categorical(mnist.test_labels, 0);

    /* In [12]: network.fit(train_images, train_labels, epochs=5, batch_size=128)
     * The History that Keras returns is cn_model_history(network). */
    CN_CHECK(cn_fit(network, train_images, train_labels, .epochs = epochs, .batch_size = 128, .verbose = 1));

    /* In [13]: test_loss, test_acc = network.evaluate(test_images,test_labels)
     *          print('test_acc: ',test_acc) */
    cn_result test;
    CN_CHECK(cn_evaluate(network, test_images, test_labels, &test));
    printf("test_acc:  %.4f\n", test.accuracy);

    /* "The gap between the training accuracy and test accuracy is overfitting." Accuracy of the trained network on both
     * sets; the accuracy of the last epoch's line was averaged while the network was still learning. */
    cn_result train;
    CN_CHECK(cn_evaluate(network, train_images, train_labels, &train));
    printf("train_acc: %.4f, gap %.4f\n", train.accuracy, train.accuracy - test.accuracy);

    cn_model_destroy(&network);
    cn_tensor_destroy(&test_labels);
    cn_tensor_destroy(&train_labels);
    cn_dataset_destroy(&mnist);
    return 0;
}
