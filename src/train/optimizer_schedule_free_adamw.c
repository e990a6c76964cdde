#include "kernels/real.h"
#include "train/optimizer.h"

enum { RATE, BETA_1, ONE_MINUS_BETA_2, EPSILON, OF_VELOCITY, SHARE };

/* w lies between z, which moves by Adam's steps without a moment, and x, the mean of all z so far; x is not stored,
 * since z and w tell it. */
static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict z = slots[0], *restrict v = slots[1];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], epsilon = (real)step->coefficients[EPSILON];
    const real beta = (real)step->coefficients[BETA_1], rest_2 = (real)step->coefficients[ONE_MINUS_BETA_2];
    const real of_v = (real)step->coefficients[OF_VELOCITY], share = (real)step->coefficients[SHARE];
    for (int64_t i = 0; i < n; i++) {
        real vi = FMA(FMA(g[i], g[i], -v[i]), rest_2, v[i]);
        v[i] = vi < REAL(1e-30) ? 0 : vi; /* before it becomes subnormal (see optimizer_rmsprop.c) */
        real x = FMA(-(1 - beta), z[i], w[i]) / beta;
        z[i] -= rate * g[i] / (SQRT(v[i] * of_v) + epsilon);
        x = FMA(share, z[i], (1 - share) * x);
        w[i] = FMA(beta, x, (1 - beta) * z[i]);
    }
}

const cn__update CN_T(cn__optimizer_schedule_free_adamw_update) = update;

/* The mean moves the weight even when the gradient is 0. */
const cn__idle CN_T(cn__optimizer_schedule_free_adamw_idle) = NULL;

#if CN_ONCE
#include "base/error.h"
#include "base/exact.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_schedule_free_adamw_options, learning_rate)},
    {"beta_1", CN__FIELD_REAL, offsetof(cn_schedule_free_adamw_options, beta_1)},
    {"beta_2", CN__FIELD_REAL, offsetof(cn_schedule_free_adamw_options, beta_2)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_schedule_free_adamw_options, epsilon)},
    {"warmup_steps", CN__FIELD_INT64, offsetof(cn_schedule_free_adamw_options, warmup_steps)},
    CN__SHARED_FIELDS(cn_schedule_free_adamw_options),
};

static int check(const void *options)
{
    const cn_schedule_free_adamw_options *o = options;
    if (!(o->beta_1 > 0 && o->beta_1 <= 1))
        return cn__fail(CN_EINVAL, "ScheduleFreeAdamW: beta_1 must lie in 0 ... 1 (0 excluded), got %g", o->beta_1);
    CN_TRY(cn__optimizer_check_share("ScheduleFreeAdamW", "beta_2", o->beta_2));
    if (o->warmup_steps < 0)
        return cn__fail(CN_EINVAL, "ScheduleFreeAdamW: warmup_steps must not be negative, got %lld",
                        (long long)o->warmup_steps);
    return cn__optimizer_check_epsilon("ScheduleFreeAdamW", o->epsilon, 0);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "momentum"; /* Keras's name for z */
    names[1] = "velocity";
    return 2;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_schedule_free_adamw_options *o = options;
    double warm = o->warmup_steps > t ? (double)t / (double)o->warmup_steps : 1;
    step->coefficients[RATE] = learning_rate * warm;
    step->coefficients[BETA_1] = o->beta_1;
    step->coefficients[ONE_MINUS_BETA_2] = 1 - o->beta_2;
    step->coefficients[EPSILON] = o->epsilon;
    step->coefficients[OF_VELOCITY] = 1 / (1 - cn__exact_power(o->beta_2, (unsigned long)t));
    step->coefficients[SHARE] = 1 / (double)t;
}

const cn__optimizer_class cn__optimizer_schedule_free_adamw = {
    .name = "ScheduleFreeAdamW",
    .snake = "schedule_free_adamw",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_schedule_free_adamw_options),
    .defaults = &(const cn_schedule_free_adamw_options){CN_SCHEDULE_FREE_ADAMW_DEFAULTS},
    .first_slot_is_weight = 1,
    .check = check,
    .slots = slots,
    .begin_step = begin_step,
};

cn_optimizer *cn_schedule_free_adamw_create(const cn_schedule_free_adamw_options *options)
{
    return cn__optimizer_create(&cn__optimizer_schedule_free_adamw, options);
}
#endif
