#include "kernels/real.h"
#include "train/adam.h"

enum { ALPHA, ONE_MINUS_BETA_1, ONE_MINUS_BETA_2, EPSILON };
enum { AMSGRAD = 1 };

void CN__ADAM_MOVE(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
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

const cn__update CN_T(cn__optimizer_adam_update) = CN__ADAM_MOVE;

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
    CN__SHARED_FIELDS(cn_adam_options),
};

int cn__adam_check(const void *options)
{
    const cn_adam_options *o = options;
    CN_TRY(cn__optimizer_check_share("Adam", "beta_1", o->beta_1));
    CN_TRY(cn__optimizer_check_share("Adam", "beta_2", o->beta_2));
    return cn__optimizer_check_epsilon("Adam", o->epsilon, 0);
}

int cn__adam_slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    names[0] = "momentum";
    names[1] = "velocity";
    names[2] = ((const cn_adam_options *)options)->amsgrad ? "velocity_hat" : NULL;
    return CN__MAX_SLOTS;
}

void cn__adam_begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_adam_options *o = options;
    double power_1 = cn__exact_power(o->beta_1, (unsigned long)t),
           power_2 = cn__exact_power(o->beta_2, (unsigned long)t);
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
    .check = cn__adam_check,
    .slots = cn__adam_slots,
    .begin_step = cn__adam_begin_step,
};

cn_optimizer *cn_adam_create(const cn_adam_options *options)
{
    return cn__optimizer_create(&cn__optimizer_adam, options);
}
#endif
