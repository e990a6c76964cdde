/* Optimizers: how a gradient moves the weights. Formulas and defaults are Keras 3's (keras/src/optimizers).
 *
 * w weight, g gradient of the batch-mean loss, lr learning rate, t number of this update, from 1. All slots start at 0
 * unless said otherwise. A constructor returns an optimizer that cn_compile takes over, or NULL with an error message
 * (which cn_compile passes on). Every one can be written as text, with a schedule where the learning rate stands:
 * cn_optimizer_from_text("rmsprop(learning_rate=0.01, momentum=0.9)"), "adam(cosine_decay(0.001, 1000))". */
#ifndef CORNU_OPTIMIZER_H
#define CORNU_OPTIMIZER_H

#include <cornu/export.h>
#include <cornu/schedule.h>
#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cn_optimizer cn_optimizer;

/* --- Options of every optimizer -----------------------------------------------------------------------------------
 *
 * learning_rate                 from 0 upwards; the default stands with each optimizer
 * schedule                      learning rate by step (cornu/schedule.h), copied; NULL: learning_rate
 * clipnorm c                    each weight's gradient alone: g *= c / max(norm(g), c); 0: off
 * global_clipnorm c             all gradients together: g *= min(c / norm(all), 1); a norm that is not finite makes all
 *                               gradients NaN; 0: off
 * clipvalue v                   each number of g into -v ... v; 0: off. At most one of the three
 * weight_decay d                before the rule, w -= w * d * lr; 0: off
 * exclude_from_weight_decay     words with commas or blanks between them ("bias gamma"): weights whose name contains
 *                               one of them do not decay. A word with a slash is looked for in "layer/weight";
 *                               NULL: none
 * use_ema, ema_momentum m       after each step a = m*a + (1-m)*w (the first time a = w); at the end of fit w = a
 * ema_overwrite_frequency n     also every n steps w = a; 0: only at the end of fit
 * gradient_accumulation_steps k w moves at every k-th batch only, by the mean of the k gradients; t counts moves,
 *                               schedules count batches; 0: every batch
 * loss_scale_factor s           the loss is multiplied by s before the gradients are computed, and they are divided by
 *                               s before anything else, which keeps small ones from becoming 0 on the way; 0: off.
 *                               Losses that are reported are as without
 *
 * Order of one step: undo the loss scale, accumulate, clip, decay, rule, average, constraints of the layers. */
#define CN_OPTIMIZER_OPTIONS                                                                                        \
    double learning_rate;                                                                                           \
    const cn_schedule *schedule;                                                                                    \
    double clipnorm, clipvalue, global_clipnorm;                                                                    \
    double weight_decay;                                                                                            \
    const char *exclude_from_weight_decay;                                                                          \
    int use_ema;                                                                                                    \
    double ema_momentum;                                                                                            \
    int64_t ema_overwrite_frequency, gradient_accumulation_steps;                                                   \
    double loss_scale_factor;
#define CN_OPTIMIZER_DEFAULTS .ema_momentum = 0.99

/* --- SGD --- momentum 0: w -= lr*g.  Else m = momentum*m - lr*g, then w += m, or with nesterov
 * w += momentum*m - lr*g. */
typedef struct cn_sgd_options {
    CN_OPTIMIZER_OPTIONS
    double momentum; /* in [0, 1] */
    int nesterov;
} cn_sgd_options;
#define CN_SGD_DEFAULTS .learning_rate = 0.01, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_sgd_create(const cn_sgd_options *options);
#define cn_sgd(...) cn_sgd_create(&(const cn_sgd_options){CN_SGD_DEFAULTS, __VA_ARGS__})

/* --- RMSprop --- v = rho*v + (1-rho)*g^2;  centered: a = rho*a + (1-rho)*g, and v - a^2 stands for v below.
 *
 * dialect          increment                      momentum > 0                     note
 * "keras3"         i = lr*g/sqrt(v + epsilon)     m = momentum*m + i, w -= m       Keras 3, and tf.keras from 2.11
 * "keras2"         i = lr*g/(sqrt(v) + epsilon)   refused: it has none             Keras 2.3, tf.keras before 2.11
 * "pytorch"        i = g/(sqrt(v) + epsilon)      m = momentum*m + i, w -= lr*m    torch.optim.RMSprop; its own
 *                                                                                  defaults: rho 0.99, epsilon 1e-8
 * "tensorflow1"    i = lr*g/sqrt(v + epsilon)     m = momentum*m + i, w -= m       tf.compat.v1.train.RMSPropOptimizer;
 *                                                                                  v starts at 1; epsilon 1e-10
 *
 * Without momentum w -= i (pytorch: w -= lr*i). The options keep Keras's defaults in each dialect. (tf.keras before
 * 2.11 used the formula of keras3 when it had momentum.) */
typedef struct cn_rmsprop_options {
    CN_OPTIMIZER_OPTIONS
    double rho, momentum, epsilon;
    int centered;
    const char *dialect; /* NULL: "keras3" */
} cn_rmsprop_options;
#define CN_RMSPROP_DEFAULTS .learning_rate = 0.001, .rho = 0.9, .epsilon = 1e-7, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_rmsprop_create(const cn_rmsprop_options *options);
#define cn_rmsprop(...) cn_rmsprop_create(&(const cn_rmsprop_options){CN_RMSPROP_DEFAULTS, __VA_ARGS__})

/* --- Adam --- alpha = lr*sqrt(1-beta_2^t)/(1-beta_1^t);  m += (g-m)*(1-beta_1);  v += (g^2-v)*(1-beta_2);
 * amsgrad: h = max(h, v) replaces v;  w -= alpha*m/(sqrt(v)+epsilon). */
typedef struct cn_adam_options {
    CN_OPTIMIZER_OPTIONS
    double beta_1, beta_2, epsilon;
    int amsgrad;
} cn_adam_options;
#define CN_ADAM_DEFAULTS                                                                                            \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_adam_create(const cn_adam_options *options);
#define cn_adam(...) cn_adam_create(&(const cn_adam_options){CN_ADAM_DEFAULTS, __VA_ARGS__})

/* --- AdamW --- Adam with a weight_decay of 0.004 unless said otherwise. */
#define CN_ADAMW_DEFAULTS CN_ADAM_DEFAULTS, .weight_decay = 0.004
CN_API cn_optimizer *cn_adamw_create(const cn_adam_options *options);
#define cn_adamw(...) cn_adamw_create(&(const cn_adam_options){CN_ADAMW_DEFAULTS, __VA_ARGS__})

/* --- Adagrad --- s += g^2;  w -= lr*g/sqrt(s + epsilon).  s starts at initial_accumulator_value. */
typedef struct cn_adagrad_options {
    CN_OPTIMIZER_OPTIONS
    double initial_accumulator_value, epsilon;
} cn_adagrad_options;
#define CN_ADAGRAD_DEFAULTS                                                                                         \
    .learning_rate = 0.001, .initial_accumulator_value = 0.1, .epsilon = 1e-7, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_adagrad_create(const cn_adagrad_options *options);
#define cn_adagrad(...) cn_adagrad_create(&(const cn_adagrad_options){CN_ADAGRAD_DEFAULTS, __VA_ARGS__})

/* --- Adadelta --- s = rho*s + (1-rho)*g^2;  d = sqrt(u + epsilon)/sqrt(s + epsilon)*g;  u = rho*u + (1-rho)*d^2;
 * w -= lr*d. */
typedef struct cn_adadelta_options {
    CN_OPTIMIZER_OPTIONS
    double rho, epsilon;
} cn_adadelta_options;
#define CN_ADADELTA_DEFAULTS .learning_rate = 0.001, .rho = 0.95, .epsilon = 1e-7, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_adadelta_create(const cn_adadelta_options *options);
#define cn_adadelta(...) cn_adadelta_create(&(const cn_adadelta_options){CN_ADADELTA_DEFAULTS, __VA_ARGS__})

/* --- Adamax --- m += (g-m)*(1-beta_1);  u = max(beta_2*u, |g|);  w -= lr/(1-beta_1^t) * m/(u + epsilon). */
typedef struct cn_adamax_options {
    CN_OPTIMIZER_OPTIONS
    double beta_1, beta_2, epsilon;
} cn_adamax_options;
#define CN_ADAMAX_DEFAULTS                                                                                          \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_adamax_create(const cn_adamax_options *options);
#define cn_adamax(...) cn_adamax_create(&(const cn_adamax_options){CN_ADAMAX_DEFAULTS, __VA_ARGS__})

/* --- Nadam --- u_t = beta_1*(1 - 0.96^t/2);  P = u_1*u_2*...*u_t;  m and v as Adam;
 * h = u_{t+1}*m/(1 - P*u_{t+1}) + (1 - u_t)*g/(1 - P);  w -= lr*h/(sqrt(v/(1-beta_2^t)) + epsilon). */
typedef struct cn_nadam_options {
    CN_OPTIMIZER_OPTIONS
    double beta_1, beta_2, epsilon;
} cn_nadam_options;
#define CN_NADAM_DEFAULTS                                                                                           \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_nadam_create(const cn_nadam_options *options);
#define cn_nadam(...) cn_nadam_create(&(const cn_nadam_options){CN_NADAM_DEFAULTS, __VA_ARGS__})

/* --- Lion --- w -= lr*sign(beta_1*m + (1-beta_1)*g), sign(0) = 0;  m = beta_2*m + (1-beta_2)*g. */
typedef struct cn_lion_options {
    CN_OPTIMIZER_OPTIONS
    double beta_1, beta_2; /* beta_1 in (0, 1] */
} cn_lion_options;
#define CN_LION_DEFAULTS .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.99, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_lion_create(const cn_lion_options *options);
#define cn_lion(...) cn_lion_create(&(const cn_lion_options){CN_LION_DEFAULTS, __VA_ARGS__})

/* --- Ftrl --- p = learning_rate_power (at most 0), n starts at initial_accumulator_value:  N = n + g^2;
 * z += g + 2*l2_shrinkage*w - (N^-p - n^-p)/lr*w;  w = (clip(z, -l1, l1) - z)/(N^-p/lr + 2*(l2 + beta/(2*lr)));
 * n = N. */
typedef struct cn_ftrl_options {
    CN_OPTIMIZER_OPTIONS
    double learning_rate_power, initial_accumulator_value;
    double l1_regularization_strength, l2_regularization_strength, l2_shrinkage_regularization_strength, beta;
} cn_ftrl_options;
#define CN_FTRL_DEFAULTS                                                                                            \
    .learning_rate = 0.001, .learning_rate_power = -0.5, .initial_accumulator_value = 0.1, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_ftrl_create(const cn_ftrl_options *options);
#define cn_ftrl(...) cn_ftrl_create(&(const cn_ftrl_options){CN_FTRL_DEFAULTS, __VA_ARGS__})

/* --- Lamb --- Adam's step u = (m/(1-beta_1^t)) / (sqrt(v/(1-beta_2^t)) + epsilon), as long as the weight:
 * w -= lr * norm(w)/norm(u) * u, the norms over each weight; their quotient is 1 where one of them is 0. (You and
 * others 2019, as Keras has it.) */
typedef struct cn_lamb_options {
    CN_OPTIMIZER_OPTIONS
    double beta_1, beta_2, epsilon;
} cn_lamb_options;
#define CN_LAMB_DEFAULTS                                                                                            \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_lamb_create(const cn_lamb_options *options);
#define cn_lamb(...) cn_lamb_create(&(const cn_lamb_options){CN_LAMB_DEFAULTS, __VA_ARGS__})

/* --- Adafactor --- b = 1 - t^beta_2_decay, and per matrix of a weight (its last two axes) the means over columns and
 * rows
 *     r = b*r + (1-b)*mean(g^2 + epsilon_1),  c likewise,  v = r*c/mean(r);
 * for a weight of one axis v = b*v + (1-b)*(g^2 + epsilon_1);
 * u = g/sqrt(v);  w -= min(lr, 1/sqrt(t)) * max(epsilon_2, rms(w)) * u/max(1, rms(u)/clip_threshold), rms over each
 * weight. (Shazeer and Stern 2018.) relative_step is accepted and changes nothing: in Keras the rate is at most
 * 1/sqrt(t) without it, too. */
typedef struct cn_adafactor_options {
    CN_OPTIMIZER_OPTIONS
    double beta_2_decay, epsilon_1, epsilon_2, clip_threshold;
    int relative_step;
} cn_adafactor_options;
#define CN_ADAFACTOR_DEFAULTS                                                                                       \
    .learning_rate = 0.001, .beta_2_decay = -0.8, .epsilon_1 = 1e-30, .epsilon_2 = 1e-3, .clip_threshold = 1,       \
    .relative_step = 1, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_adafactor_create(const cn_adafactor_options *options);
#define cn_adafactor(...) cn_adafactor_create(&(const cn_adafactor_options){CN_ADAFACTOR_DEFAULTS, __VA_ARGS__})

/* --- Muon --- for weights of two axes: m = momentum*m + g;  o = m, or with nesterov g + momentum*m;  x = o/norm(o),
 * then ns_steps times x = a*x + (b*S + c*S*S)x with S = x x' (Newton and Schulz), which makes x nearly orthogonal;
 * w -= lr * rms_rate*sqrt(max(rows, columns)) * x (rms_rate 0, Keras's None: w -= lr*x). All other weights, those whose
 * name has the word embedding (exclude_embeddings), and those whose "layer/weight" has one of the words of
 * exclude_layers are moved by Adam with adam_beta_1, adam_beta_2 and epsilon at lr*adam_lr_ratio, and decay by
 * adam_weight_decay. (Jordan and others 2024, as Keras has it.) */
typedef struct cn_muon_options {
    CN_OPTIMIZER_OPTIONS
    double adam_beta_1, adam_beta_2, adam_weight_decay, epsilon;
    const char *exclude_layers; /* words with commas or blanks between them; NULL: none */
    int exclude_embeddings;
    double muon_a, muon_b, muon_c, adam_lr_ratio, momentum;
    int64_t ns_steps;
    int nesterov;
    double rms_rate;
} cn_muon_options;
#define CN_MUON_DEFAULTS                                                                                            \
    .learning_rate = 0.001, .weight_decay = 0.004, .adam_beta_1 = 0.9, .adam_beta_2 = 0.999,                        \
    .adam_weight_decay = 0.004, .epsilon = 1e-7, .exclude_embeddings = 1, .muon_a = 3.4445, .muon_b = -4.775,       \
    .muon_c = 2.0315, .adam_lr_ratio = 1, .momentum = 0.95, .ns_steps = 5, .nesterov = 1, .rms_rate = 0.2,          \
    CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_muon_create(const cn_muon_options *options);
#define cn_muon(...) cn_muon_create(&(const cn_muon_options){CN_MUON_DEFAULTS, __VA_ARGS__})

/* --- ScheduleFreeAdamW --- v += (g^2-v)*(1-beta_2);  z -= lr*g/(sqrt(v/(1-beta_2^t)) + epsilon), z starting as w;
 * x = x + (z-x)/t, the mean of all z;  w = beta_1*x + (1-beta_1)*z. lr grows linearly over the first warmup_steps. As
 * in Keras, fit ends with w, not with x. (Defazio and others 2024.) */
typedef struct cn_schedule_free_adamw_options {
    CN_OPTIMIZER_OPTIONS
    double beta_1, beta_2, epsilon; /* beta_1 in (0, 1] */
    int64_t warmup_steps;
} cn_schedule_free_adamw_options;
#define CN_SCHEDULE_FREE_ADAMW_DEFAULTS                                                                             \
    .learning_rate = 0.0025, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-8, CN_OPTIMIZER_DEFAULTS
CN_API cn_optimizer *cn_schedule_free_adamw_create(const cn_schedule_free_adamw_options *options);
#define cn_schedule_free_adamw(...)                                                                                 \
    cn_schedule_free_adamw_create(&(const cn_schedule_free_adamw_options){CN_SCHEDULE_FREE_ADAMW_DEFAULTS, __VA_ARGS__})

/* --- LossScaleOptimizer --- any optimizer, with a loss scale (see loss_scale_factor) that finds its own size: it
 * starts at initial_scale; a step with a gradient that is infinite or NaN is left out (it does not count, and nothing
 * moves) and halves the scale; after dynamic_growth_steps steps in a row without one the scale doubles. For numbers of
 * few digits, whose small gradients vanish; scale and counter are saved with the optimizer's state. Takes the inner
 * optimizer over, whose own loss_scale_factor is switched off; NULL where that is NULL. As text:
 * "loss_scale_optimizer(adam(0.001))". */
typedef struct cn_loss_scale_options {
    double initial_scale;
    int64_t dynamic_growth_steps;
} cn_loss_scale_options;
#define CN_LOSS_SCALE_DEFAULTS .initial_scale = 32768, .dynamic_growth_steps = 2000
CN_API cn_optimizer *cn_loss_scale_optimizer_create(cn_optimizer *inner_optimizer,
                                                    const cn_loss_scale_options *options);
/* cn_loss_scale_optimizer(cn_adam()), cn_loss_scale_optimizer(cn_adam(), .initial_scale = 1024) */
#define cn_loss_scale_optimizer(...) CN_LOSS_SCALE_OPTIMIZER_(__VA_ARGS__, )
#define CN_LOSS_SCALE_OPTIMIZER_(inner, ...)                                                                        \
    cn_loss_scale_optimizer_create(inner, &(const cn_loss_scale_options){CN_LOSS_SCALE_DEFAULTS, __VA_ARGS__})

/* --- by name ------------------------------------------------------------------------------------------------------ */

/* An optimizer from its name, arguments in brackets. Errors: CN_ENAME (with the nearest known name), CN_EINVAL. */
CN_API cn_optimizer *cn_optimizer_from_text(const char *text);

/* Destroys an optimizer that no model has taken. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_optimizer_destroy(cn_optimizer **optimizer);

/* --- without a model ---------------------------------------------------------------------------------------------- */

/* Moves n variables by their gradients: one step, with all options of the optimizer but exclude_from_weight_decay
 * (tensors have no names, so Muon's lists of names find none). Any float32 or float64 tensors that can be written and
 * have no gaps will do; gradients come from cn_tape_gradient or anywhere else, with the variables' shapes. A gradient
 * of NULL leaves its variable as it is, also its averages. Keras: optimizer.apply_gradients(zip(gradients, variables)).
 *
 *     cn_optimizer *optimizer = cn_rmsprop();
 *     ...
 *     cn_tape_gradient(tape, loss, 4, weights, gradients);
 *     cn_apply_gradients(optimizer, 4, gradients, weights);
 *
 * The first call makes the state for its variables, which stay yours and must be there until the optimizer is destroyed
 * or not used again; later calls must bring the same in the same order, and allocate nothing. One thread at a time for
 * one optimizer. A tape does not hear of it. Errors: CN_EINVAL (no gradient at all, other variables than before, one
 * that cannot be written), CN_EDTYPE, CN_ESHAPE, CN_ENOMEM; then no variable has moved. */
CN_API int cn_apply_gradients(cn_optimizer *optimizer, int n, cn_tensor *const *gradients, cn_tensor *const *variables);

/* What a loss is to be multiplied by before its gradients go to cn_apply_gradients, which divides them again: with
 * loss_scale_factor that factor, of a loss_scale_optimizer the scale of the next step, of all others 1; 0 with an error
 * message for NULL. cn_fit and cn_train_step do it themselves. Keras: optimizer.scale_loss. */
CN_API double cn_loss_scale(const cn_optimizer *optimizer);

/* With use_ema, the variables of cn_apply_gradients become their averages, as fit does it at its end; otherwise nothing
 * happens. Keras: optimizer.finalize_variable_values. Error: CN_EINVAL (no step was made). */
CN_API int cn_finalize_variables(cn_optimizer *optimizer);

#ifdef __cplusplus
}
#endif
#endif
