/* How NumPy writes the elements of one array: all alike, so that columns line up. */
#ifndef CN_TENSOR_ELEMENT_FORMAT_H
#define CN_TENSOR_ELEMENT_FORMAT_H

#include "tensor/number_text.h"
#include "tensor/tensor.h"

#define CN_EDGE_ITEMS 3 /* entries that a summary keeps on either side of its dots */

typedef struct cn__element_format {
    const cn_tensor *tensor;
    int summarised;          /* the middle of long axes is replaced by dots */
    int bits;                /* of a real number: 16, 32 or 64; 0 for integers and bools */
    int is_bool;
    int width;               /* integers: all right-aligned to this */
    int scientific;          /* reals: all with an exponent, or none */
    int precision;           /* scientific: digits behind the point */
    int exponent_digits;
    int pad_left, pad_right; /* columns before and behind the point */
} cn__element_format;

/* Measures all elements that are shown. The tensor has at least one. */
cn__element_format cn__element_format_of(const cn_tensor *tensor, int summarised);

/* Whether dots stand for the middle of this axis. */
int cn__has_dots(const cn__element_format *format, int axis);

/* Writes the stored number at `element`, scale applied, with the spaces around it. */
void cn__element_text(const cn__element_format *format, const char *element, char text[CN_NUMBER_TEXT_BYTES]);

#endif
