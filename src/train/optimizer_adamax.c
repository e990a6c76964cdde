#include "kernels/real.h"
#include "train/optimizer.h"

enum { ALPHA, ONE_MINUS_BETA_1, BETA_2, EPSILON };

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict m = slots[0], *restrict u = slots[1];
    const real *restrict g = gradient;
    const real alpha = (real)step->coefficients[ALPHA], epsilon = (real)step->coefficients[EPSILON];
    const real rest_1 = (real)step->coefficients[ONE_MINUS_BETA_1], beta_2 = (real)step->coefficients[BETA_2];
    /* Slots that only decay are set to 0 before they become subnormal (see optimizer_rmsprop.c). */
    for (int64_t i = 0; i < n; i++) {
        real mi = FMA(g[i] - m[i], rest_1, m[i]), ui = beta_2 * u[i], size = g[i] < 0 ? -g[i] : g[i];
        ui = size < ui ? ui : size;
        m[i] = mi < REAL(1e-30) && mi > REAL(-1e-30) ? 0 : mi;
        u[i] = ui < REAL(1e-30) ? 0 : ui;
        w[i] -= alpha * m[i] / (u[i] + epsilon);
    }
}

const cn__update CN_T(cn__optimizer_adamax_update) = update;

/* The moment moves the weight even when the gradient is 0. */
const cn__idle CN_T(cn__optimizer_adamax_idle) = NULL;

#if CN_ONCE
#include "base/error.h"
#include "base/exact.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_adamax_options, learning_rate)},
    {"beta_1", CN__FIELD_REAL, offsetof(cn_adamax_options, beta_1)},
    {"beta_2", CN__FIELD_REAL, offsetof(cn_adamax_options, beta_2)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_adamax_options, epsilon)},
    CN__SHARED_FIELDS(cn_adamax_options),
};

static int check(const void *options)
{
    const cn_adamax_options *o = options;
    CN_TRY(cn__optimizer_check_share("Adamax", "beta_1", o->beta_1));
    CN_TRY(cn__optimizer_check_share("Adamax", "beta_2", o->beta_2));
    return cn__optimizer_check_epsilon("Adamax", o->epsilon, 1e-37);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "momentum";
    names[1] = "norm";
    return 2;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_adamax_options *o = options;
    step->coefficients[ALPHA] = learning_rate / (1 - cn__exact_power(o->beta_1, (unsigned long)t));
    step->coefficients[ONE_MINUS_BETA_1] = 1 - o->beta_1;
    step->coefficients[BETA_2] = o->beta_2;
    step->coefficients[EPSILON] = o->epsilon;
}

const cn__optimizer_class cn__optimizer_adamax = {
    .name = "Adamax",
    .snake = "adamax",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_adamax_options),
    .defaults = &(const cn_adamax_options){CN_ADAMAX_DEFAULTS},
    .check = check,
    .slots = slots,
    .begin_step = begin_step,
};

cn_optimizer *cn_adamax_create(const cn_adamax_options *options)
{
    return cn__optimizer_create(&cn__optimizer_adamax, options);
}
#endif
