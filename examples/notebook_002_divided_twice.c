/* Notebook 002: the usual network ends at 0.9172 instead of 0.98. How this came about takes two things.
 *
 * The images were divided by 255 twice: the cells are numbered 7, 17, 9, 18, 19, 20, ..., so those that divide were run
 * again on images already divided. And the notebook ran on Keras 2, whose RMSprop divides by sqrt(v) + epsilon. Keras
 * 3, and so Cornu, divides by sqrt(v + epsilon), which holds back weights whose gradients are as small as those of
 * inputs near 0: here the mistake costs more. sqrt(v + 1e-14) is nearly sqrt(v) + 1e-7, so epsilon = 1e-14 repeats
 * Keras 2.
 *
 * This program trains three networks, and shows what Cornu's look at the data says beforehand.
 * Above each piece of C stands the cell of the notebook that it does the work of. */
#include "example.h"

/* Cells [9], [18], [22] and [23]: a fresh network, trained and tested. */
static int train_and_test(const cn_tensor *train_images, const cn_tensor *train_labels, const cn_tensor *test_images,
                          const cn_tensor *test_labels, const char *optimizer, int epochs)
{
    /* In [9]: network = models.Sequential()
     *         network.add(layers.Dense(512, activation='relu', input_shape=(28 * 28,)))
     *         network.add(layers.Dense(10, activation = 'softmax')) */
    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(512, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));

    /* In [18]: network.compile(optimizer='rmsprop',loss='categorical_crossentropy',metrics=['accuracy']) */
    CN_CHECK(cn_compile(network, .optimizer_name = optimizer, .loss = "categorical_crossentropy",
                        .metrics = {"accuracy"}));

    /* In [22]: network.fit(train_images, train_labels, epochs = 5,batch_size = 128) */
    CN_CHECK(cn_fit(network, train_images, train_labels, .epochs = epochs, .batch_size = 128, .verbose = 1));

    /* In [23]: test_loss, test_acc = network.evaluate(test_images, test_labels)
     *          print('test_acc:', test_acc) */
    cn_result test;
    CN_CHECK(cn_evaluate(network, test_images, test_labels, &test));
    printf("test_acc: %.4f\n", test.accuracy);
    cn_model_destroy(&network);
    return 0;
}

/* One scan of the data, nothing changed. */
static int look(const cn_tensor *images, const cn_tensor *labels)
{
    cn_finding findings[CN_FINDING_COUNT];
    int n = cn_inspect(images, labels, findings, CN_FINDING_COUNT, .loss = "categorical_crossentropy",
                       .num_classes = 10);
    CN_CHECK(n);
    if (n == 0) puts("cn_inspect: nothing to say");
    for (int i = 0; i < n; i++) printf("cn_inspect: %s: %s\n", cn_finding_name(findings[i].kind), findings[i].sentence);
    return 0;
}

int main(int argc, char **argv)
{
    int epochs = example_is_quick(argc, argv) ? 1 : 5;

    /* In [2]: (train_images, train_labels), (test_images, test_labels) = mnist.load_data() */
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));

    /* In [3]: train_images.shape */
    example_print_shape(mnist.train_images);

    /* In [4]: len(train_labels) */
    printf("%lld\n", (long long)cn_len(mnist.train_labels));

    /* In [5]: test_images.shape */
    example_print_shape(mnist.test_images);

    /* In [6]: len(test_labels) */
    printf("%lld\n", (long long)cn_len(mnist.test_labels));

    /* In [7]: test_labels */
    CN_CHECK(cn_print(stdout, mnist.test_labels));

    /* In [19]: train_images = train_images.reshape((60000,28 * 28))
     *          train_images = train_images.astype('float32') / 255
     * In [20]: test_images = test_images.reshape((10000, 28 * 28))
     *          test_images = test_images.astype('float32') / 255 */
    cn_tensor *train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    cn_tensor *test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255);

    /* In [14]: train_labels = to_categorical(train_labels)
     *          test_labels = to_categorical(test_labels) */
    cn_tensor *train_labels = cn_to_categorical(mnist.train_labels, 0);
    cn_tensor *test_labels = cn_to_categorical(mnist.test_labels, 0);

    cn_tensor *train_twice = cn_scale(train_images, 1.0 / 255);
    cn_tensor *test_twice = cn_scale(test_images, 1.0 / 255);
    puts("\nDivided by 255 twice");
    if (look(train_twice, train_labels)) return 1;
    puts("with Keras 2's epsilon, as in the notebook:");
    if (train_and_test(train_twice, train_labels, test_twice, test_labels, "rmsprop(epsilon=1e-14)", epochs)) return 1;
    puts("with Keras 3's epsilon:");
    if (train_and_test(train_twice, train_labels, test_twice, test_labels, "rmsprop", epochs)) return 1;

    puts("\nDivided by 255 once");
    if (look(train_images, train_labels)) return 1;
    if (train_and_test(train_images, train_labels, test_images, test_labels, "rmsprop", epochs)) return 1;

    cn_tensor_destroy(&test_labels);
    cn_tensor_destroy(&train_labels);
    cn_dataset_destroy(&mnist);
    return 0;
}
