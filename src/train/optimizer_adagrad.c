#include "kernels/functions.h"
#include "train/optimizer.h"

enum { RATE, EPSILON };

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict sum = slots[0];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], epsilon = (real)step->coefficients[EPSILON];
    for (int64_t i = 0; i < n; i++) {
        sum[i] = FMA(g[i], g[i], sum[i]);
        w[i] = FMA(-rate * g[i], cn__rsqrt(sum[i] + epsilon), w[i]);
    }
}

const cn__update CN_T(cn__optimizer_adagrad_update) = update;

/* A gradient of 0 leaves the sum as it is too. */
static void idle(const cn__step *step, int64_t n, void *const slots[CN__MAX_SLOTS], int64_t steps)
{
    (void)step;
    (void)n;
    (void)slots;
    (void)steps;
}

const cn__idle CN_T(cn__optimizer_adagrad_idle) = idle;

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_adagrad_options, learning_rate)},
    {"initial_accumulator_value", CN__FIELD_REAL, offsetof(cn_adagrad_options, initial_accumulator_value)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_adagrad_options, epsilon)},
    CN__SHARED_FIELDS(cn_adagrad_options),
};

static int check(const void *options)
{
    const cn_adagrad_options *o = options;
    if (!(o->initial_accumulator_value >= 0 && o->initial_accumulator_value <= 1e30))
        return cn__fail(CN_EINVAL, "Adagrad: initial_accumulator_value must be a number from 0 upwards, got %g",
                        o->initial_accumulator_value);
    return cn__optimizer_check_epsilon("Adagrad", o->epsilon, 1e-37);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "accumulator";
    return 1;
}

static void start(const void *options, double values[CN__MAX_SLOTS])
{
    values[0] = ((const cn_adagrad_options *)options)->initial_accumulator_value;
}

static int can_idle(const void *options)
{
    (void)options;
    return 1;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    (void)t;
    step->coefficients[RATE] = learning_rate;
    step->coefficients[EPSILON] = ((const cn_adagrad_options *)options)->epsilon;
}

const cn__optimizer_class cn__optimizer_adagrad = {
    .name = "Adagrad",
    .snake = "adagrad",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_adagrad_options),
    .defaults = &(const cn_adagrad_options){CN_ADAGRAD_DEFAULTS},
    .check = check,
    .slots = slots,
    .start = start,
    .can_idle = can_idle,
    .begin_step = begin_step,
};

cn_optimizer *cn_adagrad_create(const cn_adagrad_options *options)
{
    return cn__optimizer_create(&cn__optimizer_adagrad, options);
}
#endif
