#include "base/exact.h"
#include "kernels/real.h"
#include "train/optimizer.h"

enum { RATE, POWER, L1, TWICE_L2, TWICE_SHRINKAGE };
enum { ROOT = 1, RESTING = 2 };

/* n^-learning_rate_power; the usual power is a root, others take the slow way in double precision. */
static inline real raised(const cn__step *step, real n)
{
    return step->switches & ROOT ? SQRT(n) : (real)cn__exact_real_power((double)n, step->coefficients[POWER]);
}

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict sum = slots[0], *restrict z = slots[1];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], l1 = (real)step->coefficients[L1];
    const real twice_l2 = (real)step->coefficients[TWICE_L2], shrinkage = (real)step->coefficients[TWICE_SHRINKAGE];
    if (step->switches & RESTING) return;
    for (int64_t i = 0; i < n; i++) {
        real old = raised(step, sum[i]);
        sum[i] = FMA(g[i], g[i], sum[i]);
        real now = raised(step, sum[i]);
        z[i] += FMA(shrinkage, w[i], g[i]) - (now - old) / rate * w[i];
        real bounded = z[i] > l1 ? l1 : z[i];
        bounded = bounded < -l1 ? -l1 : bounded;
        w[i] = (bounded - z[i]) / (now / rate + twice_l2);
    }
}

const cn__update CN_T(cn__optimizer_ftrl_update) = update;

/* The weight is computed anew from z at each step. */
const cn__idle CN_T(cn__optimizer_ftrl_idle) = NULL;

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_ftrl_options, learning_rate)},
    {"learning_rate_power", CN__FIELD_REAL, offsetof(cn_ftrl_options, learning_rate_power)},
    {"initial_accumulator_value", CN__FIELD_REAL, offsetof(cn_ftrl_options, initial_accumulator_value)},
    {"l1_regularization_strength", CN__FIELD_REAL, offsetof(cn_ftrl_options, l1_regularization_strength)},
    {"l2_regularization_strength", CN__FIELD_REAL, offsetof(cn_ftrl_options, l2_regularization_strength)},
    {"l2_shrinkage_regularization_strength", CN__FIELD_REAL,
     offsetof(cn_ftrl_options, l2_shrinkage_regularization_strength)},
    {"beta", CN__FIELD_REAL, offsetof(cn_ftrl_options, beta)},
    CN__SHARED_FIELDS(cn_ftrl_options),
};

static int check(const void *options)
{
    const cn_ftrl_options *o = options;
    const struct {
        const char *name;
        double value;
    } parts[] = {{"initial_accumulator_value", o->initial_accumulator_value},
                 {"l1_regularization_strength", o->l1_regularization_strength},
                 {"l2_regularization_strength", o->l2_regularization_strength},
                 {"l2_shrinkage_regularization_strength", o->l2_shrinkage_regularization_strength},
                 {"beta", o->beta}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!(parts[i].value >= 0 && parts[i].value <= 1e30))
            return cn__fail(CN_EINVAL, "Ftrl: %s must be a number from 0 upwards, got %g", parts[i].name,
                            parts[i].value);
    if (!(o->learning_rate_power <= 0 && o->learning_rate_power >= -10))
        return cn__fail(CN_EINVAL, "Ftrl: learning_rate_power must lie in -10 ... 0, got %g", o->learning_rate_power);
    return CN_OK;
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "accumulator";
    names[1] = "linear";
    return 2;
}

static void start(const void *options, double values[CN__MAX_SLOTS])
{
    values[0] = ((const cn_ftrl_options *)options)->initial_accumulator_value;
}

/* The rule divides by the learning rate; one of 0 leaves everything as it is. */
static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_ftrl_options *o = options;
    (void)t;
    step->coefficients[RATE] = learning_rate;
    step->coefficients[POWER] = -o->learning_rate_power;
    step->coefficients[L1] = o->l1_regularization_strength;
    step->coefficients[TWICE_L2] = 2 * (o->l2_regularization_strength + o->beta / (2 * learning_rate));
    step->coefficients[TWICE_SHRINKAGE] = 2 * o->l2_shrinkage_regularization_strength;
    step->switches = (o->learning_rate_power == -0.5 ? ROOT : 0) | (learning_rate > 0 ? 0 : RESTING);
}

const cn__optimizer_class cn__optimizer_ftrl = {
    .name = "Ftrl",
    .snake = "ftrl",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_ftrl_options),
    .defaults = &(const cn_ftrl_options){CN_FTRL_DEFAULTS},
    .check = check,
    .slots = slots,
    .start = start,
    .begin_step = begin_step,
};

cn_optimizer *cn_ftrl_create(const cn_ftrl_options *options)
{
    return cn__optimizer_create(&cn__optimizer_ftrl, options);
}
#endif
