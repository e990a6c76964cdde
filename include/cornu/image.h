/* Images: PNG files, making a photo of a digit look like MNIST, and drawing in a terminal. */
#ifndef CORNU_IMAGE_H
#define CORNU_IMAGE_H

#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A PNG of any size, depth and colour as grey bytes: uint8 (height, width); transparency is put on white. You destroy
 * the tensor. Errors: CN_ENOTFOUND, CN_EFORMAT, CN_ENOMEM, CN_ENOTSUP (built without libpng), CN_EINVAL (more than 2^28
 * pixels). Luma: ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B. */
CN_API cn_tensor *cn_image_read(const char *path);

/* Writes uint8 (height, width) grey or (height, width, 3) RGB as a PNG, through a temporary file and a rename.
 * Errors: CN_EIO, CN_EDTYPE, CN_ESHAPE, CN_ENOTSUP. */
CN_API int cn_image_write(const char *path, const cn_tensor *image);

typedef struct cn_digit_report {
    int inverted;                       /* 1: the ink was darker than the paper and has been inverted */
    int64_t top, left, height, width;   /* the box around the ink in the picture */
    double ink;                         /* share of pixels with ink in the picture */
} cn_digit_report;

/* A grey picture of one digit, uint8 (h, w), as MNIST was made: find the ink, invert dark on light, fit the box around
 * it into 20x20 keeping its proportions, and put its centre of mass into the middle of 28x28. Returns uint8 (28, 28),
 * white ink on black; you destroy it. report may be NULL. A picture that is already 28x28 with light ink on a black
 * border is returned as it is, its negative inverted and otherwise as it is. Uneven light and isolated specks are
 * taken away. Errors: CN_ESHAPE, CN_EDTYPE, CN_EINVAL (no ink found), CN_ENOMEM.
 * Source: LeCun, Cortes, Burges, "The MNIST database", paragraph on normalisation. */
CN_API cn_tensor *cn_image_to_digit(const cn_tensor *image, cn_digit_report *report);

/* A picture for a terminal: two pixels a character, with half blocks in 24-bit colour when `colour` is set, otherwise
 * with ten characters from light to dark, one line per two rows. image: uint8 or floats in 0...1, (h, w); reduced to at
 * most `columns` characters a line. Release with cn_string_free. */
CN_API char *cn_image_to_text(const cn_tensor *image, int columns, int colour);

/* A contact sheet: n images uint8 (n, h, w) side by side, `columns` to a row, each enlarged `zoom` times with its label
 * (labels[i], may be NULL) under it. Returns uint8 (height, width); you destroy it. */
CN_API cn_tensor *cn_image_sheet(const cn_tensor *images, const char *const *labels, int columns, int zoom);

#ifdef __cplusplus
}
#endif
#endif
