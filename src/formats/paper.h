/* The paper behind the ink: its brightness is estimated and taken away, so that uneven light does not look like ink. */
#ifndef CN_FORMATS_PAPER_H
#define CN_FORMATS_PAPER_H

#include <stdint.h>

/* Subtracts from values (h, w), grey levels 0...255, the brightness of the paper: a surface a + bx + cy + dxy + ex² +
 * fy², fitted to what is not ink. It starts from the median of the border, since a picture of a digit shows paper
 * there. Returns the standard deviation of what is left on the paper: its noise, in grey levels. */
double cn__paper_subtract(float *values, int64_t h, int64_t w);

#endif
