/* Activations and layers against Keras (tests/parity/activations.txt and layers.txt; README.md there describes them). */
#include "base/pool.h"
#include "engines.h"
#include "parity.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ROOM = 4096, MOST_CASES = 200, WORDS = 160 };

/* The beginnings of all lines whose key ends in `ending`. */
static int find_cases(const char *file, const char *ending, char cases[MOST_CASES][WORDS])
{
    char path[1024], line[65536];
    snprintf(path, sizeof path, "%s/%s", CN_PARITY_DIR, file);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    int n = 0;
    while (fgets(line, sizeof line, stream)) {
        char *colon = strstr(line, ending);
        if (line[0] == '#' || !colon || colon - line >= WORDS) continue;
        assert_true(n < MOST_CASES);
        snprintf(cases[n++], WORDS, "%.*s", (int)(colon - line), line);
    }
    fclose(stream);
    return n;
}

static int read_numbers(const char *file, const char *name, const char *what, float *values)
{
    static double wide[ROOM];
    char key[WORDS + 32];
    snprintf(key, sizeof key, "%s.%s", name, what);
    int n = parity_numbers(file, key, wide, ROOM);
    for (int i = 0; i < n; i++) values[i] = (float)wide[i];
    return n;
}

/* Largest |a - b| / (1 + |b|); NaN counts as infinite. */
static double distance(int n, const float *a, const float *b)
{
    double worst = 0;
    for (int i = 0; i < n; i++) {
        double off = fabs((double)a[i] - (double)b[i]) / (1 + fabs((double)b[i]));
        worst = off <= worst ? worst : isnan(off) ? INFINITY : off;
    }
    return worst;
}

/* --- activations --- */

enum { ROWS = 4, COLUMNS = 6, POINTS = ROWS * COLUMNS };

static double activation_error(const char *text, int wrong)
{
    float x[POINTS], r[POINTS], dx[POINTS], y[POINTS] = {0}, own_dx[POINTS] = {0}, dy[POINTS], recorded[POINTS];
    char layer_text[WORDS + 16];
    assert_int_equal(read_numbers("activations.txt", "all", "x", x), POINTS);
    assert_int_equal(read_numbers("activations.txt", "all", "r", r), POINTS);
    int n = read_numbers("activations.txt", text, "y", recorded);
    assert_int_equal(read_numbers("activations.txt", text, "dx", dx), POINTS);
    snprintf(layer_text, sizeof layer_text, "activation(%s)", text);
    cn_layer *layer = cn_layer_from_text(layer_text);
    cn__pool *pool = cn__pool_create(1);
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, 1, (int64_t[]){COLUMNS}), CN_OK);
    assert_int_equal(n, ROWS * layer->output_size);
    int columns = (int)layer->output_size;
    for (int i = 0; i < n; i++) dy[i] = r[i / columns * COLUMNS + i % columns];
    const cn__layer_math *math = cn__engine_find(32, CN__ISA_C)->layers[CN__LAYER_activation];
    cn__pass pass = {.layer = layer, .pool = pool, .batch = ROWS, .training = 1, .x = x, .y = y, .dy = dy, .dx = own_dx};
    math->forward(&pass);
    math->backward(&pass);
    if (wrong) own_dx[7] += 1e-5f;
    cn__pool_destroy(&pool);
    cn_layer_destroy(&layer);
    return fmax(distance(n, y, recorded), distance(POINTS, own_dx, dx));
}

static void activations_as_in_keras(void **state)
{
    static char cases[MOST_CASES][WORDS];
    int n = find_cases("activations.txt", ".y:", cases);
    (void)state;
    assert_true(n >= 41);
    for (int i = 0; i < n; i++) {
        double worst = activation_error(cases[i], 0);
        if (!(worst < 1e-6)) print_message("%s: off by %g\n", cases[i], worst);
        assert_true(worst < 1e-6);
    }
    assert_false(activation_error("gelu", 1) < 1e-6);
}

static void every_activation_is_recorded(void **state)
{
    static char cases[MOST_CASES][WORDS];
    int n = find_cases("activations.txt", ".y:", cases);
    (void)state;
    for (int id = 0; id < CN__ACTIVATION_COUNT; id++) {
        int found = 0, index;
        cn__activation_options options;
        for (int i = 0; i < n; i++) {
            assert_int_equal(cn__activation_find("test", cases[i], &index, &options), CN_OK);
            found |= index == id;
        }
        if (!found) print_message("no values for %s\n", cn__activation_classes[id]->name);
        assert_true(found);
    }
}

/* Each says which layer it is, what it got and what it accepts. */
static void bad_activations(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"dense(3, activation=reul)", "dense: activation: unknown name \"reul\"; did you mean \"relu\"?"},
        {"dense(3, activation=relu(slope=1))", "dense: relu: unknown name \"slope\"; known are negative_slope, max_value"},
        {"dense(3, activation=relu(-1))", "dense: relu: negative_slope must be a number of at least 0, got -1"},
        {"dense(3, activation=relu(max_value=-2))", "dense: relu: max_value must be at least 0, got -2; leave it out"},
        {"dense(3, activation=relu(threshold=nan))", "dense: relu: threshold must be a number of at least 0, got nan"},
        {"dense(3, activation=celu(0))", "dense: celu: alpha must be a number above 0, got 0"},
        {"dense(3, activation=elu(inf))", "dense: elu: alpha must be a finite number, got inf"},
        {"dense(3, activation=squareplus(-1))", "dense: squareplus: b must be a number of at least 0, got -1"},
        {"dense(3, activation=threshold)", "dense: threshold: needs two numbers, such as threshold(0.1, 0)"},
        {"dense(3, activation=soft_shrink(-1))", "dense: soft_shrink: threshold must be a number of at least 0, got -1"},
        {"dense(4, activation=glu)", "dense: glu gives half the units; put it into a layer of its own, activation(glu)"},
        {"dense(3, activation=tanh(2))", "dense: tanh takes at most 0 arguments"},
        {"dense(1, activation=log_softmax)", "dense: log_softmax over one unit is always the same; use sigmoid"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_error_clear();
        assert_null(cn_layer_from_text(cases[i].text));
        if (strncmp(cn_error_message(), cases[i].sentence, strlen(cases[i].sentence)) != 0)
            print_message("%s: %s\n", cases[i].text, cn_error_message());
        assert_int_equal(strncmp(cn_error_message(), cases[i].sentence, strlen(cases[i].sentence)), 0);
    }
    cn_layer *glu = cn_activation("glu");
    assert_int_equal(cn__layer_build(glu, 1, (int64_t[]){5}), CN_ESHAPE);
    assert_string_equal(cn_error_message(), "activation: glu splits the last axis in two halves, but it has 5 entries");
    cn_layer_destroy(&glu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_as_in_keras),
        cmocka_unit_test(every_activation_is_recorded),
        cmocka_unit_test(bad_activations),
    };
    return cmocka_run_group_tests_name("layers against Keras", tests, NULL, NULL);
}
