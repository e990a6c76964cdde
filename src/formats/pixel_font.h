/* Letters of 5 x 7 pixels, for labels in pictures. */
#ifndef CN_FORMATS_PIXEL_FONT_H
#define CN_FORMATS_PIXEL_FONT_H

enum {
    CN__FONT_WIDTH = 5,
    CN__FONT_ADVANCE = 6, /* from letter to letter: one pixel between them */
    CN__FONT_HEIGHT = 9,
    CN__FONT_DESCENT = 2, /* of it below the line */
};

/* 1 if pixel (y, x) of that character is ink, 0 <= y < CN__FONT_HEIGHT. What is not printable ASCII is a small box. */
int cn__font_pixel(char character, int y, int x);

#endif
