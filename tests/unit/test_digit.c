/* Pictures into MNIST's form: strokes drawn at many sizes and places, dark and light, clean and dirty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cornu/error.h>
#include <cornu/image.h>

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Strokes in a unit square, as pairs of points (y, x); the ink reaches exactly from 0 to 1 in height. */
typedef struct glyph {
    const char *name;
    int n;
    double lines[8][4];
} glyph;

static const glyph glyphs[] = {
    {"seven", 2, {{0, 0, 0, 0.6}, {0, 0.6, 1, 0.2}}},
    {"one", 1, {{0, 0.3, 1, 0.3}}},
    {"four", 3, {{0, 0.5, 0.6, 0}, {0.6, 0, 0.6, 0.7}, {0, 0.5, 1, 0.5}}},
    {"five with a loose bar", 4, {{0, 0.3, 0, 0.7}, {0.15, 0.1, 0.5, 0.1}, {0.5, 0.1, 0.7, 0.6}, {0.7, 0.6, 1, 0}}},
};
enum { N_GLYPHS = sizeof glyphs / sizeof glyphs[0] };

static double distance(double y, double x, const double line[4])
{
    const double dy = line[2] - line[0], dx = line[3] - line[1];
    double t = ((y - line[0]) * dy + (x - line[1]) * dx) / (dy * dy + dx * dx);
    t = fmin(1, fmax(0, t));
    return hypot(y - line[0] - t * dy, x - line[1] - t * dx);
}

/* White ink on black, edges softened over a pixel. size: height of the ink without its thickness, in pixels. */
static cn_tensor *draw(const glyph *g, int64_t h, int64_t w, double top, double left, double size, double thickness)
{
    cn_tensor *image = cn_zeros(CN_UINT8, h, w);
    assert_non_null(image);
    unsigned char *pixels = cn_data(image);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            double nearest = 1e9;
            const double v = ((double)y - top) / size, u = ((double)x - left) / size;
            for (int i = 0; i < g->n; i++) nearest = fmin(nearest, size * distance(v, u, g->lines[i]));
            double cover = fmin(1, fmax(0, thickness / 2 + 0.5 - nearest));
            pixels[y * w + x] = (unsigned char)(255 * cover + 0.5);
        }
    return image;
}

static void for_each_pixel(cn_tensor *image, double (*change)(double v, double y, double x))
{
    const int64_t *shape = cn_shape(image);
    unsigned char *p = cn_data(image);
    for (int64_t y = 0; y < shape[0]; y++)
        for (int64_t x = 0; x < shape[1]; x++, p++)
            *p = (unsigned char)(change(*p, (double)y / (double)shape[0], (double)x / (double)shape[1]) + 0.5);
}

static double negate(double v, double y, double x)
{
    (void)y, (void)x;
    return 255 - v;
}

/* Grey pencil on paper that is lit from one corner and darker towards the edges. */
static double photograph(double v, double y, double x)
{
    double light = 215 - 60 * x - 40 * y - 60 * ((y - 0.5) * (y - 0.5) + (x - 0.5) * (x - 0.5));
    return light * (1 - 0.7 * v / 255);
}

typedef struct measure {
    double y, x; /* centre of mass */
    int height, width, brightest;
} measure;

static measure measure_digit(const cn_tensor *digit)
{
    assert_int_equal(cn_dtype_of(digit), CN_UINT8);
    assert_int_equal(cn_shape(digit)[0], 28);
    assert_int_equal(cn_shape(digit)[1], 28);
    const unsigned char *p = cn_data(digit);
    double sum = 0, sum_y = 0, sum_x = 0;
    int top = 28, bottom = -1, left = 28, right = -1, brightest = 0;
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++, p++) {
            sum += *p;
            sum_y += *p * y;
            sum_x += *p * x;
            if (*p > brightest) brightest = *p;
            if (!*p) continue;
            if (y < top) top = y;
            if (x < left) left = x;
            if (y > bottom) bottom = y;
            if (x > right) right = x;
        }
    return (measure){sum_y / sum, sum_x / sum, bottom - top + 1, right - left + 1, brightest};
}

static cn_tensor *convert(const cn_tensor *image, cn_digit_report *report)
{
    cn_tensor *digit = cn_image_to_digit(image, report);
    if (!digit) fail_msg("%s", cn_error_message());
    return digit;
}

static double shifted_difference(const unsigned char *p, const unsigned char *q, int down, int right)
{
    double sum = 0;
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++) {
            const int i = y + down, j = x + right, inside = i >= 0 && i < 28 && j >= 0 && j < 28;
            sum += fabs((double)p[y * 28 + x] - (inside ? q[i * 28 + j] : 0));
        }
    return sum / (28 * 28);
}

/* In grey levels. A centre of mass half-way between two pixels may round either way, hence the shift. */
static double mean_difference(const cn_tensor *a, const cn_tensor *b)
{
    double least = 255;
    for (int down = -1; down <= 1; down++)
        for (int right = -1; right <= 1; right++)
            least = fmin(least, shifted_difference(cn_data(a), cn_data(b), down, right));
    return least;
}

static void test_measuring(void **state)
{
    (void)state;
    cn_tensor *t = cn_zeros(CN_UINT8, 28, 28);
    unsigned char *p = cn_data(t);
    p[3 * 28 + 7] = 100;
    p[5 * 28 + 8] = 100;
    measure m = measure_digit(t);
    assert_true(m.y == 4 && m.x == 7.5 && m.height == 3 && m.width == 2 && m.brightest == 100);
    cn_tensor_destroy(&t);
}

static void test_sizes_places_and_polarity(void **state)
{
    (void)state;
    static const struct {
        int64_t h, w;
        double top, left, size, thickness;
    } scenes[] = {
        {40, 30, 5, 5, 20, 3},     {64, 64, 30, 40, 22, 3},   {200, 100, 20, 20, 120, 12},
        {300, 500, 150, 310, 100, 9}, {90, 90, 4, 10, 80, 4}, {1500, 2100, 400, 700, 700, 60},
    };
    for (int g = 0; g < N_GLYPHS; g++)
        for (size_t s = 0; s < sizeof scenes / sizeof scenes[0]; s++) {
            cn_digit_report light, dark;
            cn_tensor *image = draw(&glyphs[g], scenes[s].h, scenes[s].w, scenes[s].top, scenes[s].left, scenes[s].size,
                                    scenes[s].thickness);
            cn_tensor *digit = convert(image, &light);
            for_each_pixel(image, negate);
            cn_tensor *same = convert(image, &dark);
            const measure m = measure_digit(digit);
            const double half = scenes[s].thickness / 2, slack = scenes[s].h > 1024 ? 3.5 : 1.5;
            const int longest = m.height > m.width ? m.height : m.width;
            if (!(fabs(m.y - 14) <= 0.51 && fabs(m.x - 14) <= 0.51 && longest == 20 && m.brightest == 255))
                fail_msg("%s, scene %zu: centre %.2f %.2f, box %d x %d, brightest %d", glyphs[g].name, s, m.y, m.x,
                         m.height, m.width, m.brightest);
            assert_memory_equal(cn_data(digit), cn_data(same), 28 * 28);
            assert_int_equal(light.inverted, 0);
            assert_int_equal(dark.inverted, 1);
            assert_true(fabs((double)light.top - (scenes[s].top - half)) <= slack);
            const double bottom = scenes[s].top + scenes[s].size + half;
            assert_true(fabs((double)(light.top + light.height) - bottom) <= slack + 1);
            assert_true(light.left >= 0 && light.left + light.width <= scenes[s].w);
            assert_true(light.ink > 0 && light.ink < 0.5);
            assert_true(light.top == dark.top && light.left == dark.left && light.height == dark.height &&
                        light.width == dark.width && light.ink == dark.ink);
            cn_tensor_destroy(&image);
            cn_tensor_destroy(&digit);
            cn_tensor_destroy(&same);
        }
}

static void test_specks_are_ignored(void **state)
{
    (void)state;
    cn_tensor *image = draw(&glyphs[0], 200, 200, 60, 60, 90, 9);
    cn_tensor *clean = convert(image, NULL);
    unsigned char *p = cn_data(image);
    p[10 * 200 + 10] = 255;
    p[190 * 200 + 20] = p[190 * 200 + 21] = p[191 * 200 + 20] = 255;
    p[30 * 200 + 180] = 130;
    cn_tensor *dirty = convert(image, NULL);
    assert_memory_equal(cn_data(clean), cn_data(dirty), 28 * 28);
    cn_tensor_destroy(&image);
    cn_tensor_destroy(&clean);
    cn_tensor_destroy(&dirty);
}

static void test_uneven_light(void **state)
{
    (void)state;
    for (int g = 0; g < N_GLYPHS; g++) {
        cn_digit_report report;
        cn_tensor *image = draw(&glyphs[g], 300, 260, 70, 60, 150, 14);
        cn_tensor *clean = convert(image, NULL);
        for_each_pixel(image, photograph);
        cn_tensor *photo = convert(image, &report);
        assert_int_equal(report.inverted, 1);
        double difference = mean_difference(clean, photo);
        if (!(difference < 3)) fail_msg("%s: %.2f grey levels away", glyphs[g].name, difference);
        cn_tensor_destroy(&image);
        cn_tensor_destroy(&clean);
        cn_tensor_destroy(&photo);
    }
}

static void test_mnist_passes_unchanged(void **state)
{
    (void)state;
    cn_digit_report report;
    cn_tensor *image = draw(&glyphs[2], 28, 28, 6, 7, 16, 2);
    cn_tensor *digit = convert(image, &report);
    assert_memory_equal(cn_data(digit), cn_data(image), 28 * 28);
    assert_int_equal(report.inverted, 0);
    assert_true(report.top == 5 && report.height == 19);
    cn_tensor *original = cn_copy(image);
    for_each_pixel(image, negate);
    cn_tensor *inverted = convert(image, &report);
    assert_int_equal(report.inverted, 1);
    assert_memory_equal(cn_data(inverted), cn_data(original), 28 * 28);
    cn_tensor_destroy(&image);
    cn_tensor_destroy(&digit);
    cn_tensor_destroy(&inverted);
    cn_tensor_destroy(&original);
}

static void test_views(void **state)
{
    (void)state;
    cn_tensor *image = draw(&glyphs[1], 90, 60, 10, 20, 60, 7);
    cn_tensor *lying = convert(cn_transpose(image), NULL);
    const measure m = measure_digit(lying);
    assert_true(m.width == 20 && m.height < 6);
    cn_tensor_destroy(&image);
    cn_tensor_destroy(&lying);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 24;
}

static void test_no_ink(void **state)
{
    (void)state;
    cn_tensor *pages[] = {cn_zeros(CN_UINT8, 28, 28),   cn_zeros(CN_UINT8, 200, 300), cn_zeros(CN_UINT8, 1, 1),
                          cn_zeros(CN_UINT8, 1, 300),   cn_zeros(CN_UINT8, 100, 100), cn_zeros(CN_UINT8, 100, 100),
                          cn_zeros(CN_UINT8, 28, 28)};
    uint32_t random = 7;
    memset(cn_data(pages[1]), 255, 200 * 300);
    for_each_pixel(pages[4], photograph);
    unsigned char *noise = cn_data(pages[5]);
    for (int i = 0; i < 100 * 100; i++) noise[i] = (unsigned char)(120 + next_random(&random) % 24);
    memset(cn_data(pages[6]), 200, 28 * 28);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        cn_digit_report report;
        cn_tensor *digit = cn_image_to_digit(pages[i], &report);
        if (digit) fail_msg("page %zu: accepted", i);
        assert_int_equal(cn_error_status(), CN_EINVAL);
        assert_non_null(strstr(cn_error_message(), "no ink found"));
        cn_tensor_destroy(&pages[i]);
    }
}

static void test_refuses(void **state)
{
    (void)state;
    cn_tensor *floats = cn_zeros(CN_FLOAT32, 28, 28), *deep = cn_zeros(CN_UINT8, 1, 28, 28);
    cn_tensor *empty = cn_zeros(CN_UINT8, 0, 28);
    assert_null(cn_image_to_digit(floats, NULL));
    assert_int_equal(cn_error_status(), CN_EDTYPE);
    assert_null(cn_image_to_digit(cn_scale(deep, 0.5), NULL));
    assert_int_equal(cn_error_status(), CN_EDTYPE);
    assert_null(cn_image_to_digit(deep, NULL));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    assert_null(cn_image_to_digit(empty, NULL));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    assert_null(cn_image_to_digit(NULL, NULL));
    cn_tensor_destroy(&floats);
    cn_tensor_destroy(&deep);
    cn_tensor_destroy(&empty);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    cn_tensor *image = draw(&glyphs[0], 60, 60, 10, 10, 40, 5), *view = cn_transpose(image), *digit = NULL;
    int64_t live = cn__memory_live_blocks();
    int failures = 0;
    for (uint64_t n = 1; n < 50 && !digit; n++, failures++) {
        cn__memory_fail_after(n);
        digit = cn_image_to_digit(view, NULL);
        cn__memory_fail_after(0);
        if (digit) break;
        assert_int_equal(cn_error_status(), CN_ENOMEM);
        assert_int_equal(cn__memory_live_blocks(), live);
    }
    assert_non_null(digit);
    assert_true(failures >= 5);
    cn_tensor_destroy(&digit);
    cn_tensor_destroy(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measuring),          cmocka_unit_test(test_sizes_places_and_polarity),
        cmocka_unit_test(test_specks_are_ignored), cmocka_unit_test(test_uneven_light),
        cmocka_unit_test(test_mnist_passes_unchanged), cmocka_unit_test(test_views),
        cmocka_unit_test(test_no_ink),             cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
