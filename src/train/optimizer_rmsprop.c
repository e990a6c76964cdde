#include "kernels/functions.h"
#include "train/optimizer.h"

enum { RATE, RHO, ONE_MINUS_RHO, MOMENTUM, EPSILON };
enum { CENTERED = 1, WITH_MOMENTUM = 2 };

/* A velocity that only decays reaches the subnormal numbers after some 800 steps and would slow the CPU down
 * tenfold. Below this it is set to 0, which next to epsilon changes nothing. */
#define TINY REAL(1e-30)

/* Keras's rho v + (1-rho) g^2. The form v + (1-rho) (g^2 - v) costs an operation less, but with it the recorded 200 steps
 * of Keras part from ours at step 150 (tests/unit/test_parity_main_job.c). */
static inline real averaged(real v, real rho, real one_minus_rho, real g)
{
    v = FMA(one_minus_rho * g, g, rho * v);
    return v < TINY ? 0 : v;
}

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict v = slots[0], *restrict a = slots[1], *restrict m = slots[2];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], rho = (real)step->coefficients[RHO];
    const real rest = (real)step->coefficients[ONE_MINUS_RHO];
    const real momentum = (real)step->coefficients[MOMENTUM], epsilon = (real)step->coefficients[EPSILON];
    switch (step->switches) {
    case 0:
        for (int64_t i = 0; i < n; i++) {
            v[i] = averaged(v[i], rho, rest, g[i]);
            w[i] = FMA(-rate * g[i], cn__rsqrt(v[i] + epsilon), w[i]);
        }
        break;
    case WITH_MOMENTUM:
        for (int64_t i = 0; i < n; i++) {
            v[i] = averaged(v[i], rho, rest, g[i]);
            m[i] = FMA(momentum, m[i], rate * g[i] * cn__rsqrt(v[i] + epsilon));
            w[i] -= m[i];
        }
        break;
    case CENTERED:
        for (int64_t i = 0; i < n; i++) {
            v[i] = averaged(v[i], rho, rest, g[i]);
            a[i] = FMA(rest, g[i], rho * a[i]);
            w[i] = FMA(-rate * g[i], cn__rsqrt(FMA(-a[i], a[i], v[i]) + epsilon), w[i]);
        }
        break;
    default:
        for (int64_t i = 0; i < n; i++) {
            v[i] = averaged(v[i], rho, rest, g[i]);
            a[i] = FMA(rest, g[i], rho * a[i]);
            m[i] = FMA(momentum, m[i], rate * g[i] * cn__rsqrt(FMA(-a[i], a[i], v[i]) + epsilon));
            w[i] -= m[i];
        }
    }
}

const cn__update CN_T(cn__optimizer_rmsprop_update) = update;

/* What update does to the slots when g is 0. A row that never had a gradient stays as it is. */
static void idle(const cn__step *step, int64_t n, void *const slots[CN__MAX_SLOTS], int64_t steps)
{
    real *restrict v = slots[0], *restrict a = slots[1];
    const real rho = (real)step->coefficients[RHO], rest = (real)step->coefficients[ONE_MINUS_RHO];
    int moving = 1;
    for (int64_t s = 0; s < steps && moving; s++) {
        moving = 0;
        for (int64_t i = 0; i < n; i++) {
            v[i] = averaged(v[i], rho, rest, 0);
            moving |= v[i] != 0;
        }
        for (int64_t i = 0; a && i < n; i++) {
            a[i] = FMA(rest, 0, rho * a[i]);
            moving |= a[i] != 0;
        }
    }
}

const cn__idle CN_T(cn__optimizer_rmsprop_idle) = idle;

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_rmsprop_options, learning_rate)},
    {"rho", CN__FIELD_REAL, offsetof(cn_rmsprop_options, rho)},
    {"momentum", CN__FIELD_REAL, offsetof(cn_rmsprop_options, momentum)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_rmsprop_options, epsilon)},
    {"centered", CN__FIELD_INT, offsetof(cn_rmsprop_options, centered)},
};

static int check(const void *options)
{
    const cn_rmsprop_options *o = options;
    if (!(o->rho >= 0 && o->rho < 1))
        return cn__fail(CN_EINVAL, "RMSprop: rho must lie in 0 ... 1 (1 excluded), got %g", o->rho);
    if (!(o->momentum >= 0 && o->momentum <= 1))
        return cn__fail(CN_EINVAL, "RMSprop: momentum must lie in 0 ... 1, got %g", o->momentum);
    if (!(o->epsilon >= 1e-37))
        return cn__fail(CN_EINVAL, "RMSprop: epsilon must be at least 1e-37, got %g", o->epsilon);
    return CN_OK;
}

/* Slots stand at fixed places; those not needed have no name. */
static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    const cn_rmsprop_options *o = options;
    names[0] = "velocity";
    names[1] = o->centered ? "average_gradient" : NULL;
    names[2] = o->momentum > 0 ? "momentum" : NULL;
    return CN__MAX_SLOTS;
}

static int can_idle(const void *options)
{
    return ((const cn_rmsprop_options *)options)->momentum == 0;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_rmsprop_options *o = options;
    (void)t;
    step->coefficients[RATE] = learning_rate;
    step->coefficients[RHO] = o->rho;
    step->coefficients[ONE_MINUS_RHO] = 1 - o->rho;
    step->coefficients[MOMENTUM] = o->momentum;
    step->coefficients[EPSILON] = o->epsilon;
    step->switches = (o->centered ? CENTERED : 0) | (o->momentum > 0 ? WITH_MOMENTUM : 0);
}

const cn__optimizer_class cn__optimizer_rmsprop = {
    .name = "RMSprop",
    .snake = "rmsprop",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_rmsprop_options),
    .defaults = &(const cn_rmsprop_options){CN_RMSPROP_DEFAULTS},
    .check = check,
    .slots = slots,
    .can_idle = can_idle,
    .begin_step = begin_step,
};

cn_optimizer *cn_rmsprop_create(const cn_rmsprop_options *options)
{
    return cn__optimizer_create(&cn__optimizer_rmsprop, options);
}
#endif
