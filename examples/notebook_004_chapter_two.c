/* Notebook 004: chapter 2, mathematical building blocks of neural networks, section 2.1 cell by cell and the parts of
 * section 2.2 that a tensor can show. Sections 2.3 to 2.5 are headings without code in the notebook.
 * Above each piece of C stands the cell of the notebook that it does the work of. */
#include "example.h"

#define SHEET "notebook_004_digits.png" /* written to the folder that the program is run in */

/* The picture that the notebook shows as Images/02_01.jpg: sample digits, one in the terminal, forty in a file. */
static int show_samples(const cn_dataset *mnist)
{
    char *text = cn_image_to_text(cn_index(mnist->train_images, 0), 80, 0);
    if (!text) CN_CHECK(cn_error_status());
    printf("A sample; its label is %g:\n%s", cn_get(mnist->train_labels, 0), text);
    cn_string_free(text);

    const char *labels[40];
    for (int i = 0; i < 40; i++) labels[i] = cn_class_name("mnist", (int)cn_get(mnist->train_labels, i));
    cn_tensor *sheet = cn_image_sheet(cn_slice(mnist->train_images, {0, 40}), labels, 10, 2);
    if (!sheet) CN_CHECK(cn_error_status());
    int status = cn_image_write(SHEET, sheet);
    cn_tensor_destroy(&sheet);
    if (status == CN_ENOTSUP) puts("No contact sheet: this build has no libpng");
    else CN_CHECK(status);
    if (status == CN_OK) puts("Forty samples are in " SHEET);
    return 0;
}

static int print_attributes(const char *name, const cn_tensor *x)
{
    char *text = cn_repr(x);
    if (!text) CN_CHECK(cn_error_status());
    printf("%s\n%s\nndim %d, shape ", name, text, cn_ndim(x));
    example_print_shape(x);
    cn_string_free(text);
    return 0;
}

static int section_2_2(const cn_dataset *mnist)
{
    cn_tensor *scalar = cn_tensor_from(CN_INT64, 0, NULL, (const int64_t[]){12});
    cn_tensor *vector = cn_tensor_from(CN_INT64, CN_SHAPE(5), (const int64_t[]){12, 3, 6, 14, 7});
    cn_tensor *matrix = cn_tensor_from(CN_INT64, CN_SHAPE(2, 3), (const int64_t[]){5, 78, 2, 6, 79, 3});
    puts("\n2.2 Data representations for neural networks");
    if (print_attributes("2.2.1 A scalar:", scalar)) return 1;
    if (print_attributes("2.2.2 A vector, which is a 1D tensor:", vector)) return 1;
    if (print_attributes("2.2.3 A matrix, which is a 2D tensor:", matrix)) return 1;
    cn_tensor_destroy(&scalar);
    cn_tensor_destroy(&vector);
    cn_tensor_destroy(&matrix);

    puts("2.2.5 Key attributes of train_images:");
    printf("ndim %d, dtype %s, shape ", cn_ndim(mnist->train_images), cn_dtype_name(cn_dtype_of(mnist->train_images)));
    example_print_shape(mnist->train_images);

    puts("2.2.6 Slices: train_images[10:100], and the bottom right 14 x 14 pixels of every image:");
    example_print_shape(cn_slice(mnist->train_images, {10, 100}));
    example_print_shape(cn_slice(mnist->train_images, CN_ALL, {14, CN_END}, {14, CN_END}));

    puts("2.2.7 Batches of 128 images; the last one is shorter:");
    example_print_shape(cn_slice(mnist->train_images, {0, 128}));
    example_print_shape(cn_slice(mnist->train_images, {468 * 128, 469 * 128}));
    return 0;
}

int main(int argc, char **argv)
{
    int epochs = example_is_quick(argc, argv) ? 1 : 5;

    /* In [ ]: from keras.datasets import mnist
     *         (train_images, train_labels), (test_images, test_labels) = mnist.load_data() */
    cn_dataset mnist;
    puts("2.1 A first look at a neural network");
    CN_CHECK(cn_mnist_load(&mnist));
    if (show_samples(&mnist)) return 1;

    /* In [ ]: train_images.shape */
    puts("Training data:");
    example_print_shape(mnist.train_images);

    /* In [ ]: len(train_labels) */
    printf("%lld\n", (long long)cn_len(mnist.train_labels));

    /* In [ ]: train_labels */
    CN_CHECK(cn_print(stdout, mnist.train_labels));

    /* In [ ]: test_images.shape */
    puts("Testing data:");
    example_print_shape(mnist.test_images);

    /* In [ ]: len(test_labels) */
    printf("%lld\n", (long long)cn_len(mnist.test_labels));

    /* In [ ]: test_labels */
    CN_CHECK(cn_print(stdout, mnist.test_labels));

    /* In [ ]: network = models.Sequential()
     *         network.add(layers.Dense(512, activation='relu', input_shape=(28 * 28,)))
     *         network.add(layers.Dense(10, activation='softmax')) */
    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(512, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));

    /* In [ ]: network.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy']) */
    CN_CHECK(cn_compile(network, .optimizer_name = "rmsprop", .loss = "categorical_crossentropy",
                        .metrics = {"accuracy"}));
    char *summary = cn_model_summary(network, 0);
    if (!summary) CN_CHECK(cn_error_status());
    printf("The network:\n%s", summary);
    cn_string_free(summary);

    /* In [ ]: train_images = train_images.reshape((60000, 28 * 28))
     *         train_images = train_images.astype('float32') / 255
     *         test_images = test_images.reshape((10000, 28 * 28))
     *         test_images = test_images.astype('float32') / 255 */
    cn_tensor *train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    cn_tensor *test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255);

    /* In [ ]: train_labels = to_categorical(train_labels)
     *         test_labels = to_categorical(test_labels) */
    cn_tensor *train_labels = cn_to_categorical(mnist.train_labels, 0);
    cn_tensor *test_labels = cn_to_categorical(mnist.test_labels, 0);

    /* In [ ]: network.fit(train_images, train_labels, epochs=5, batch_size=128) */
    CN_CHECK(cn_fit(network, train_images, train_labels, .epochs = epochs, .batch_size = 128, .verbose = 1));

    /* In [ ]: test_loss, test_acc = network.evaluate(test_images, test_labels)
     *         print('test_acc:', test_acc) */
    cn_result test;
    CN_CHECK(cn_evaluate(network, test_images, test_labels, &test));
    printf("test_acc: %.4f\n", test.accuracy);

    /* "Finally, we'll ask the network to produce predictions for test_images, and we'll verify whether these
     * predictions match the labels from test_labels." */
    cn_tensor *predictions = cn_predict_classes(network, test_images);
    CN_CHECK(cn_print(stdout, predictions));
    cn_tensor_destroy(&predictions);

    if (section_2_2(&mnist)) return 1;
    cn_model_destroy(&network);
    cn_tensor_destroy(&test_labels);
    cn_tensor_destroy(&train_labels);
    cn_dataset_destroy(&mnist);
    return 0;
}
