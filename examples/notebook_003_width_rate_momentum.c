/* Notebook 003: other widths, learning rates and momenta, 20 epochs, and how many updates these are.
 * Above each piece of C stands the cell of the notebook that it does the work of. */
#include "example.h"

typedef struct prepared {
    const cn_tensor *train_images, *train_labels, *test_images, *test_labels;
} prepared;

typedef struct settings {
    int64_t dimensions;
    double learning_rate, momentum;
    int epochs;
} settings;

/* network = models.Sequential()
 * network.add(layers.Dense(512, activation='relu', input_shape=(28 * 28, )))
 * network.add(layers.Dense(10, activation='softmax'))
 * network.compile(optimizer=optimizers.RMSprop(lr=0.001, momentum=0.0),
 *                 loss='categorical_crossentropy', metrics=['accuracy']) */
static int build(cn_model **network, const settings *s)
{
    *network = cn_sequential();
    cn_add(*network, cn_dense(s->dimensions, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(*network, cn_dense(10, .activation = "softmax"));
    CN_CHECK(cn_compile(*network, .optimizer = cn_rmsprop(.learning_rate = s->learning_rate, .momentum = s->momentum),
                        .loss = "categorical_crossentropy", .metrics = {"accuracy"}));
    return 0;
}

static int print_row(const prepared *data, settings s)
{
    cn_model *network;
    cn_result train, test;
    if (build(&network, &s)) return 1;
    CN_CHECK(cn_fit(network, data->train_images, data->train_labels, .epochs = s.epochs, .batch_size = 128));
    CN_CHECK(cn_evaluate(network, data->train_images, data->train_labels, &train));
    CN_CHECK(cn_evaluate(network, data->test_images, data->test_labels, &test));
    printf("%10lld  %13g  %8g  %9.4f  %8.4f  %7.4f\n", (long long)s.dimensions, s.learning_rate, s.momentum,
           train.accuracy, test.accuracy, train.accuracy - test.accuracy);
    cn_model_destroy(&network);
    return 0;
}

static void print_head(const char *title)
{
    printf("\n%s\ndimensions  learning_rate  momentum  train_acc  test_acc      gap\n", title);
}

static int print_tables(const prepared *data, settings initial)
{
    /* "A higher number of dimensions usually allows the network to learn more complex representations" */
    const int64_t dimensions[] = {16, 64, 256, 1024};
    print_head("Intermediate dimensions");
    for (int i = 0; i < 4; i++) {
        settings s = initial;
        s.dimensions = dimensions[i];
        if (print_row(data, s)) return 1;
    }

    /* "A larger learning rate can lead to faster convergence but might overshoot the minimum" */
    const double rates[] = {0.0001, 0.001, 0.01, 0.1};
    print_head("Learning rates");
    for (int i = 0; i < 4; i++) {
        settings s = initial;
        s.learning_rate = rates[i];
        if (print_row(data, s)) return 1;
    }

    /* "A higher momentum can help to converge faster [...] but might lead to instability" */
    const double momenta[] = {0, 0.5, 0.9, 0.99};
    print_head("Momentum");
    for (int i = 0; i < 4; i++) {
        settings s = initial;
        s.momentum = momenta[i];
        if (print_row(data, s)) return 1;
    }
    return 0;
}

/* Called after every batch, which is after every update. */
static int count_update(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    (void)model, (void)batch, (void)logs;
    ++*(int64_t *)user;
    return 0;
}

static int train_long(const prepared *data, settings s)
{
    /* In [1]: network.fit(train_images, train_labels, epochs=20, batch_size=128) */
    int64_t updates = 0;
    cn_callback counter = {.user = &updates, .on_train_batch_end = count_update};
    cn_model *network;
    if (build(&network, &s)) return 1;
    CN_CHECK(cn_fit(network, data->train_images, data->train_labels, .epochs = s.epochs, .batch_size = 128,
                    .verbose = 1, .callbacks = {&counter}));

    /* In [2]: test_loss, test_acc = network.evaluate(test_images, test_labels) */
    cn_result test;
    CN_CHECK(cn_evaluate(network, data->test_images, data->test_labels, &test));
    printf("test_loss: %.4f, test_acc: %.4f\n", test.loss, test.accuracy);

    /* In [3]: GSD = (60000/128) * 20
     *         print("there are ", GSD, "updates for 20 epochs of 128 sample mini-batches")
     * The notebook prints 9375.0. 60000/128 is 468.75, and the last, partial batch of 96 images makes an update of its
     * own: 469 an epoch, 9,380 in 20. */
    int64_t samples = cn_len(data->train_images), an_epoch = (samples + 127) / 128;
    printf("there are %lld updates for %d epoch%s of 128 sample mini-batches\n", (long long)updates, s.epochs,
           s.epochs == 1 ? "" : "s");
    printf("%lld an epoch: %lld full batches and one of %lld; 20 epochs make %lld\n", (long long)an_epoch,
           (long long)(samples / 128), (long long)(samples % 128), (long long)(20 * an_epoch));
    cn_model_destroy(&network);
    return 0;
}

int main(int argc, char **argv)
{
    int quick = example_is_quick(argc, argv);

    /* In [1]: (train_images, train_labels), (test_images, test_labels) = mnist.load_data()
     *         train_images = train_images.reshape((60000, 28 * 28))
     *         train_images = train_images.astype('float32') / 255
     *         train_labels = to_categorical(train_labels) */
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    cn_tensor *train_labels = cn_to_categorical(mnist.train_labels, 0);
    cn_tensor *test_labels = cn_to_categorical(mnist.test_labels, 0);
    prepared data = {.train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255),
                     .train_labels = train_labels,
                     .test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255),
                     .test_labels = test_labels};

    /* In [2]: dimensions = 512
     *         learning_rate = 0.001
     *         momentum = 0.0 */
    settings initial = {.dimensions = 512, .learning_rate = 0.001, .momentum = 0.0, .epochs = quick ? 1 : 5};
    prepared part = data;
    if (quick) {
        part.train_images = cn_slice(data.train_images, {0, 3000});
        part.train_labels = cn_slice(data.train_labels, {0, 3000});
    }
    printf("Each row: %lld images, epochs: %d\n", (long long)cn_len(part.train_images), initial.epochs);
    if (print_tables(&part, initial)) return 1;

    puts("\nThe initial values again, for longer");
    initial.epochs = quick ? 1 : 20;
    if (train_long(&data, initial)) return 1;

    cn_tensor_destroy(&test_labels);
    cn_tensor_destroy(&train_labels);
    cn_dataset_destroy(&mnist);
    return 0;
}
