/* 2.2 Data representations for neural networks: tensors from scalars to videos, slices and batches. */
#include "chapter.h"

static void print_rank(const char *what, const cn_tensor *x)
{
    char *shape = cn_shape_str(must(x)), *numbers = cn_repr(x);
    printf("\n%s: ndim %d, shape %s\n%s\n", what, cn_ndim(x), shape ? shape : "", numbers ? numbers : "");
    cn_string_free(shape);
    cn_string_free(numbers);
}

/* 2.2.1 to 2.2.4 */
static void from_scalars_to_cubes(void)
{
    cn_scope *scope = cn_scope_begin();
    print_rank("2.2.1 A scalar is a 0D tensor", cn_tensor_from(CN_INT64, 0, NULL, (const int64_t[]){12}));
    print_rank("2.2.2 A vector is a 1D tensor",
               cn_tensor_from(CN_INT64, CN_SHAPE(5), (const int64_t[]){12, 3, 6, 14, 7}));
    const int64_t rows[] = {5, 78, 2, 34, 0, 6, 79, 3, 35, 1, 7, 80, 4, 36, 2};
    print_rank("2.2.3 A matrix is a 2D tensor", cn_tensor_from(CN_INT64, CN_SHAPE(3, 5), rows));
    const int64_t cube[] = {5, 78, 2, 34, 0, 6, 79, 3, 35, 1, 7, 80, 4, 36, 2, 5, 78, 2, 34, 0, 6, 79, 3,
                            35, 1, 7, 80, 4, 36, 2, 5, 78, 2, 34, 0, 6, 79, 3, 35, 1, 7, 80, 4, 36, 2};
    print_rank("2.2.4 Matrices in a stack are a 3D tensor", cn_tensor_from(CN_INT64, CN_SHAPE(3, 3, 5), cube));
    cn_scope_end(&scope);
}

/* 2.2.5 */
static void key_attributes(const cn_dataset *mnist)
{
    const cn_tensor *images = mnist->train_images;
    puts("\n2.2.5 Key attributes of train_images");
    printf("ndim  %d\n", cn_ndim(images));
    show_shape("shape", images);
    printf("dtype %s\n", cn_dtype_name(cn_dtype_of(images)));
    char *picture = cn_image_to_text(must(cn_index(images, 4)), 56, 0);
    printf("train_images[4], a %g:\n%s", cn_get(mnist->train_labels, 4), picture ? picture : cn_error_message());
    cn_string_free(picture);
}

/* 2.2.6 and 2.2.7. All of these are views: no pixel is copied. */
static void slices_and_batches(const cn_tensor *images)
{
    puts("\n2.2.6 Manipulating tensors");
    show_shape("train_images[10:100]", cn_slice(images, {10, 100}));
    show_shape("train_images[10:100, :, :]", cn_slice(images, {10, 100}, CN_ALL, CN_ALL));
    show_shape("train_images[10:100, 0:28, 0:28]", cn_slice(images, {10, 100}, {0, 28}, {0, 28}));
    show_shape("train_images[:, 14:, 14:]", cn_slice(images, CN_ALL, {14, CN_END}, {14, CN_END}));
    show_shape("train_images[:, 7:-7, 7:-7]", cn_slice(images, CN_ALL, {7, -7}, {7, -7}));
    show_shape("train_images[::-1, ::2, ::2]", cn_slice(images, {-1, CN_END, -1}, {0, CN_END, 2}, {0, CN_END, 2}));

    puts("\n2.2.7 Batches of 128");
    show_shape("train_images[:128]", cn_slice(images, {0, 128}));
    show_shape("train_images[128:256]", cn_slice(images, {128, 256}));
    const int64_t n = cn_len(images) / 128;
    show_shape("the last one, train_images[128 * n:]", cn_slice(images, {128 * n, 128 * (n + 1)}));
}

static void real_world(const char *what, cn_tensor *x)
{
    show_shape(what, x);
    printf("%-44s %.6g MB as %s\n", "", (double)cn_size(x) * (double)cn_dtype_size(cn_dtype_of(x)) / 1e6,
           cn_dtype_name(cn_dtype_of(x)));
    cn_tensor_destroy(&x);
}

/* 2.2.8 to 2.2.12. The sizes are the chapter's; the four seconds of video at four frames a second are one sample. */
static void examples_of_data(void)
{
    puts("\n2.2.8 Real-world examples of data tensors");
    real_world("2.2.9 people (samples, features)", cn_zeros(CN_FLOAT32, 100000, 3));
    real_world("      texts as word counts", cn_zeros(CN_FLOAT32, 500, 20000));
    real_world("2.2.10 stock prices (days, minutes, features)", cn_zeros(CN_FLOAT32, 250, 390, 3));
    real_world("       tweets (samples, characters, alphabet)", cn_zeros(CN_UINT8, 1000, 280, 128));
    real_world("2.2.11 grey images (samples, h, w, channels)", cn_zeros(CN_UINT8, 128, 256, 256, 1));
    real_world("       colour images", cn_zeros(CN_UINT8, 128, 256, 256, 3));
    real_world("2.2.12 video (samples, frames, h, w, channels)", cn_zeros(CN_UINT8, 4, 240, 144, 256, 3));
}

int main(void)
{
    cn_dataset mnist;
    CN_CHECK(cn_mnist_load(&mnist));
    from_scalars_to_cubes();
    key_attributes(&mnist);
    slices_and_batches(mnist.train_images);
    examples_of_data();
    cn_dataset_destroy(&mnist);
    return 0;
}
