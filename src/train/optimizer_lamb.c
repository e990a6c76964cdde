#include "train/whole_weight.h"

enum { RATE, ONE_MINUS_BETA_1, ONE_MINUS_BETA_2, EPSILON, OF_MOMENT, OF_VELOCITY };

/* The gradient becomes Adam's step. */
static void make_steps(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__moving *k = context;
    const double *c = k->step->coefficients;
    const real rest_1 = (real)c[ONE_MINUS_BETA_1], rest_2 = (real)c[ONE_MINUS_BETA_2], epsilon = (real)c[EPSILON];
    const real of_m = (real)c[OF_MOMENT], of_v = (real)c[OF_VELOCITY];
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        real *restrict g = cn__whole_row(k, k->gradient, r), *restrict m = cn__whole_row(k, k->slots[0], r);
        real *restrict v = cn__whole_row(k, k->slots[1], r);
        /* Moments that only decay are set to 0 before they become subnormal (see optimizer_rmsprop.c). */
        for (int64_t i = 0; i < k->whole->columns; i++) {
            real mi = FMA(g[i] - m[i], rest_1, m[i]), vi = FMA(FMA(g[i], g[i], -v[i]), rest_2, v[i]);
            m[i] = mi < REAL(1e-30) && mi > REAL(-1e-30) ? 0 : mi;
            v[i] = vi < REAL(1e-30) ? 0 : vi;
            g[i] = m[i] * of_m / (SQRT(v[i] * of_v) + epsilon);
        }
    }
}

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    cn__whole *whole = step->whole;
    cn__moving k = {whole, step, weight, whole->gradient, slots};
    (void)n;
    (void)gradient;
    cn__parallel(whole->pool, whole->rows, make_steps, &k);
    double of_weight = sqrt(cn__whole_squares(&k, cn__square_weight));
    double of_step = sqrt(cn__whole_squares(&k, cn__square_gradient));
    double trust = of_weight > 0 && of_step > 0 ? of_weight / of_step : 1;
    whole->factor = step->coefficients[RATE] * trust;
    cn__parallel(whole->pool, whole->rows, cn__take_steps, &k);
}

const cn__update CN_T(cn__optimizer_lamb_update) = update;
const cn__idle CN_T(cn__optimizer_lamb_idle) = NULL;

#if CN_ONCE
#include "base/error.h"
#include "base/exact.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_lamb_options, learning_rate)},
    {"beta_1", CN__FIELD_REAL, offsetof(cn_lamb_options, beta_1)},
    {"beta_2", CN__FIELD_REAL, offsetof(cn_lamb_options, beta_2)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_lamb_options, epsilon)},
    CN__SHARED_FIELDS(cn_lamb_options),
};

static int check(const void *options)
{
    const cn_lamb_options *o = options;
    CN_TRY(cn__optimizer_check_share("Lamb", "beta_1", o->beta_1));
    CN_TRY(cn__optimizer_check_share("Lamb", "beta_2", o->beta_2));
    return cn__optimizer_check_epsilon("Lamb", o->epsilon, 0);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "momentum";
    names[1] = "velocity";
    return 2;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_lamb_options *o = options;
    step->coefficients[RATE] = learning_rate;
    step->coefficients[ONE_MINUS_BETA_1] = 1 - o->beta_1;
    step->coefficients[ONE_MINUS_BETA_2] = 1 - o->beta_2;
    step->coefficients[EPSILON] = o->epsilon;
    step->coefficients[OF_MOMENT] = 1 / (1 - cn__exact_power(o->beta_1, (unsigned long)t));
    step->coefficients[OF_VELOCITY] = 1 / (1 - cn__exact_power(o->beta_2, (unsigned long)t));
}

const cn__optimizer_class cn__optimizer_lamb = {
    .name = "Lamb",
    .snake = "lamb",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_lamb_options),
    .defaults = &(const cn_lamb_options){CN_LAMB_DEFAULTS},
    .moves_whole = 1,
    .check = check,
    .slots = slots,
    .begin_step = begin_step,
};

cn_optimizer *cn_lamb_create(const cn_lamb_options *options)
{
    return cn__optimizer_create(&cn__optimizer_lamb, options);
}
#endif
