/* What layers that slide a window over a picture (H, W, C) have in common: reading their options, and sizes. */
#ifndef CN_LAYERS_WINDOW2D_H
#define CN_LAYERS_WINDOW2D_H

#include "layers/layer.h"

/* Options that name two sizes, height and width: {3} becomes {3, 3}, none becomes `none` twice. Errors: more than two
 * sizes, or none at all where `none` is 0. */
int cn__window2d_pair(const cn_layer *layer, const char *option, int64_t pair[CN_MAX_NDIM], int64_t none);

/* Refuses what is neither "valid" nor "same"; NULL stands for the default. */
int cn__window2d_check_padding(const cn_layer *layer, const char *padding);

/* Refuses an input that is no picture of three axes. */
int cn__window2d_check_input(const cn_layer *layer);

/* Windows along an axis of n numbers, as TensorFlow counts them: valid floor((n - d (k - 1) - 1) / s) + 1, same
 * ceil(n / s). Not positive when the window does not fit. */
int64_t cn__window2d_count(int64_t n, int64_t size, int64_t stride, int64_t dilation, const char *padding);

/* Numbers outside the picture before its first one: half of what "same" needs in all, rounded down. */
int64_t cn__window2d_before(int64_t n, int64_t size, int64_t stride, int64_t dilation, const char *padding);

/* Sets the first two axes of the output shape. Error: a window larger than the picture. */
int cn__window2d_set_output(cn_layer *layer, const int64_t *size, const int64_t *strides, const int64_t *dilation,
                            const char *padding);

#endif
