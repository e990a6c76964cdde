/* same_picture A.png B.png: 0 if both show the same, 77 without libpng. Rounding may differ in a few pixels. */
#include "chapter.h"

#include <math.h>

int main(int argc, char **argv)
{
    cn_tensor *pictures[2] = {NULL, NULL};
    if (argc != 3) return 2;
    for (int k = 0; k < 2; k++) {
        pictures[k] = cn_image_read(argv[1 + k]);
        if (!pictures[k] && cn_error_status() == CN_ENOTSUP) return 77;
        must(pictures[k]);
    }
    if (cn_shape(pictures[0])[0] != cn_shape(pictures[1])[0] || cn_shape(pictures[0])[1] != cn_shape(pictures[1])[1]) {
        fprintf(stderr, "%s and %s differ in size\n", argv[1], argv[2]);
        return 1;
    }
    const uint8_t *a = cn_data(pictures[0]), *b = cn_data(pictures[1]);
    int64_t differ = 0, n = cn_size(pictures[0]);
    for (int64_t i = 0; i < n; i++) differ += abs(a[i] - b[i]) > 8;
    for (int k = 0; k < 2; k++) cn_tensor_destroy(&pictures[k]);
    if ((double)differ <= 1e-4 * (double)n) return 0;
    fprintf(stderr, "%s and %s differ in %lld of %lld pixels\n", argv[1], argv[2], (long long)differ, (long long)n);
    return 1;
}
