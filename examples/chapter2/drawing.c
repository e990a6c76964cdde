/* Shapes are drawn in two steps: `cover` notes how much of each pixel the shape covers, as the distance from the
 * pixel's middle to the shape tells, and `ink_covered` lays the colour on. Strokes that cross themselves do not get
 * darker. */
#include "drawing.h"

#include <math.h>
#include <stdlib.h>

const colour white = {1, 1, 1}, black = {0.13, 0.14, 0.17}, grey = {0.45, 0.47, 0.5}, light_grey = {0.88, 0.89, 0.91},
             blue = {0.16, 0.42, 0.72}, orange = {0.90, 0.45, 0.10}, green = {0.15, 0.58, 0.33},
             red = {0.80, 0.18, 0.20}, purple = {0.48, 0.28, 0.66};

colour colour_between(colour a, colour b, double t)
{
    return (colour){a.red + t * (b.red - a.red), a.green + t * (b.green - a.green), a.blue + t * (b.blue - a.blue)};
}

/* --- pictures ----------------------------------------------------------------------------------------------------- */

picture *picture_create(int width, int height)
{
    picture *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    size_t pixels = (size_t)width * (size_t)height;
    p->width = width;
    p->height = height;
    p->rgb = malloc(3 * pixels * sizeof *p->rgb);
    p->coverage = calloc(pixels, sizeof *p->coverage);
    if (!p->rgb || !p->coverage) picture_destroy(&p);
    for (size_t i = 0; p && i < 3 * pixels; i++) p->rgb[i] = 1;
    return p;
}

void picture_destroy(picture **p)
{
    if (!*p) return;
    free((*p)->rgb);
    free((*p)->coverage);
    free(*p);
    *p = NULL;
}

int picture_write(const picture *p, const char *path)
{
    cn_tensor *bytes = cn_zeros(CN_UINT8, p->height, p->width, 3);
    if (!bytes) return cn_error_status();
    uint8_t *out = cn_data(bytes);
    for (int64_t i = 0; i < cn_size(bytes); i++) out[i] = (uint8_t)lround(255 * fmin(fmax(p->rgb[i], 0), 1));
    int status = cn_image_write(path, bytes);
    cn_tensor_destroy(&bytes);
    return status;
}

/* --- covering pixels ---------------------------------------------------------------------------------------------- */

typedef struct box {
    int left, top, right, bottom; /* right and bottom are outside */
} box;

static box box_around(const picture *p, int n, const point *points, double margin)
{
    double x0 = HUGE_VAL, x1 = -HUGE_VAL, y0 = HUGE_VAL, y1 = -HUGE_VAL;
    for (int i = 0; i < n; i++) {
        x0 = fmin(x0, points[i].x);
        x1 = fmax(x1, points[i].x);
        y0 = fmin(y0, points[i].y);
        y1 = fmax(y1, points[i].y);
    }
    box b = {(int)fmax(floor(x0 - margin), 0), (int)fmax(floor(y0 - margin), 0),
             (int)fmin(ceil(x1 + margin) + 1, p->width), (int)fmin(ceil(y1 + margin) + 1, p->height)};
    return b;
}

static double distance_to_segment(double x, double y, point a, point b)
{
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((x - a.x) * dx + (y - a.y) * dy) / length : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(x - a.x - t * dx, y - a.y - t * dy);
}

static void cover(picture *p, int x, int y, double amount)
{
    double *c = &p->coverage[(size_t)y * (size_t)p->width + (size_t)x];
    *c = fmax(*c, fmin(amount, 1));
}

static void ink_covered(picture *p, box b, colour ink, double opacity)
{
    const double components[3] = {ink.red, ink.green, ink.blue};
    for (int y = b.top; y < b.bottom; y++) {
        for (int x = b.left; x < b.right; x++) {
            size_t at = (size_t)y * (size_t)p->width + (size_t)x;
            double share = p->coverage[at] * opacity;
            p->coverage[at] = 0;
            double *rgb = p->rgb + 3 * at;
            for (int k = 0; k < 3; k++) rgb[k] += share * (components[k] - rgb[k]);
        }
    }
}

static void cover_lines(picture *p, int n, const point *points, double width)
{
    for (int i = 0; i < (n > 1 ? n - 1 : n); i++) {
        point a = points[i], c = n > 1 ? points[i + 1] : a;
        box b = box_around(p, 2, (const point[]){a, c}, width / 2 + 1);
        for (int y = b.top; y < b.bottom; y++)
            for (int x = b.left; x < b.right; x++)
                cover(p, x, y, width / 2 + 0.5 - distance_to_segment(x + 0.5, y + 0.5, a, c));
    }
}

void draw_lines(picture *p, int n, const point *points, double width, colour ink, double opacity)
{
    if (n < 1) return;
    cover_lines(p, n, points, width);
    ink_covered(p, box_around(p, n, points, width / 2 + 1), ink, opacity);
}

void draw_disc(picture *p, double x, double y, double radius, colour ink, double opacity)
{
    draw_lines(p, 1, (const point[]){{x, y}}, 2 * radius, ink, opacity);
}

static int is_inside(int n, const point *points, double x, double y)
{
    int inside = 0;
    for (int i = 0, j = n - 1; i < n; j = i++)
        if ((points[i].y > y) != (points[j].y > y) &&
            x < points[i].x + (y - points[i].y) * (points[j].x - points[i].x) / (points[j].y - points[i].y))
            inside = !inside;
    return inside;
}

/* Sixteen samples to a pixel. */
void draw_polygon(picture *p, int n, const point *points, colour ink, double opacity)
{
    box b = box_around(p, n, points, 1);
    for (int y = b.top; y < b.bottom; y++) {
        for (int x = b.left; x < b.right; x++) {
            int hits = 0;
            for (int k = 0; k < 16; k++)
                hits += is_inside(n, points, x + (k % 4 + 0.5) / 4, y + (k / 4 + 0.5) / 4);
            cover(p, x, y, hits / 16.0);
        }
    }
    ink_covered(p, b, ink, opacity);
}

void draw_arrow(picture *p, double x0, double y0, double x1, double y1, double width, colour ink)
{
    double length = hypot(x1 - x0, y1 - y0), head = fmin(4 * width, length);
    if (!(length > 0)) return;
    double ux = (x1 - x0) / length, uy = (y1 - y0) / length, bx = x1 - head * ux, by = y1 - head * uy;
    draw_lines(p, 2, (const point[]){{x0, y0}, {bx, by}}, width, ink, 1);
    draw_polygon(p, 3, (const point[]){{x1, y1}, {bx - head * 0.45 * uy, by + head * 0.45 * ux},
                                           {bx + head * 0.45 * uy, by - head * 0.45 * ux}}, ink, 1);
}

/* --- letters ------------------------------------------------------------------------------------------------------ */

#define CAPITAL 9.0      /* units of the font in a capital's height */
#define GAP 2.6          /* between letters, in units */
#define SPACE 3.4        /* width of a space */
#define MOST_POINTS 256

static double glyph_width(char character)
{
    if (character == ' ') return SPACE;
    double width = 0;
    for (const char *s = stroke_font_glyph(character); *s; s++)
        if (*s >= '0' && *s <= '9') width = fmax(width, *s - '0');
    return width;
}

double text_width(double size, const char *text)
{
    double units = 0;
    for (const char *c = text; *c; c++) units += glyph_width(*c) + (c[1] ? GAP : 0);
    return units * size / CAPITAL;
}

static double curve_at(double a, double b, double c, double d, double t)
{
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/* A Catmull-Rom curve through n points, ten pieces from one to the next. */
static int smooth(int n, const point *points, int closed, point *curve)
{
    int used = 0;
    for (int i = 0; i < (closed ? n : n - 1); i++) {
        point a = points[closed ? (i + n - 1) % n : i > 0 ? i - 1 : 0], b = points[i], c = points[(i + 1) % n],
              d = points[closed ? (i + 2) % n : i + 2 < n ? i + 2 : n - 1];
        for (int k = 0; k <= 10; k++) {
            double t = k / 10.0;
            curve[used++] = (point){curve_at(a.x, b.x, c.x, d.x, t), curve_at(a.y, b.y, c.y, d.y, t)};
        }
    }
    return used;
}

static void cover_stroke(picture *p, const char *stroke, double x, double y, double unit, double width)
{
    point points[20], curve[MOST_POINTS];
    int n = 0, kind = *stroke;
    if (kind == '~' || kind == '@') stroke++;
    for (; *stroke && *stroke != ' ' && n < 20; stroke += 2, n++) {
        points[n].x = x + (stroke[0] - '0') * unit;
        points[n].y = y - (stroke[1] - 'd') * unit;
    }
    int is_curve = kind == '~' || kind == '@', m = is_curve ? smooth(n, points, kind == '@', curve) : n;
    cover_lines(p, m, is_curve ? curve : points, width);
}

void draw_text(picture *p, double x, double y, double size, double anchor, colour ink, const char *text)
{
    double unit = size / CAPITAL, width = text_width(size, text), pen = fmax(size / 8.5, 1.15);
    double at = x - anchor * width;
    for (const char *c = text; *c; c++) {
        const char *stroke = stroke_font_glyph(*c);
        while (*stroke) {
            cover_stroke(p, stroke, at, y, unit, pen);
            while (*stroke && *stroke != ' ') stroke++;
            while (*stroke == ' ') stroke++;
        }
        at += (glyph_width(*c) + GAP) * unit;
    }
    const point corners[2] = {{x - anchor * width, y - 1.3 * size}, {x + width, y + 0.5 * size}};
    ink_covered(p, box_around(p, 2, corners, pen), ink, 1);
}

/* --- panels ------------------------------------------------------------------------------------------------------- */

double panel_x(const panel *q, double x)
{
    return q->left + (x - q->x0) / (q->x1 - q->x0) * q->width;
}

double panel_y(const panel *q, double y)
{
    return q->top + q->height - (y - q->y0) / (q->y1 - q->y0) * q->height;
}

static void number_at(const panel *q, double x, double y, double anchor, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%g", fabs(number) < 1e-12 ? 0 : number);
    draw_text(q->p, x, y, 10, anchor, grey, text);
}

void panel_frame(const panel *q, double x_step, double y_step, const char *title, const char *x_name,
                 const char *y_name)
{
    double right = q->left + q->width, bottom = q->top + q->height;
    const point corners[5] = {{q->left, q->top}, {right, q->top}, {right, bottom}, {q->left, bottom},
                              {q->left, q->top}};
    draw_polygon(q->p, 4, corners, (colour){0.975, 0.978, 0.985}, 1);
    for (double x = ceil(q->x0 / x_step - 1e-9) * x_step; x_step > 0 && x <= q->x1 + 1e-9; x += x_step) {
        draw_lines(q->p, 2, (const point[]){{panel_x(q, x), q->top}, {panel_x(q, x), bottom}},
                   fabs(x) < 1e-12 ? 1.4 : 0.8, fabs(x) < 1e-12 ? grey : light_grey, 1);
        number_at(q, panel_x(q, x), bottom + 18, 0.5, x);
    }
    for (double y = ceil(q->y0 / y_step - 1e-9) * y_step; y_step > 0 && y <= q->y1 + 1e-9; y += y_step) {
        draw_lines(q->p, 2, (const point[]){{q->left, panel_y(q, y)}, {right, panel_y(q, y)}},
                   fabs(y) < 1e-12 ? 1.4 : 0.8, fabs(y) < 1e-12 ? grey : light_grey, 1);
        number_at(q, q->left - 7, panel_y(q, y) + 5, 1, y);
    }
    draw_lines(q->p, 5, corners, 1.2, colour_between(grey, white, 0.4), 1);
    if (title) draw_text(q->p, q->left + q->width / 2, q->top - 14, 13, 0.5, black, title);
    if (x_name) draw_text(q->p, q->left + q->width / 2, bottom + 40, 11, 0.5, grey, x_name);
    if (y_name) draw_text(q->p, q->left, q->top - (title ? 34 : 14), 11, 0, grey, y_name);
}

/* Narrows t0 ... t1 to where from + t * step lies between low and high. */
static void narrow(double from, double step, double low, double high, double *t0, double *t1)
{
    if (step == 0) {
        if (from < low || from > high) *t1 = -1;
        return;
    }
    double a = (low - from) / step, b = (high - from) / step;
    *t0 = fmax(*t0, fmin(a, b));
    *t1 = fmin(*t1, fmax(a, b));
}

/* Keeps the part of a -> b inside the panel, by Liang and Barsky. 0 if there is none. */
static int clip(const panel *q, point *a, point *b)
{
    double t0 = 0, t1 = 1, dx = b->x - a->x, dy = b->y - a->y;
    narrow(a->x, dx, q->left, q->left + q->width, &t0, &t1);
    narrow(a->y, dy, q->top, q->top + q->height, &t0, &t1);
    if (!(t0 <= t1)) return 0;
    point from = *a;
    *a = (point){from.x + t0 * dx, from.y + t0 * dy};
    *b = (point){from.x + t1 * dx, from.y + t1 * dy};
    return 1;
}

void panel_lines(const panel *q, int n, const point *points, double width, colour ink, double opacity)
{
    for (int i = 0; i + 1 < n; i++) {
        point a = {panel_x(q, points[i].x), panel_y(q, points[i].y)};
        point b = {panel_x(q, points[i + 1].x), panel_y(q, points[i + 1].y)};
        if (clip(q, &a, &b)) cover_lines(q->p, 2, (const point[]){a, b}, width);
    }
    const point corners[2] = {{q->left, q->top}, {q->left + q->width, q->top + q->height}};
    ink_covered(q->p, box_around(q->p, 2, corners, width), ink, opacity);
}

void panel_polygon(const panel *q, int n, const point *points, colour ink, double opacity)
{
    point pixels[MOST_POINTS];
    if (n > MOST_POINTS) n = MOST_POINTS;
    for (int i = 0; i < n; i++) {
        pixels[i].x = panel_x(q, points[i].x);
        pixels[i].y = panel_y(q, points[i].y);
    }
    draw_polygon(q->p, n, pixels, ink, opacity);
}

void panel_disc(const panel *q, double x, double y, double radius, colour ink)
{
    draw_disc(q->p, panel_x(q, x), panel_y(q, y), radius, ink, 1);
}

void panel_arrow(const panel *q, double x0, double y0, double x1, double y1, double width, colour ink)
{
    draw_arrow(q->p, panel_x(q, x0), panel_y(q, y0), panel_x(q, x1), panel_y(q, y1), width, ink);
}

void panel_text(const panel *q, double x, double y, double size, double anchor, colour ink, const char *text)
{
    draw_text(q->p, panel_x(q, x), panel_y(q, y), size, anchor, ink, text);
}
