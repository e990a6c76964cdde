/* Any bytes for each reader of files. */
#include "fuzz.h"

#define MOST_PIXELS 4096 /* more take long, which has nothing to do with the file */

static void read_digit(const char *path)
{
    cn_tensor *picture = cn_image_read(path);
    expect_sentence(!picture);
    if (picture && cn_size(picture) <= MOST_PIXELS) {
        cn_tensor *digit = cn_image_to_digit(picture, NULL);
        expect_sentence(!digit);
        cn_tensor_destroy(&digit);
    }
    cn_tensor_destroy(&picture);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const fuzz_file file = fuzz_file_open();
    fuzz_file_add(&file, bytes, size);
    cn_tensor *idx = cn_idx_read(file.path);
    expect_sentence(!idx);
    cn_tensor_destroy(&idx);
    read_digit(file.path);
    cn_model *model = cn_model_load(file.path, .threads = 1);
    expect_sentence(!model);
    cn_model_destroy(&model);
    fuzz_file_close(&file);
    return 0;
}
