/* Callbacks: a training that stops when validation gets no better, lowers its learning rate, writes a log, and goes on
 * where it stood when it is killed and started again. Leaves callbacks.csv in the folder it runs in. */
#include "example.h"

/* One of your own: says when validation is better than ever before. */
typedef struct best {
    double loss;
} best;

static int say_when_better(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    best *so_far = user;
    double loss = cn_logs_get(logs, "val_loss");
    if (!(loss < so_far->loss)) return 0;
    printf("epoch %d: val_loss %.4f, learning rate %g\n", epoch + 1, loss, cn_model_get_learning_rate(model));
    so_far->loss = loss;
    return 0;
}

int main(int argc, char **argv)
{
    int quick = example_is_quick(argc, argv);
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    int64_t n = quick ? 3000 : 20000;
    cn_tensor *x = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    cn_tensor *some_x = cn_slice(x, {0, n}), *some_y = cn_slice(mnist.train_labels, {0, n});

    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(64, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));
    CN_CHECK(cn_compile(network, .optimizer = cn_adam(.learning_rate = 0.003),
                        .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));

    best so_far = {.loss = HUGE_VAL};
    cn_callback own = {.user = &so_far, .on_epoch_end = say_when_better};
    CN_CHECK(cn_fit(network, some_x, some_y, .epochs = 50, .batch_size = 100, .validation_split = 0.2,
                    .callbacks = {cn_backup_and_restore("callbacks.checkpoint"),
                                  cn_early_stopping(.patience = 5, .restore_best_weights = 1),
                                  cn_reduce_lr_on_plateau(.patience = 2, .factor = 0.3),
                                  cn_csv_logger("callbacks.csv"), &own}));

    const char *reason = cn_model_stop_reason(network);
    printf("%s after %d epochs\n", reason ? reason : "the end", cn_history_epochs(cn_model_history(network)));

    cn_model_destroy(&network);
    cn_dataset_destroy(&mnist);
    return 0;
}
