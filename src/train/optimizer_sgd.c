#include "kernels/real.h"
#include "train/optimizer.h"

enum { RATE, MOMENTUM };
enum { NESTEROV = 1, WITH_MOMENTUM = 2 };

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict m = slots[0];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], momentum = (real)step->coefficients[MOMENTUM];
    if (!(step->switches & WITH_MOMENTUM)) {
        for (int64_t i = 0; i < n; i++) w[i] = FMA(-rate, g[i], w[i]);
    } else if (!(step->switches & NESTEROV)) {
        for (int64_t i = 0; i < n; i++) {
            m[i] = FMA(momentum, m[i], -(rate * g[i]));
            w[i] += m[i];
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            m[i] = FMA(momentum, m[i], -(rate * g[i]));
            w[i] += FMA(momentum, m[i], -(rate * g[i]));
        }
    }
}

const cn__update CN_T(cn__optimizer_sgd_update) = update;

/* Without momentum there are no slots, and without a gradient nothing happens. */
static void idle(const cn__step *step, int64_t n, void *const slots[CN__MAX_SLOTS], int64_t steps)
{
    (void)step;
    (void)n;
    (void)slots;
    (void)steps;
}

const cn__idle CN_T(cn__optimizer_sgd_idle) = idle;

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_sgd_options, learning_rate)},
    {"momentum", CN__FIELD_REAL, offsetof(cn_sgd_options, momentum)},
    {"nesterov", CN__FIELD_INT, offsetof(cn_sgd_options, nesterov)},
    CN__SHARED_FIELDS(cn_sgd_options),
};

static int check(const void *options)
{
    const cn_sgd_options *o = options;
    if (!(o->momentum >= 0 && o->momentum <= 1))
        return cn__fail(CN_EINVAL, "SGD: momentum must lie in 0 ... 1, got %g", o->momentum);
    return CN_OK;
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    names[0] = "momentum";
    return ((const cn_sgd_options *)options)->momentum != 0;
}

static int can_idle(const void *options)
{
    return ((const cn_sgd_options *)options)->momentum == 0;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_sgd_options *o = options;
    (void)t;
    step->coefficients[RATE] = learning_rate;
    step->coefficients[MOMENTUM] = o->momentum;
    step->switches = (o->nesterov ? NESTEROV : 0) | (o->momentum != 0 ? WITH_MOMENTUM : 0);
}

const cn__optimizer_class cn__optimizer_sgd = {
    .name = "SGD",
    .snake = "sgd",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_sgd_options),
    .defaults = &(const cn_sgd_options){CN_SGD_DEFAULTS},
    .check = check,
    .slots = slots,
    .can_idle = can_idle,
    .begin_step = begin_step,
};

cn_optimizer *cn_sgd_create(const cn_sgd_options *options)
{
    return cn__optimizer_create(&cn__optimizer_sgd, options);
}
#endif
