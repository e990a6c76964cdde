#include "kernels/functions.h"
#include "kernels/rmsprop.h"
#include "train/optimizer.h"

enum {
    RATE = CN__RMSPROP_RATE,
    RHO = CN__RMSPROP_RHO,
    ONE_MINUS_RHO = CN__RMSPROP_ONE_MINUS_RHO,
    MOMENTUM = CN__RMSPROP_MOMENTUM,
    EPSILON = CN__RMSPROP_EPSILON
};
enum { CENTERED = 1, WITH_MOMENTUM = 2, OUTSIDE = 4 };

/* Keras's rho v + (1-rho) g^2. The form v + (1-rho) (g^2 - v) costs an operation less, but with it the recorded 200
 * steps of Keras part from ours at step 150 (tests/unit/test_parity_main_job.c). */
static inline real averaged(real v, real rho, real one_minus_rho, real g)
{
    v = FMA(one_minus_rho * g, g, rho * v);
    return v < CN__RMSPROP_TINY ? 0 : v;
}

/* Epsilon outside the root, the dialects keras2 and pytorch: a separate loop, since nearly nobody needs it. In PyTorch
 * the root of a variance that rounding has made negative is NaN; here it counts as 0. */
static void update_outside(const cn__step *step, int64_t n, real *restrict w, void *const slots[CN__MAX_SLOTS],
                           const real *restrict g)
{
    real *restrict v = slots[0], *restrict a = slots[1], *restrict m = slots[2];
    const real rate = (real)step->coefficients[RATE], rho = (real)step->coefficients[RHO];
    const real rest = (real)step->coefficients[ONE_MINUS_RHO];
    const real momentum = (real)step->coefficients[MOMENTUM], epsilon = (real)step->coefficients[EPSILON];
    for (int64_t i = 0; i < n; i++) {
        v[i] = averaged(v[i], rho, rest, g[i]);
        real variance = v[i];
        if (step->switches & CENTERED) {
            a[i] = FMA(rest, g[i], rho * a[i]);
            variance = FMA(-a[i], a[i], v[i]);
        }
        real increment = g[i] / (SQRT(variance < 0 ? 0 : variance) + epsilon);
        if (step->switches & WITH_MOMENTUM) increment = m[i] = FMA(momentum, m[i], increment);
        w[i] = FMA(-rate, increment, w[i]);
    }
}

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
#if CN__HAS_RMSPROP_ROW
    if (step->is_plain_rmsprop) {
        cn__rmsprop_move_row(step, n, weight, slots[0], gradient);
        return;
    }
#endif
    real *restrict w = weight, *restrict v = slots[0], *restrict a = slots[1], *restrict m = slots[2];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], rho = (real)step->coefficients[RHO];
    const real rest = (real)step->coefficients[ONE_MINUS_RHO];
    const real momentum = (real)step->coefficients[MOMENTUM], epsilon = (real)step->coefficients[EPSILON];
    switch (step->switches & OUTSIDE ? OUTSIDE : step->switches) {
    case OUTSIDE: update_outside(step, n, w, slots, g); break;
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
#if CN__HAS_RMSPROP_ROW
    if (!a) {
        cn__rmsprop_idle_row(step, n, v, steps);
        return;
    }
#endif
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
#include "base/suggest.h"

#include <string.h>

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_rmsprop_options, learning_rate)},
    {"rho", CN__FIELD_REAL, offsetof(cn_rmsprop_options, rho)},
    {"momentum", CN__FIELD_REAL, offsetof(cn_rmsprop_options, momentum)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_rmsprop_options, epsilon)},
    {"centered", CN__FIELD_INT, offsetof(cn_rmsprop_options, centered)},
    CN__SHARED_FIELDS(cn_rmsprop_options),
    {"dialect", CN__FIELD_TEXT, offsetof(cn_rmsprop_options, dialect)},
};

/* Whose formula: the places in this list. */
enum { KERAS3, KERAS2, PYTORCH, TENSORFLOW1, N_DIALECTS };
static const char *const dialects[N_DIALECTS] = {"keras3", "keras2", "pytorch", "tensorflow1"};

static int dialect_of(const cn_rmsprop_options *o)
{
    int i = 0;
    while (o->dialect && i < N_DIALECTS && strcmp(o->dialect, dialects[i])) i++;
    return i;
}

static int check(const void *options)
{
    const cn_rmsprop_options *o = options;
    if (dialect_of(o) == N_DIALECTS) {
        cn__fail_unknown("dialect", o->dialect, dialects, N_DIALECTS);
        return cn__fail_prefix("RMSprop: ");
    }
    if (dialect_of(o) == KERAS2 && o->momentum != 0)
        return cn__fail(CN_EINVAL, "RMSprop: in the dialect keras2 it has no momentum (tf.keras 2 used the formula of "
                                   "keras3 with momentum), got %g", o->momentum);
    CN_TRY(cn__optimizer_check_share("RMSprop", "rho", o->rho));
    if (!(o->momentum >= 0 && o->momentum <= 1))
        return cn__fail(CN_EINVAL, "RMSprop: momentum must lie in 0 ... 1, got %g", o->momentum);
    return cn__optimizer_check_epsilon("RMSprop", o->epsilon, 1e-37);
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

/* In TensorFlow 1 the average of squares starts at 1, which makes the first steps small. */
static void start(const void *options, double values[CN__MAX_SLOTS])
{
    if (dialect_of(options) == TENSORFLOW1) values[0] = 1;
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
    int dialect = dialect_of(o);
    step->switches = (o->centered ? CENTERED : 0) | (o->momentum > 0 ? WITH_MOMENTUM : 0) |
                     (dialect == KERAS2 || dialect == PYTORCH ? OUTSIDE : 0);
    step->is_plain_rmsprop = step->switches == 0;
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
    .start = start,
    .can_idle = can_idle,
    .begin_step = begin_step,
};

cn_optimizer *cn_rmsprop_create(const cn_rmsprop_options *options)
{
    return cn__optimizer_create(&cn__optimizer_rmsprop, options);
}
#endif
