/* Gradients: a tape writes down the tensor operations of a thread, and plays them backwards.
 *
 *     cn_tensor *x = cn_scalar(CN_FLOAT64, 3), *slope;
 *     cn_tape *tape = cn_tape_create(NULL);                          // records from here on
 *     CN_CHECK(cn_tape_watch(tape, x));                              // not needed for what cn_variable made
 *     cn_tensor *y = cn_tensor_add(cn_tensor_multiply(x, x), x);
 *     CN_CHECK(cn_tape_gradient(tape, y, 1, &x, &slope));            // 2 x + 1
 *     printf("%g\n", cn_item(slope));                                // 7
 *     cn_tape_destroy(&tape);                                        // and with it y and slope
 *     cn_tensor_destroy(&x);
 *
 * The rules are those of tf.GradientTape. Written down are operations on watched tensors and on what came out of them;
 * variables are watched by themselves, constants only if asked, integers never. A target of many elements is summed.
 * Where broadcasting stretched an axis, the gradient is summed over it. A source that the target does not depend on has
 * no gradient, which is not the same as a gradient of zeros: its pointer is NULL. Losses (cn_loss_compute) are written
 * down too; what a model computes (cn_predict) is a constant.
 *
 * Ownership. Every tensor made on the thread while a tape records there belongs to the tape, the innermost if there are
 * several, and so do the gradients: they are destroyed with it. cn_keep makes one yours. What a tape has written down
 * stays in memory until the tape goes, even if you destroy it meanwhile; memory of your own (cn_tensor_wrap) must
 * outlive the tape, and numbers that changed in between give wrong gradients.
 *
 * Second derivatives: the gradient is itself computed by tensor operations, so a second tape that records meanwhile can
 * be asked for the gradient of the gradient.
 *
 * Threads. A tape belongs to the thread that made it; several threads may have tapes of their own.
 *
 * Errors of all of them: CN_ENOMEM, and CN_EINVAL when something that must be there is NULL. */
#ifndef CORNU_TAPE_H
#define CORNU_TAPE_H

#include <cornu/operations.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- variables -------------------------------------------------------------------------------------------------- */

/* A tensor that every tape watches, with a copy of the values. You destroy it, whatever records meanwhile. Its numbers
 * are changed in place, outside of a recording: cn_tensor_subtract_inplace(w, step).
 * Error: CN_EDTYPE (neither float32 nor float64 and no scale that would make it float32). Source: tf.Variable. */
CN_API cn_tensor *cn_variable(const cn_tensor *initial);

/* --- tapes ------------------------------------------------------------------------------------------------------ */

typedef struct cn_tape cn_tape;

typedef struct cn_tape_options {
    int persistent; /* 1: gradients may be taken more than once. 0: once, and the tape then records no more */
} cn_tape_options;

/* A tape that records on this thread from now on; options NULL: the defaults, all 0. You destroy it.
 * Source: tf.GradientTape. */
CN_API cn_tape *cn_tape_create(const cn_tape_options *options);

/* Stops recording, and begins again; asking twice does no harm. While it stops, new tensors are yours.
 * cn_tape_begin fails with CN_ESTATE after the gradient of a tape that is not persistent. */
CN_API int cn_tape_stop(cn_tape *tape);
CN_API int cn_tape_begin(cn_tape *tape);

/* Watches a constant, for operations from now on. Error: CN_EDTYPE (integers have no gradient). */
CN_API int cn_tape_watch(cn_tape *tape, const cn_tensor *tensor);

/* The derivative of the sum of `target` with respect to each of n sources: gradients[i] has the shape of sources[i] and
 * the dtype in which its values are read, or is NULL if the target does not depend on it. They belong to the tape.
 * A tape that is not persistent is stopped and cannot be asked again. Operations done here are recorded by other tapes
 * only. Errors: CN_ESTATE (asked twice), CN_EDTYPE (an integer target), CN_ENOTSUP (an operation without a gradient
 * lies between, it is named), and what a callback of cn_custom_gradient returns. On failure no gradient is set. */
CN_API int cn_tape_gradient(cn_tape *tape, const cn_tensor *target, int n_sources, cn_tensor *const *sources,
                            cn_tensor **gradients);

/* Stops and destroys *tape, the tensors that belong to it, and sets it to NULL. Accepts NULL and a pointer to NULL. */
CN_API void cn_tape_destroy(cn_tape **tape);

/* --- gradients of your own -------------------------------------------------------------------------------------- */

/* The same numbers, as a constant: gradients end here. Source: tf.stop_gradient. */
CN_API cn_tensor *cn_stop_gradient(const cn_tensor *tensor);

/* Gives the gradient of each input, given the gradient of the output, by tensor operations (then second derivatives
 * work too) or by writing numbers. gradients[i] comes in as NULL and may stay so; it has the shape of inputs[i], or one
 * that broadcasting can have made from it. Tensors made here belong to the tape. Returns 0, or a negative status, which
 * cn_tape_gradient returns. */
typedef int (*cn_gradient_function)(void *context, const cn_tensor *output_gradient, const cn_tensor *output,
                                    int n_inputs, const cn_tensor *const *inputs, cn_tensor **gradients);

/* A tensor with the numbers of `value` whose gradient with respect to the inputs is what `function` says, whatever
 * operations `value` came from. `context` is handed on as it is. Source: tf.custom_gradient. */
CN_API cn_tensor *cn_custom_gradient(const cn_tensor *value, int n_inputs, const cn_tensor *const *inputs,
                                     cn_gradient_function function, void *context);

#ifdef __cplusplus
}
#endif
#endif
