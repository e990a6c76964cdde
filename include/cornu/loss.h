/* Losses: how far a model's output is from what it should be. Formulas and defaults are Keras 3's (keras/src/losses).
 *
 * A loss is written as text, its arguments in brackets: "mse", "huber(delta=2)",
 * "categorical_crossentropy(label_smoothing=0.1, from_logits=1)". Case and underscores do not matter, so Keras's class
 * names will do: "CategoricalCrossentropy(from_logits=True)". cn_compile takes it as .loss; cn_names(CN_NAMES_LOSS, i)
 * lists all.
 *
 * t target, p output of the model, z an output that holds logits, d = p - t, K columns: the last axis of the output.
 * Each row of the last axis gives one number; "mean" and "sum" below run over that axis. e = 1e-7, and a probability
 * that is clipped passes no gradient on. Targets have the output's shape; those of sparse losses are whole numbers, one
 * for each row.
 *
 *   categorical_crossentropy (cce)       (from_logits=0, label_smoothing=0)
 *       t becomes t (1 - s) + s / K;  p becomes p / sum p, clipped to e ... 1 - e;  -sum t log p.
 *       Logits: sum t (log sum exp z - z); the gradient is p - t.
 *   sparse_categorical_crossentropy      (from_logits=0, ignore_class=None)
 *       The same for class numbers. Rows of the ignored class cost nothing, and the mean is over the others.
 *   binary_crossentropy (bce)            (from_logits=0, label_smoothing=0)
 *       t becomes t (1 - s) + s / 2;  mean -(t log p + (1 - t) log(1 - p)), p clipped to e ... 1 - e.
 *       Logits: mean max(z, 0) - t z + log(1 + exp -|z|).
 *   categorical_focal_crossentropy       (alpha=0.25, gamma=2, from_logits=0, label_smoothing=0)
 *       sum alpha (1 - p)^gamma (-t log p), p and t as in categorical_crossentropy. Logits go through a softmax.
 *   binary_focal_crossentropy            (apply_class_balancing=0, alpha=0.25, gamma=2, from_logits=0,
 *                                        label_smoothing=0)
 *       mean w (1 - q)^gamma bce, with q = t p + (1 - t)(1 - p); w = 1, balanced: t alpha + (1 - t)(1 - alpha).
 *   categorical_generalized_cross_entropy (q=0.5)      (1 - p^q) / q, p that of the label: takes class numbers
 *   mean_squared_error (mse)             mean d^2
 *   mean_absolute_error (mae)            mean |d|
 *   mean_absolute_percentage_error (mape)     100 mean |d| / max(|t|, e)
 *   mean_squared_logarithmic_error (msle)     mean (log(max(p, e) + 1) - log(max(t, e) + 1))^2
 *   huber                                (delta=1)     mean of d^2 / 2 where |d| <= delta, else delta |d| - delta^2 / 2
 *   log_cosh                             mean |d| + log(1 + exp(-2 |d|)) - log 2
 *   kl_divergence (kld)                  sum t log(t / p), both clipped to e ... 1
 *   poisson                              mean p - t log(p + e)
 *   cosine_similarity                    (axis=-1)     -sum t p / (|t| |p|); 0 where a row is all zero
 *   hinge, squared_hinge                 mean max(1 - t p, 0), or that squared. If all targets of the batch are 0 or 1
 *                                        they stand for -1 and 1.
 *   categorical_hinge                    max(max((1 - t) p) - sum t p + 1, 0)
 *   dice                                 (axis=None)   1 - 2 sum t p / (sum t + sum p + e), sums over the whole batch
 *   tversky                              (alpha=0.5, beta=0.5, axis=None)
 *       1 - b / (b + alpha sum t (1 - p) + beta sum (1 - t) p + e), b = sum t p, sums over the whole batch
 *   circle                               (gamma=80, margin=0.4, remove_diagonal=1)
 *       Outputs are embeddings, one row of length 1 for each sample, labels any whole numbers; with d_ij =
 *       max(1 - p_i p_j, 0)
 *       log(1 + sum_j e^(-gamma max(m + d, 0) (m - d)) sum_k e^(gamma max(1 + m - d, 0) (1 - m - d))), j over the
 *       samples of the label of i, without i itself unless remove_diagonal is 0, k over those of other labels. Rows
 *       that cost nothing do not count in the mean. Source: Sun and others 2020, as Keras has it.
 *   ctc                                  Outputs are logits (n, steps, K), labels (n, length) with class 0 for the
 *                                        blank and for all places behind the last label: -log of the sum over all ways
 *                                        to spell the labels of the product of their p; infinite if there are too few
 *                                        steps. One number for each sequence. Source: Graves and others 2006.
 *   crossentropy (ce)                    without arguments: binary_crossentropy for one column; else the sparse one
 *                                        where the targets are labels, and categorical_crossentropy where they are rows
 *
 * axis: a row is that axis of the output instead of the last one, batch first: 1 of (n, classes, places); labels then
 * have the output's shape without it. Of dice and tversky also several, (1, 2): a number for each place of the others.
 * categorical_crossentropy, sparse_categorical_crossentropy, binary_crossentropy and both focal ones take axis=-1 too;
 * as in Keras, label_smoothing is divided by the size of the last axis. A sample's weight is that of all its rows.
 *
 * Every loss also takes reduction=: how the numbers l of the rows and the weights w of their samples become one.
 *   sum_over_batch_size (or mean)        sum w l / number of rows; the default
 *   sum                                  sum w l
 *   mean_with_sample_weight              sum w l / sum w
 *   none                                 the numbers themselves, for cn_loss_compute only
 * Where the divisor is 0 the loss is 0. */
#ifndef CORNU_LOSS_H
#define CORNU_LOSS_H

#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The loss of outputs that you have. y_pred: (n, ..., K); y_true: the same shape, or (n, ...) for sparse losses; an
 * axis of 1 may be missing or too many at the end. sample_weight: (n,), or one for each row of the last axis; NULL: all
 * 1. Computed and returned in float64 if y_pred is float64, else in float32: a scalar, or with reduction=none the shape
 * of y_pred without the axes of a row, mostly the last one. You destroy the tensor.
 * A gradient tape (tape.h) writes it down, so a loss of a training loop of your own may come from here: its gradient
 * with respect to y_pred is cn_loss_gradient's, y_true and weights count as constants, and a second derivative is
 * refused with CN_ENOTSUP.
 * NULL on CN_ENAME (with the nearest known name), CN_EINVAL (an argument, a label outside the columns), CN_ESHAPE,
 * CN_ENOMEM. Thread rule: calls may run side by side. */
CN_API cn_tensor *cn_loss_compute(const char *loss, const cn_tensor *y_true, const cn_tensor *y_pred,
                                  const cn_tensor *sample_weight);

/* 1 if the loss takes class numbers (crossentropy: may take them), 0 if it takes rows of numbers. Errors: CN_ENAME,
 * CN_EINVAL. */
CN_API int cn_loss_takes_labels(const char *loss);

/* The gradient of that loss with respect to y_pred, in y_pred's shape; of the sum of the numbers where reduction=none.
 * You destroy the tensor. Errors as above. */
CN_API cn_tensor *cn_loss_gradient(const char *loss, const cn_tensor *y_true, const cn_tensor *y_pred,
                                   const cn_tensor *sample_weight);

#ifdef __cplusplus
}
#endif
#endif
