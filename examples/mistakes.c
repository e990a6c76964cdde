/* Trains the usual network and draws test images that it reads wrongly, with what it read and what they are. */
#include "example.h"

#define SHEET "mistakes.png" /* written to the folder that the program is run in */
#define SHOWN 30

/* Copies the first SHOWN wrongly read images into one tensor and names them; returns how many are wrong in all. */
static int collect(const cn_dataset *mnist, const cn_tensor *classes, cn_tensor *images, char names[SHOWN][16])
{
    size_t pixels = 28 * 28;
    int wrong = 0;
    for (int64_t i = 0; i < cn_len(classes); i++) {
        int read = (int)cn_get(classes, i), label = (int)cn_get(mnist->test_labels, i);
        if (read == label) continue;
        if (wrong < SHOWN) {
            memcpy((char *)cn_data(images) + (size_t)wrong * pixels,
                   (const char *)cn_data(mnist->test_images) + (size_t)i * pixels, pixels);
            snprintf(names[wrong], sizeof names[wrong], "%d, is %d", read, label);
        }
        wrong++;
    }
    return wrong;
}

static int draw(const cn_tensor *images, char names[SHOWN][16], int n)
{
    const char *labels[SHOWN];
    for (int i = 0; i < n; i++) labels[i] = names[i];
    cn_tensor *sheet = cn_image_sheet(cn_slice(images, {0, n}), labels, 10, 3);
    if (!sheet) CN_CHECK(cn_error_status());
    int status = cn_image_write(SHEET, sheet);
    cn_tensor_destroy(&sheet);
    if (status == CN_ENOTSUP) puts("No picture of them: this build has no libpng");
    else CN_CHECK(status);
    if (status == CN_OK) printf("The first %d of them are in " SHEET "\n", n);
    return 0;
}

int main(int argc, char **argv)
{
    int epochs = example_is_quick(argc, argv) ? 1 : 5;
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    cn_tensor *train_images = cn_scale(cn_reshape(mnist.train_images, 60000, 28 * 28), 1.0 / 255);
    cn_tensor *test_images = cn_scale(cn_reshape(mnist.test_images, 10000, 28 * 28), 1.0 / 255);

    cn_model *network = cn_sequential();
    cn_add(network, cn_dense(512, .activation = "relu", .input_shape = {28 * 28}));
    cn_add(network, cn_dense(10, .activation = "softmax"));
    CN_CHECK(cn_compile(network, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));
    CN_CHECK(cn_fit(network, train_images, mnist.train_labels, .epochs = epochs, .batch_size = 128, .verbose = 1));

    char names[SHOWN][16];
    cn_tensor *classes = cn_predict_classes(network, test_images), *images = cn_zeros(CN_UINT8, SHOWN, 28, 28);
    if (!classes || !images) CN_CHECK(cn_error_status());
    int wrong = collect(&mnist, classes, images, names);
    printf("%d of %lld test images are read wrongly\n", wrong, (long long)cn_len(classes));
    if (wrong > 0 && draw(images, names, wrong < SHOWN ? wrong : SHOWN)) return 1;

    cn_tensor_destroy(&images);
    cn_tensor_destroy(&classes);
    cn_model_destroy(&network);
    cn_dataset_destroy(&mnist);
    return 0;
}
