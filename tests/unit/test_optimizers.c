/* Three steps of each optimizer against Keras (tests/parity/optimizers.txt), the same bits in every engine. */
#include "engines.h"
#include "parity.h"

#include <cornu/optimizer.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Name in the file and the optimizer as text; those that need the whole step are in test_optimizer_options.c. */
static struct {
    char name[48], text[512];
} cases[64];
static int n_cases;
enum { N = 600 };

static int read_cases(void **state)
{
    static char names[64][48];
    int n = parity_cases("optimizers.txt", "text", names, 64);
    (void)state;
    for (int i = 0; i < n; i++) {
        char key[64];
        snprintf(key, sizeof key, "%.47s.text", names[i]);
        memcpy(cases[n_cases].name, names[i], sizeof names[i]);
        const char *text = parity_text("optimizers.txt", key);
        if (!text) return -1;
        snprintf(cases[n_cases].text, sizeof cases[n_cases].text, "%s", text);
        n_cases += !strstr(text, "clip") && !strstr(text, "ema") && !strstr(text, "accumulation") &&
                   !strstr(text, "schedulefree");
    }
    return n_cases >= 30 ? 0 : -1;
}

/* Three weights, moved by the gradients of three steps. */
static const double start[3] = {1, -2, 0.5};
static const double gradients[3][3] = {{0.1, -0.2, 0}, {0.3, 0.4, 1e-4}, {-0.5, 0.05, 2}};

typedef struct state_of {
    double wide[4][N];  /* weight, slots */
    float narrow[4][N];
    double wide_gradient[N];
    float narrow_gradient[N];
} state_of;

/* What slots hold before the first step. */
static void start_slots(const cn_optimizer *optimizer, state_of *s, int from, int n)
{
    double values[CN__MAX_SLOTS] = {0};
    if (optimizer->class_->start) optimizer->class_->start(optimizer->options, values);
    for (int k = 0; k < CN__MAX_SLOTS; k++)
        for (int i = from; i < from + n; i++) {
            s->wide[k + 1][i] = values[k];
            s->narrow[k + 1][i] = (float)values[k];
        }
}

/* Moves numbers from ... from+n-1 in step t. */
static void move(const cn__engine *engine, const cn_optimizer *optimizer, state_of *s, int64_t t, int from, int n)
{
    const char *names[CN__MAX_SLOTS] = {NULL};
    cn__step step = {.switches = 0};
    int n_slots = optimizer->class_->slots(optimizer->options, names);
    optimizer->class_->begin_step(optimizer->options, t, cn__optimizer_learning_rate(optimizer, t - 1), &step);
    void *slots[CN__MAX_SLOTS] = {NULL};
    int wide = engine->bits == 64;
    for (int k = 0; k < n_slots; k++)
        if (names[k]) slots[k] = wide ? (void *)(s->wide[k + 1] + from) : (void *)(s->narrow[k + 1] + from);
    step.decay = cn__optimizer_shared(optimizer)->weight_decay * cn__optimizer_learning_rate(optimizer, t - 1);
    cn__sink sink = {.update = *engine->updates[cn__optimizer_index(optimizer)], .step = &step,
                     .weight = wide ? (void *)(s->wide[0] + from) : (void *)(s->narrow[0] + from)};
    memcpy(sink.slots, slots, sizeof slots);
    engine->rules->hand(&sink, 0, n, wide ? (void *)(s->wide_gradient + from) : (void *)(s->narrow_gradient + from));
}

static double weight(const cn__engine *engine, const state_of *s, int i)
{
    return engine->bits == 64 ? s->wide[0][i] : (double)s->narrow[0][i];
}

/* Largest relative difference from Keras over three steps. */
static double difference(const cn__engine *engine, cn__update replaced, int which)
{
    static state_of s;
    cn__engine copy = *engine;
    cn_optimizer *optimizer = cn_optimizer_from_text(cases[which].text);
    assert_non_null(optimizer);
    const cn__update *pointer = &replaced;
    if (replaced) copy.updates[cn__optimizer_index(optimizer)] = pointer;
    memset(&s, 0, sizeof s);
    start_slots(optimizer, &s, 0, 3);
    double worst = 0;
    for (int i = 0; i < 3; i++) {
        s.wide[0][i] = start[i];
        s.narrow[0][i] = (float)start[i];
    }
    for (int t = 1; t <= 3; t++) {
        char key[64];
        double expected[3];
        for (int i = 0; i < 3; i++) {
            s.wide_gradient[i] = gradients[t - 1][i];
            s.narrow_gradient[i] = (float)gradients[t - 1][i];
        }
        move(&copy, optimizer, &s, t, 0, 3);
        snprintf(key, sizeof key, "%s.step%d", cases[which].name, t);
        assert_int_equal(parity_numbers("optimizers.txt", key, expected, 3), 3);
        for (int i = 0; i < 3; i++) {
            double off = fabs(weight(&copy, &s, i) - expected[i]) / (fabs(expected[i]) + 0.1);
            worst = isnan(off) ? INFINITY : fmax(worst, off);
        }
    }
    cn_optimizer_destroy(&optimizer);
    return worst;
}

static void three_steps_as_in_keras(void **state)
{
    (void)state;
    const cn__engine *engines[CN__ISA_COUNT + 1];
    int n = engines_usable(engines);
    engines[n++] = cn__engine_find(64, CN__ISA_C);
    for (int e = 0; e < n; e++)
        for (int i = 0; i < n_cases; i++) {
            double worst = difference(engines[e], NULL, i);
            /* three roundings of each side; Keras raises to an odd power in float32 */
            double bound = strcmp(cases[i].name, "ftrl_power") ? 4e-7 : 8e-7;
            if (!(worst < bound)) print_message("%s: off by %g\n", cases[i].name, worst);
            assert_true(worst < bound);
        }
}

/* Every optimizer in the table must have a case above. */
static void every_optimizer_is_covered(void **state)
{
    (void)state;
    for (int id = 0; id < CN__OPTIMIZER_COUNT; id++) {
        /* rules of whole weights, and one that starts from them: test_training_options.c, test_optimizer_options.c */
        int found = cn__optimizer_classes[id]->moves_whole || cn__optimizer_classes[id]->first_slot_is_weight;
        for (int i = 0; i < n_cases; i++) {
            cn_optimizer *optimizer = cn_optimizer_from_text(cases[i].text);
            assert_non_null(optimizer);
            found |= cn__optimizer_index(optimizer) == id;
            cn_optimizer_destroy(&optimizer);
        }
        if (!found) print_message("no case for %s\n", cn__optimizer_classes[id]->name);
        assert_true(found);
    }
}

static void slightly_wrong(const cn__step *step, int64_t n, void *w, void *const slots[CN__MAX_SLOTS], const void *g)
{
    (void)slots;
    for (int64_t i = 0; i < n; i++)
        ((float *)w)[i] -= (float)step->coefficients[0] * 1.00001f * ((const float *)g)[i];
}

static void leaves_the_last_out(const cn__step *step, int64_t n, void *w, void *const slots[CN__MAX_SLOTS],
                                const void *g)
{
    (void)slots;
    for (int64_t i = 0; i + 1 < n; i++) ((float *)w)[i] -= (float)step->coefficients[0] * ((const float *)g)[i];
}

static void the_check_finds_wrong_updates(void **state)
{
    (void)state;
    const cn__engine *engine = cn__engine_find(32, CN__ISA_C);
    assert_false(difference(engine, slightly_wrong, 0) < 4e-7);
    assert_false(difference(engine, leaves_the_last_out, 0) < 4e-7);
}

/* Ten steps on n numbers at an odd place; what lies around must stay. */
static void run_many(const cn__engine *engine, const char *text, int n, state_of *s)
{
    cn_optimizer *optimizer = cn_optimizer_from_text(text);
    assert_non_null(optimizer);
    memset(s, 0, sizeof *s);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < N; i++)
            if (i < 1 || i > n) s->narrow[k][i] = 12345;
    engines_fill(s->narrow[0] + 1, n, 1);
    start_slots(optimizer, s, 1, n);
    for (int t = 1; t <= 10; t++) {
        engines_fill(s->narrow_gradient, N, (uint32_t)t + 1);
        s->narrow_gradient[1 + t % n] = 0;
        move(engine, optimizer, s, t, 1, n);
    }
    cn_optimizer_destroy(&optimizer);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < N; i++)
            if (i < 1 || i > n) assert_true(s->narrow[k][i] == 12345);
}

static void the_same_bits_in_every_engine_and_size(void **state)
{
    (void)state;
    static state_of expected, got;
    const int sizes[] = {1, 3, 15, 16, 17, 33, 511};
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    for (int i = 0; i < n_cases; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            run_many(engines[0], cases[i].text, sizes[k], &expected);
            for (int e = 1; e < n_engines; e++) {
                run_many(engines[e], cases[i].text, sizes[k], &got);
                assert_true(engines_same(got.narrow, expected.narrow, sizeof got.narrow));
            }
        }
}

/* Cutting a row into pieces must not matter: kernels hand rows on in strips. */
static void pieces_give_the_same_bits(void **state)
{
    (void)state;
    static state_of whole, cut;
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    for (int i = 0; i < n_cases; i++)
        for (int e = 0; e < n_engines; e++) {
            cn_optimizer *optimizer = cn_optimizer_from_text(cases[i].text);
            memset(&whole, 0, sizeof whole);
            start_slots(optimizer, &whole, 0, 100);
            engines_fill(whole.narrow[0], 100, 1);
            engines_fill(whole.narrow_gradient, 100, 2);
            cut = whole;
            for (int t = 1; t <= 3; t++) {
                move(engines[e], optimizer, &whole, t, 0, 100);
                move(engines[e], optimizer, &cut, t, 0, 37);
                move(engines[e], optimizer, &cut, t, 37, 1);
                move(engines[e], optimizer, &cut, t, 38, 62);
            }
            assert_true(engines_same(whole.narrow, cut.narrow, sizeof cut.narrow));
            cn_optimizer_destroy(&optimizer);
        }
}

static void nan_is_not_swallowed(void **state)
{
    (void)state;
    static state_of s;
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    for (int i = 0; i < n_cases; i++)
        for (int e = 0; e < n_engines; e++) {
            cn_optimizer *optimizer = cn_optimizer_from_text(cases[i].text);
            memset(&s, 0, sizeof s);
            start_slots(optimizer, &s, 0, 40);
            for (int k = 0; k < 40; k++) s.narrow_gradient[k] = 0.5f;
            s.narrow_gradient[5] = s.narrow_gradient[33] = NAN;
            move(engines[e], optimizer, &s, 1, 0, 40);
            for (int k = 0; k < 40; k++) assert_true(!isnan(s.narrow[0][k]) == (k != 5 && k != 33));
            cn_optimizer_destroy(&optimizer);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_steps_as_in_keras),
        cmocka_unit_test(every_optimizer_is_covered),
        cmocka_unit_test(the_check_finds_wrong_updates),
        cmocka_unit_test(the_same_bits_in_every_engine_and_size),
        cmocka_unit_test(pieces_give_the_same_bits),
        cmocka_unit_test(nan_is_not_swallowed),
    };
    return cmocka_run_group_tests_name("optimizers", tests, read_cases, NULL);
}
