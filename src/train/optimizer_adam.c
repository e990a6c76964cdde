#include "kernels/real.h"
#include "train/optimizer.h"

enum { ALPHA, ONE_MINUS_BETA_1, ONE_MINUS_BETA_2, EPSILON };
enum { AMSGRAD = 1 };

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict m = slots[0], *restrict v = slots[1], *restrict h = slots[2];
    const real *restrict g = gradient;
    const real alpha = (real)step->coefficients[ALPHA], epsilon = (real)step->coefficients[EPSILON];
    const real rest_1 = (real)step->coefficients[ONE_MINUS_BETA_1], rest_2 = (real)step->coefficients[ONE_MINUS_BETA_2];
    /* Moments that only decay are set to 0 before they become subnormal (see optimizer_rmsprop.c). */
    for (int64_t i = 0; i < n; i++) {
        real mi = FMA(g[i] - m[i], rest_1, m[i]), vi = FMA(FMA(g[i], g[i], -v[i]), rest_2, v[i]);
        m[i] = mi < REAL(1e-30) && mi > REAL(-1e-30) ? 0 : mi;
        v[i] = vi < REAL(1e-30) ? 0 : vi;
    }
    if (step->switches & AMSGRAD) {
        for (int64_t i = 0; i < n; i++) h[i] = h[i] > v[i] ? h[i] : v[i];
        for (int64_t i = 0; i < n; i++) w[i] -= alpha * m[i] / (SQRT(h[i]) + epsilon);
    } else {
        for (int64_t i = 0; i < n; i++) w[i] -= alpha * m[i] / (SQRT(v[i]) + epsilon);
    }
}

const cn__update CN_T(cn__optimizer_adam_update) = update;

/* The moment moves the weight even when the gradient is 0. */
const cn__idle CN_T(cn__optimizer_adam_idle) = NULL;

#if CN_ONCE
#include "base/error.h"
#include "base/exact.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_adam_options, learning_rate)},
    {"beta_1", CN__FIELD_REAL, offsetof(cn_adam_options, beta_1)},
    {"beta_2", CN__FIELD_REAL, offsetof(cn_adam_options, beta_2)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_adam_options, epsilon)},
    {"amsgrad", CN__FIELD_INT, offsetof(cn_adam_options, amsgrad)},
};

static int check(const void *options)
{
    const cn_adam_options *o = options;
    if (!(o->beta_1 >= 0 && o->beta_1 < 1))
        return cn__fail(CN_EINVAL, "Adam: beta_1 must lie in 0 ... 1 (1 excluded), got %g", o->beta_1);
    if (!(o->beta_2 >= 0 && o->beta_2 < 1))
        return cn__fail(CN_EINVAL, "Adam: beta_2 must lie in 0 ... 1 (1 excluded), got %g", o->beta_2);
    if (!(o->epsilon >= 0)) return cn__fail(CN_EINVAL, "Adam: epsilon must not be negative, got %g", o->epsilon);
    return CN_OK;
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    names[0] = "momentum";
    names[1] = "velocity";
    names[2] = ((const cn_adam_options *)options)->amsgrad ? "velocity_hat" : NULL;
    return CN__MAX_SLOTS;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_adam_options *o = options;
    double power_1 = cn__exact_power(o->beta_1, (unsigned long)t), power_2 = cn__exact_power(o->beta_2, (unsigned long)t);
    step->coefficients[ALPHA] = learning_rate * sqrt(1 - power_2) / (1 - power_1);
    step->coefficients[ONE_MINUS_BETA_1] = 1 - o->beta_1;
    step->coefficients[ONE_MINUS_BETA_2] = 1 - o->beta_2;
    step->coefficients[EPSILON] = o->epsilon;
    step->switches = o->amsgrad ? AMSGRAD : 0;
}

const cn__optimizer_class cn__optimizer_adam = {
    .name = "Adam",
    .snake = "adam",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_adam_options),
    .defaults = &(const cn_adam_options){CN_ADAM_DEFAULTS},
    .check = check,
    .slots = slots,
    .begin_step = begin_step,
};

cn_optimizer *cn_adam_create(const cn_adam_options *options)
{
    return cn__optimizer_create(&cn__optimizer_adam, options);
}
#endif
