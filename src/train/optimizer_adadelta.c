#include "kernels/functions.h"
#include "train/optimizer.h"

enum { RATE, RHO, ONE_MINUS_RHO, EPSILON };

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    real *restrict w = weight, *restrict s = slots[0], *restrict u = slots[1];
    const real *restrict g = gradient;
    const real rate = (real)step->coefficients[RATE], epsilon = (real)step->coefficients[EPSILON];
    const real rho = (real)step->coefficients[RHO], rest = (real)step->coefficients[ONE_MINUS_RHO];
    /* Averages that only decay are set to 0 before they become subnormal (see optimizer_rmsprop.c). */
    for (int64_t i = 0; i < n; i++) {
        real si = FMA(rest * g[i], g[i], rho * s[i]);
        real d = SQRT(u[i] + epsilon) * g[i] * cn__rsqrt(si + epsilon);
        real ui = FMA(rest * d, d, rho * u[i]);
        s[i] = si < REAL(1e-30) ? 0 : si;
        u[i] = ui < REAL(1e-30) ? 0 : ui;
        w[i] = FMA(-rate, d, w[i]);
    }
}

const cn__update CN_T(cn__optimizer_adadelta_update) = update;

/* Two averages that decay at different times: not worth waiting for. */
const cn__idle CN_T(cn__optimizer_adadelta_idle) = NULL;

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_adadelta_options, learning_rate)},
    {"rho", CN__FIELD_REAL, offsetof(cn_adadelta_options, rho)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_adadelta_options, epsilon)},
    CN__SHARED_FIELDS(cn_adadelta_options),
};

static int check(const void *options)
{
    const cn_adadelta_options *o = options;
    CN_TRY(cn__optimizer_check_share("Adadelta", "rho", o->rho));
    return cn__optimizer_check_epsilon("Adadelta", o->epsilon, 1e-37);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "accumulated_grad";
    names[1] = "accumulated_delta_var";
    return 2;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_adadelta_options *o = options;
    (void)t;
    step->coefficients[RATE] = learning_rate;
    step->coefficients[RHO] = o->rho;
    step->coefficients[ONE_MINUS_RHO] = 1 - o->rho;
    step->coefficients[EPSILON] = o->epsilon;
}

const cn__optimizer_class cn__optimizer_adadelta = {
    .name = "Adadelta",
    .snake = "adadelta",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_adadelta_options),
    .defaults = &(const cn_adadelta_options){CN_ADADELTA_DEFAULTS},
    .check = check,
    .slots = slots,
    .begin_step = begin_step,
};

cn_optimizer *cn_adadelta_create(const cn_adadelta_options *options)
{
    return cn__optimizer_create(&cn__optimizer_adadelta, options);
}
#endif
