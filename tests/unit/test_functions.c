/* exp, log, tanh, 1/sqrt and their kin against the C library's in double precision, and the same bits in every engine.
 * Looks at every 251st float32 number and all numbers near the borders; CORNU_EXHAUSTIVE=1 looks at all 2^32. */
#define CN_REAL_BITS 32
#include "kernels/functions.h"

#include "base/pool.h"
#include "engines.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct function {
    const char *name;
    float (*ours)(float);
    double (*exact)(double);
    double bound;      /* ulp, as src/kernels/functions.h states it */
    float low, high;   /* where the bound holds */
} function;

static double exact_rsqrt(double x) { return 1 / sqrt(x); }

static double exact_sigmoid(double x) { return 1 / (1 + exp(-x)); }

static const function functions[] = {
    {"exp", cn__exp, exp, 1, -87.33654f, 88.72283f},
    {"log", cn__log, log, 1, FLT_MIN, FLT_MAX},
    {"tanh", cn__tanh, tanh, 1.5, -FLT_MAX, FLT_MAX},
    {"rsqrt", cn__rsqrt, exact_rsqrt, 1, 2 * FLT_MIN, FLT_MAX},
    {"expm1", cn__expm1, expm1, 2, -FLT_MAX, 88.72283f},
    {"log1p", cn__log1p, log1p, 3, 0, FLT_MAX},
    {"erf", cn__erf, erf, 1.5, -FLT_MAX, FLT_MAX},
    {"sigmoid", cn__sigmoid, exact_sigmoid, 3, -87.33654f, FLT_MAX},
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

/* Distance in units of the last place that a float32 near `exact` has. */
static double distance(float got, double exact)
{
    int exponent;
    double magnitude = fabs(exact) < (double)FLT_MIN ? (double)FLT_MIN : fabs(exact);
    frexp(magnitude, &exponent);
    double ulps = fabs((double)got - exact) / ldexp(1, exponent - FLT_MANT_DIG);
    return ulps >= 0 ? ulps : INFINITY; /* NaN is as far as can be */
}

static double worst_of(const function *f, uint64_t stride, float *at)
{
    double worst = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += stride) {
        float x = cn__from_bits((int32_t)(uint32_t)bits);
        if (!(x >= f->low && x <= f->high)) continue;
        double error = distance(f->ours(x), f->exact((double)x));
        if (error > worst) {
            worst = error;
            *at = x;
        }
    }
    return worst;
}

static void bounds_hold(void **state)
{
    (void)state;
    const char *all = getenv("CORNU_EXHAUSTIVE");
    uint64_t stride = all && *all == '1' ? 1 : engines_quick() ? 4099 : 251;
    for (int i = 0; i < N_FUNCTIONS; i++) {
        float at = 0;
        double worst = worst_of(&functions[i], stride, &at);
        print_message("%-5s at most %.4f ulp, at %a, every %llu. number\n", functions[i].name, worst, (double)at,
                      (unsigned long long)stride);
        assert_true(worst <= functions[i].bound);
    }
}

/* Where polynomials are glued together and exponents change: 2000 neighbours on both sides. */
static void bounds_hold_at_the_seams(void **state)
{
    (void)state;
    const float seams[] = {0, 0.34657359f, 0.5f, 0.625f, 0.70710678f, 0.9375f, 1, 1.41421356f, 2, 4, 17.4f, 20, 64, 80,
                           87.33654f, 88.72283f,
                           FLT_MIN, FLT_MAX};
    for (int i = 0; i < N_FUNCTIONS; i++) {
        for (size_t s = 0; s < 2 * sizeof seams / sizeof *seams; s++) {
            float x = s % 2 ? -seams[s / 2] : seams[s / 2], y = x;
            for (int step = 0; step < 2000; step++) {
                if (x >= functions[i].low && x <= functions[i].high)
                    assert_true(distance(functions[i].ours(x), functions[i].exact((double)x)) <= functions[i].bound);
                if (y >= functions[i].low && y <= functions[i].high)
                    assert_true(distance(functions[i].ours(y), functions[i].exact((double)y)) <= functions[i].bound);
                x = nextafterf(x, INFINITY);
                y = nextafterf(y, -INFINITY);
            }
        }
    }
}

/* The check itself must see a result that is two units off, and NaN. */
static float one_off(float x) { return nextafterf(nextafterf(cn__exp(x), INFINITY), INFINITY); }
static float always_nan(float x) { return x * NAN; }

static void the_check_finds_wrong_functions(void **state)
{
    (void)state;
    function wrong = functions[0];
    float at;
    wrong.ours = one_off;
    assert_true(worst_of(&wrong, 65537, &at) > wrong.bound);
    wrong.ours = always_nan;
    assert_true(worst_of(&wrong, 65537, &at) > wrong.bound);
}

static void special_arguments(void **state)
{
    (void)state;
    const float subnormal = 1e-40f;
    assert_true(cn__exp(0) == 1 && cn__exp(-0.0f) == 1 && cn__exp(subnormal) == 1);
    assert_true(cn__exp(-INFINITY) == 0 && cn__exp(-87.34f) == 0 && cn__exp(-1e30f) == 0);
    assert_true(cn__exp(INFINITY) == INFINITY && cn__exp(88.73f) == INFINITY && cn__exp(1e30f) == INFINITY);
    assert_true(cn__log(1) == 0 && !signbit(cn__log(1)));
    assert_true(cn__log(0) == -INFINITY && cn__log(-0.0f) == -INFINITY && cn__log(INFINITY) == INFINITY);
    assert_true(isnan(cn__log(-1)) && isnan(cn__log(-INFINITY)) && isnan(cn__log(-subnormal)));
    assert_true(cn__tanh(0) == 0 && !signbit(cn__tanh(0)) && signbit(cn__tanh(-0.0f)));
    assert_true(cn__tanh(subnormal) == subnormal && cn__tanh(-subnormal) == -subnormal);
    assert_true(cn__tanh(INFINITY) == 1 && cn__tanh(-INFINITY) == -1 && cn__tanh(FLT_MAX) == 1);
    assert_true(cn__expm1(0) == 0 && signbit(cn__expm1(-0.0f)) && cn__expm1(-INFINITY) == -1);
    assert_true(cn__expm1(INFINITY) == INFINITY && cn__expm1(88.73f) == INFINITY && cn__expm1(subnormal) == subnormal);
    assert_true(cn__log1p(0) == 0 && cn__log1p(subnormal) == subnormal && cn__log1p(INFINITY) == INFINITY);
    assert_true(cn__erf(INFINITY) == 1 && cn__erf(-INFINITY) == -1 && cn__erf(0) == 0 && signbit(cn__erf(-0.0f)));
    assert_true(cn__sigmoid(INFINITY) == 1 && cn__sigmoid(-INFINITY) == 0 && cn__sigmoid(0) == 0.5f);
    assert_true(distance(cn__rsqrt(1), 1) <= 1 && distance(cn__rsqrt(4 * FLT_MIN), 0x1p62) <= 1);
    for (int i = 0; i < N_FUNCTIONS; i++)
        assert_true(isnan(functions[i].ours(NAN)) && isnan(functions[i].ours(-(float)NAN)));
}

/* Numbers of every exponent and sign, NaN and infinities among them. */
static int64_t make_arguments(float *x)
{
    int64_t n = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 99991) x[n++] = cn__from_bits((int32_t)(uint32_t)bits);
    return n;
}

static void run_activation(const cn__engine *engine, const char *name, int64_t n, const float *x, float *y)
{
    cn_layer *layer = cn_activation(name);
    cn__pool *pool = cn__pool_create(2);
    assert_non_null(layer);
    assert_non_null(pool);
    int64_t shape[] = {26};
    assert_int_equal(cn__layer_build(layer, 1, shape), CN_OK);
    engine->layers[CN__LAYER_activation]->forward(
        &(cn__pass){.layer = layer, .pool = pool, .batch = n / shape[0], .x = x, .y = y});
    cn__pool_destroy(&pool);
    cn_layer_destroy(&layer);
}

static void every_engine_gives_the_same_bits(void **state)
{
    (void)state;
    enum { ROOM = 43008 };
    static float x[ROOM], y[ROOM], expected[ROOM];
    int64_t n = make_arguments(x) / 26 * 26;
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    for (int e = 0; e < n_engines; e++) {
        run_activation(engines[e], "tanh", n, x, y);
        for (int64_t i = 0; i < n; i++) {
            float own = cn__tanh(x[i]);
            assert_true(engines_same(&y[i], &own, sizeof own) || (isnan(y[i]) && isnan(own)));
        }
        run_activation(engines[e], "sigmoid", n, x, y);
        for (int64_t i = 0; i < n; i++) {
            float own = 1 / (1 + cn__exp(-x[i]));
            assert_true(engines_same(&y[i], &own, sizeof own) || (isnan(y[i]) && isnan(own)));
        }
    }
    for (int64_t i = 0; i < n; i++) x[i] = isfinite(x[i]) ? fmodf(x[i], 30) : 0;
    for (int a = 0; a < CN__ACTIVATION_COUNT; a++) {
        const char *name = cn__activation_classes[a]->name;
        if (!strcmp(name, "threshold")) name = "threshold(0.1, 0.5)";
        run_activation(engines[0], name, n, x, expected);
        for (int e = 1; e < n_engines; e++) {
            run_activation(engines[e], name, n, x, y);
            assert_true(engines_same(y, expected, (size_t)n * sizeof *y));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_arguments),
        cmocka_unit_test(the_check_finds_wrong_functions),
        cmocka_unit_test(bounds_hold_at_the_seams),
        cmocka_unit_test(every_engine_gives_the_same_bits),
        cmocka_unit_test(bounds_hold),
    };
    return cmocka_run_group_tests_name("functions", tests, NULL, NULL);
}
