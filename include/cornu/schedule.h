/* Learning-rate schedules: the learning rate as a function of the step. Formulas and defaults are Keras 3's
 * (keras/src/optimizers/schedules). s is the number of the step, 0 for the first one; computed in double precision,
 * with the same bits on every machine.
 *
 * A schedule is a value for the option `schedule` of any optimizer, which copies it:
 *
 *     cn_sgd(.schedule = cn_exponential_decay(0.1, 1000, 0.96, .staircase = 1))
 *
 * and in text it stands for the learning rate: "sgd(learning_rate=exponential_decay(0.1, 1000, 0.96, staircase=1))".
 * Bad arguments are reported by the optimizer's constructor. */
#ifndef CORNU_SCHEDULE_H
#define CORNU_SCHEDULE_H

#include <cornu/export.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CN_MAX_BOUNDARIES 15

/* Every argument that any schedule takes; the macros below fill in the right ones. */
typedef struct cn_schedule {
    const char *name; /* "exponential_decay" */
    double initial_learning_rate;
    int64_t decay_steps; /* D in the formulas, > 0; first_decay_steps of cosine_decay_restarts */
    double decay_rate;
    int staircase;       /* 1: s/D is rounded down */
    double end_learning_rate, power;
    int cycle;
    double alpha, warmup_target;
    int64_t warmup_steps;
    double t_mul, m_mul;
    double boundaries[CN_MAX_BOUNDARIES + 1]; /* ascending and positive, up to the first 0 */
    double values[CN_MAX_BOUNDARIES + 1];     /* one more than boundaries */
} cn_schedule;

#define CN_SCHEDULE_(...) (&(const cn_schedule){__VA_ARGS__})

/* ExponentialDecay: rate * decay_rate^(s/D).  cn_exponential_decay(rate, D, decay_rate, .staircase = 1) */
#define cn_exponential_decay(rate, steps, ...)                                                                      \
    CN_SCHEDULE_(.name = "exponential_decay", .initial_learning_rate = (rate), .decay_steps = (steps),              \
                 .decay_rate = __VA_ARGS__)

/* InverseTimeDecay: rate / (1 + decay_rate * s/D).  cn_inverse_time_decay(rate, D, decay_rate, .staircase = 1) */
#define cn_inverse_time_decay(rate, steps, ...)                                                                     \
    CN_SCHEDULE_(.name = "inverse_time_decay", .initial_learning_rate = (rate), .decay_steps = (steps),             \
                 .decay_rate = __VA_ARGS__)

/* PolynomialDecay: (rate - end) * (1 - s/D)^power + end, s at most D; with cycle, D grows to the next multiple of
 * itself that is at least s.  cn_polynomial_decay(rate, D, .end_learning_rate = 0.0001, .power = 1, .cycle = 0) */
#define cn_polynomial_decay(rate, ...)                                                                              \
    CN_SCHEDULE_(.name = "polynomial_decay", .end_learning_rate = 1e-4, .power = 1,                                 \
                 .initial_learning_rate = (rate), .decay_steps = __VA_ARGS__)

/* PiecewiseConstantDecay: values[0] up to step boundaries[0] (included), values[1] up to boundaries[1], ...
 * cn_piecewise_constant_decay(.boundaries = {1000, 2000}, .values = {0.1, 0.01, 0.001}) */
#define cn_piecewise_constant_decay(...) CN_SCHEDULE_(.name = "piecewise_constant_decay", __VA_ARGS__)

/* CosineDecay: rate * ((1 - alpha) * (1 + cos(pi * min(s,D)/D)) / 2 + alpha). With warmup_steps W > 0 the rate first
 * goes linearly from rate to warmup_target within W steps, and the cosine then starts from there with s - W.
 * cn_cosine_decay(rate, D, .alpha = 0, .warmup_target = 0.1, .warmup_steps = 100) */
#define cn_cosine_decay(rate, ...)                                                                                  \
    CN_SCHEDULE_(.name = "cosine_decay", .initial_learning_rate = (rate), .decay_steps = __VA_ARGS__)

/* CosineDecayRestarts (SGDR, Loshchilov and Hutter 2016): a cosine over D steps, then over D * t_mul steps starting
 * from rate * m_mul, and so on; alpha * rate is the least.
 * cn_cosine_decay_restarts(rate, D, .t_mul = 2, .m_mul = 1, .alpha = 0); t_mul is at least 1. */
#define cn_cosine_decay_restarts(rate, ...)                                                                         \
    CN_SCHEDULE_(.name = "cosine_decay_restarts", .t_mul = 2, .m_mul = 1, .initial_learning_rate = (rate),          \
                 .decay_steps = __VA_ARGS__)

/* What a schedule gives for a step, NaN with an error message for a schedule with bad arguments (CN_ENAME,
 * CN_EINVAL). */
CN_API double cn_schedule_value(const cn_schedule *schedule, int64_t step);

#ifdef __cplusplus
}
#endif
#endif
