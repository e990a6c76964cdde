/* What the chapter's programs draw with: lines, shapes and letters on an RGB picture, and panels with axes. */
#ifndef DRAWING_H
#define DRAWING_H

#include <cornu/cornu.h>

typedef struct colour {
    double red, green, blue; /* 0 ... 1 */
} colour;

extern const colour white, black, grey, light_grey, blue, orange, green, red, purple;

/* From a to b as t goes from 0 to 1. */
colour colour_between(colour a, colour b, double t);

typedef struct point {
    double x, y;
} point;

typedef struct picture {
    int width, height;
    double *rgb;      /* height x width x 3 */
    double *coverage; /* height x width: how much of each pixel the shape being drawn covers */
} picture;

/* A white picture; NULL with a message in cn_error_message. */
picture *picture_create(int width, int height);
void picture_destroy(picture **p);

/* Writes a PNG. 0, or a negative status; a build without libpng gives CN_ENOTSUP. */
int picture_write(const picture *p, const char *path);

/* Positions are in pixels from the top left corner; `opacity` is 0 ... 1. */
void draw_lines(picture *p, int n, const point *points, double width, colour ink, double opacity);
void draw_polygon(picture *p, int n, const point *points, colour ink, double opacity);
void draw_disc(picture *p, double x, double y, double radius, colour ink, double opacity);
void draw_arrow(picture *p, double x0, double y0, double x1, double y1, double width, colour ink);

/* ASCII. `size` is the height of a capital letter; anchor 0: x is the left end, 0.5: the middle, 1: the right end;
 * y is the line that the letters stand on. */
void draw_text(picture *p, double x, double y, double size, double anchor, colour ink, const char *text);
double text_width(double size, const char *text);

/* The strokes of a character, for draw_text; "" when there are none. Encoded as said in stroke_font.c. */
const char *stroke_font_glyph(char character);

/* A part of a picture with coordinates of its own. */
typedef struct panel {
    picture *p;
    double left, top, width, height; /* pixels */
    double x0, x1, y0, y1;           /* what lies at the left and right, bottom and top */
} panel;

double panel_x(const panel *q, double x);
double panel_y(const panel *q, double y);

/* Background, grid, numbers at every `step`, a title above and names of the axes (NULL: none). Step 0: no numbers. */
void panel_frame(const panel *q, double x_step, double y_step, const char *title, const char *x_name,
                 const char *y_name);

/* The same shapes, in the panel's coordinates; lines are cut off at its edges. */
void panel_lines(const panel *q, int n, const point *points, double width, colour ink, double opacity);
void panel_polygon(const panel *q, int n, const point *points, colour ink, double opacity);
void panel_disc(const panel *q, double x, double y, double radius, colour ink);
void panel_arrow(const panel *q, double x0, double y0, double x1, double y1, double width, colour ink);
void panel_text(const panel *q, double x, double y, double size, double anchor, colour ink, const char *text);

#endif
