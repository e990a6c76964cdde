#include "kernels/real.h"
#include "train/optimizer.h"

enum { RATE, ONE_MINUS_BETA_1, ONE_MINUS_BETA_2, EPSILON, OF_MOMENT, OF_GRADIENT, OF_VELOCITY };

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict m = slots[0], *restrict v = slots[1];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], epsilon = (real)step->coefficients[EPSILON];
    const real rest_1 = (real)step->coefficients[ONE_MINUS_BETA_1], rest_2 = (real)step->coefficients[ONE_MINUS_BETA_2];
    const real of_m = (real)step->coefficients[OF_MOMENT], of_g = (real)step->coefficients[OF_GRADIENT];
    const real of_v = (real)step->coefficients[OF_VELOCITY];
    /* Moments that only decay are set to 0 before they become subnormal (see optimizer_rmsprop.c). */
    for (int64_t i = 0; i < n; i++) {
        real mi = FMA(g[i] - m[i], rest_1, m[i]), vi = FMA(FMA(g[i], g[i], -v[i]), rest_2, v[i]);
        m[i] = mi < REAL(1e-30) && mi > REAL(-1e-30) ? 0 : mi;
        v[i] = vi < REAL(1e-30) ? 0 : vi;
        w[i] -= rate * FMA(of_m, m[i], of_g * g[i]) / (SQRT(of_v * v[i]) + epsilon);
    }
}

const cn__update CN_T(cn__optimizer_nadam_update) = update;

/* The moment moves the weight even when the gradient is 0. */
const cn__idle CN_T(cn__optimizer_nadam_idle) = NULL;

#if CN_ONCE
#include "base/error.h"
#include "base/exact.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_nadam_options, learning_rate)},
    {"beta_1", CN__FIELD_REAL, offsetof(cn_nadam_options, beta_1)},
    {"beta_2", CN__FIELD_REAL, offsetof(cn_nadam_options, beta_2)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_nadam_options, epsilon)},
    CN__SHARED_FIELDS(cn_nadam_options),
};

static int check(const void *options)
{
    const cn_nadam_options *o = options;
    CN_TRY(cn__optimizer_check_share("Nadam", "beta_1", o->beta_1));
    CN_TRY(cn__optimizer_check_share("Nadam", "beta_2", o->beta_2));
    return cn__optimizer_check_epsilon("Nadam", o->epsilon, 0);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "momentum";
    names[1] = "velocity";
    return 2;
}

/* The product that Keras keeps as state, P = u_1 ... u_t, is computed anew, so that nothing but t has to be saved. It
 * falls at least as beta_1^t; below 1e-20, 1 - P is 1 in double precision and the rest of the product does not
 * matter. */
static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_nadam_options *o = options;
    double product = 1, power = 1;
    for (int64_t i = 1; i <= t && product > 1e-20; i++) {
        power *= 0.96;
        product *= o->beta_1 * (1 - 0.5 * power);
    }
    power = cn__exact_power(0.96, (unsigned long)t);
    double now = o->beta_1 * (1 - 0.5 * power), next = o->beta_1 * (1 - 0.5 * 0.96 * power);
    step->coefficients[RATE] = learning_rate;
    step->coefficients[ONE_MINUS_BETA_1] = 1 - o->beta_1;
    step->coefficients[ONE_MINUS_BETA_2] = 1 - o->beta_2;
    step->coefficients[EPSILON] = o->epsilon;
    step->coefficients[OF_MOMENT] = next / (1 - product * next);
    step->coefficients[OF_GRADIENT] = (1 - now) / (1 - product);
    step->coefficients[OF_VELOCITY] = 1 / (1 - cn__exact_power(o->beta_2, (unsigned long)t));
}

const cn__optimizer_class cn__optimizer_nadam = {
    .name = "Nadam",
    .snake = "nadam",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_nadam_options),
    .keras_scalars = 1, /* the product P */
    .defaults = &(const cn_nadam_options){CN_NADAM_DEFAULTS},
    .check = check,
    .slots = slots,
    .begin_step = begin_step,
};

cn_optimizer *cn_nadam_create(const cn_nadam_options *options)
{
    return cn__optimizer_create(&cn__optimizer_nadam, options);
}
#endif
