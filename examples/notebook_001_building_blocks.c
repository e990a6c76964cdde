/* Notebook 001: the steps of building a neural network: layers, then loss function, optimizer and metric, then data,
 * training and evaluation. Above each piece of C stands the cell of the notebook that it does the work of. */
#include "example.h"

int main(int argc, char **argv)
{
    int epochs = example_is_quick(argc, argv) ? 1 : 5;

    /* In [2]: (train_images, train_labels), (test_images, test_labels) = mnist.load_data() */
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));

    /* In [3]: # For testing
     *         # print(train_images.shape)
     *         # print(train_labels.shape)
     *         # print(train_labels[:10])
     *         # print()
     *         # print(test_images.shape)
     *         # print(test_labels.shape)
     *         # print(test_labels[:10])
     * Commented out in the notebook; shown here, because it costs nothing to look. */
    const cn_tensor *parts[2][2] = {{mnist.train_images, mnist.train_labels}, {mnist.test_images, mnist.test_labels}};
    for (int i = 0; i < 2; i++) {
        example_print_shape(parts[i][0]);
        example_print_shape(parts[i][1]);
        char *first_ten = cn_str(cn_slice(parts[i][1], {0, 10}));
        if (first_ten) printf("%s\n%s", first_ten, i == 0 ? "\n" : "");
        cn_string_free(first_ten);
    }

    /* In [4]: network = models.Sequential()
     *         network.add(layers.Dense(512, activation='relu', input_shape=(28 * 28,)))
     *         network.add(layers.Dense(10, activation='softmax')) */
    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(512, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));

    /* In [5]: network.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy']) */
    CN_CHECK(cn_compile(network, .optimizer_name = "rmsprop", .loss = "categorical_crossentropy",
                        .metrics = {"accuracy"}));

    /* In [6]: train_images_flat = train_images.reshape((60000, 28 * 28))
     *         train_images_flat = train_images_flat.astype('float32') / 255
     *         test_images_flat = test_images.reshape((10000, 28 * 28))
     *         test_images_flat = test_images_flat.astype('float32') / 255
     *         train_labels = to_categorical(train_labels)
     *         test_labels = to_categorical(test_labels) */
    cn_tensor *train_images_flat = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    cn_tensor *test_images_flat = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255);
    cn_tensor *train_labels = cn_to_categorical(mnist.train_labels, 0);
    cn_tensor *test_labels = cn_to_categorical(mnist.test_labels, 0);

    /* In [7]: network.fit(train_images_flat, train_labels, epochs=5, batch_size=128) */
    CN_CHECK(cn_fit(network, train_images_flat, train_labels, .epochs = epochs, .batch_size = 128, .verbose = 1));

    /* "Here, two quantities are displayed during the training: the loss and the accuracy of the model." They stay
     * readable afterwards, one number per epoch. */
    const cn_history *history = cn_model_history(network);
    for (int i = 0; i < cn_history_epochs(history); i++)
        printf("epoch %d: loss %.4f, accuracy %.4f\n", cn_history_epoch(history, i) + 1,
               cn_history_get(history, "loss")[i], cn_history_get(history, "accuracy")[i]);

    /* In [8]: test_loss, test_acc = network.evaluate(test_images_flat, test_labels)
     *         print('test_acc:', test_acc) */
    cn_result test;
    CN_CHECK(cn_evaluate(network, test_images_flat, test_labels, &test));
    printf("test_acc: %.4f\n", test.accuracy);

    cn_model_destroy(&network);
    cn_tensor_destroy(&test_labels);
    cn_tensor_destroy(&train_labels);
    cn_dataset_destroy(&mnist);
    return 0;
}
