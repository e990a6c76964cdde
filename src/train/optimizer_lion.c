#include "kernels/real.h"
#include "train/optimizer.h"

enum { RATE, BETA_1, ONE_MINUS_BETA_1, BETA_2, ONE_MINUS_BETA_2 };

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict m = slots[0];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE];
    const real beta_1 = (real)step->coefficients[BETA_1], rest_1 = (real)step->coefficients[ONE_MINUS_BETA_1];
    const real beta_2 = (real)step->coefficients[BETA_2], rest_2 = (real)step->coefficients[ONE_MINUS_BETA_2];
    for (int64_t i = 0; i < n; i++) {
        real way = FMA(rest_1, g[i], beta_1 * m[i]), mi = FMA(rest_2, g[i], beta_2 * m[i]);
        /* The sign of NaN is NaN. A moment that only decays ends at 0 before it becomes subnormal. */
        w[i] -= way > 0 ? rate : way < 0 ? -rate : way == 0 ? 0 : way;
        m[i] = mi < REAL(1e-30) && mi > REAL(-1e-30) ? 0 : mi;
    }
}

const cn__update CN_T(cn__optimizer_lion_update) = update;

/* The moment moves the weight even when the gradient is 0. */
const cn__idle CN_T(cn__optimizer_lion_idle) = NULL;

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_lion_options, learning_rate)},
    {"beta_1", CN__FIELD_REAL, offsetof(cn_lion_options, beta_1)},
    {"beta_2", CN__FIELD_REAL, offsetof(cn_lion_options, beta_2)},
    CN__SHARED_FIELDS(cn_lion_options),
};

static int check(const void *options)
{
    const cn_lion_options *o = options;
    if (!(o->beta_1 > 0 && o->beta_1 <= 1))
        return cn__fail(CN_EINVAL, "Lion: beta_1 must lie in 0 ... 1 (0 excluded), got %g", o->beta_1);
    return cn__optimizer_check_share("Lion", "beta_2", o->beta_2);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "momentum";
    return 1;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_lion_options *o = options;
    (void)t;
    step->coefficients[RATE] = learning_rate;
    step->coefficients[BETA_1] = o->beta_1;
    step->coefficients[ONE_MINUS_BETA_1] = 1 - o->beta_1;
    step->coefficients[BETA_2] = o->beta_2;
    step->coefficients[ONE_MINUS_BETA_2] = 1 - o->beta_2;
}

const cn__optimizer_class cn__optimizer_lion = {
    .name = "Lion",
    .snake = "lion",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_lion_options),
    .defaults = &(const cn_lion_options){CN_LION_DEFAULTS},
    .check = check,
    .slots = slots,
    .begin_step = begin_step,
};

cn_optimizer *cn_lion_create(const cn_lion_options *options)
{
    return cn__optimizer_create(&cn__optimizer_lion, options);
}
#endif
