/* Optimizers: how a gradient moves the weights. Formulas and defaults are Keras 3's (keras/src/optimizers).
 *
 * w weight, g gradient of the batch-mean loss, lr learning rate, t number of this update, from 1. All slots start at 0.
 * A constructor returns an optimizer that cn_compile takes over, or NULL with an error message (which cn_compile
 * passes on). Every one can be written as text: cn_optimizer_from_text("rmsprop(learning_rate=0.01, momentum=0.9)"). */
#ifndef CORNU_OPTIMIZER_H
#define CORNU_OPTIMIZER_H

#include <cornu/export.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cn_optimizer cn_optimizer;

/* SGD.  momentum 0: w -= lr*g.  Else m = momentum*m - lr*g, then w += m, or with nesterov w += momentum*m - lr*g. */
typedef struct cn_sgd_options {
    double learning_rate, momentum; /* momentum in [0, 1] */
    int nesterov;
} cn_sgd_options;
#define CN_SGD_DEFAULTS .learning_rate = 0.01
CN_API cn_optimizer *cn_sgd_create(const cn_sgd_options *options);
#define cn_sgd(...) cn_sgd_create(&(const cn_sgd_options){CN_SGD_DEFAULTS, __VA_ARGS__})

/* RMSprop.  v = rho*v + (1-rho)*g^2;  d = v + epsilon, centered: a = rho*a + (1-rho)*g, d = v - a^2 + epsilon;
 * i = lr*g/sqrt(d);  momentum > 0: m = momentum*m + i, w -= m;  else w -= i.  (epsilon is inside the root.) */
typedef struct cn_rmsprop_options {
    double learning_rate, rho, momentum, epsilon;
    int centered;
} cn_rmsprop_options;
#define CN_RMSPROP_DEFAULTS .learning_rate = 0.001, .rho = 0.9, .epsilon = 1e-7
CN_API cn_optimizer *cn_rmsprop_create(const cn_rmsprop_options *options);
#define cn_rmsprop(...) cn_rmsprop_create(&(const cn_rmsprop_options){CN_RMSPROP_DEFAULTS, __VA_ARGS__})

/* Adam.  alpha = lr*sqrt(1-beta_2^t)/(1-beta_1^t);  m += (g-m)*(1-beta_1);  v += (g^2-v)*(1-beta_2);
 * amsgrad: h = max(h, v) replaces v;  w -= alpha*m/(sqrt(v)+epsilon). */
typedef struct cn_adam_options {
    double learning_rate, beta_1, beta_2, epsilon;
    int amsgrad;
} cn_adam_options;
#define CN_ADAM_DEFAULTS .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7
CN_API cn_optimizer *cn_adam_create(const cn_adam_options *options);
#define cn_adam(...) cn_adam_create(&(const cn_adam_options){CN_ADAM_DEFAULTS, __VA_ARGS__})

/* An optimizer from its name, arguments in brackets. Errors: CN_ENAME (with the nearest known name), CN_EINVAL. */
CN_API cn_optimizer *cn_optimizer_from_text(const char *text);

/* Destroys an optimizer that no model has taken. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_optimizer_destroy(cn_optimizer **optimizer);

#ifdef __cplusplus
}
#endif
#endif
