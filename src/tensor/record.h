/* What a gradient tape needs to know of tensor operations. src/autodiff does the recording; nothing here computes.
 *
 * An operation that is written out in loops ends with
 *
 *     return cn__record(output, &(cn__operation){CN__OP_add, .n_inputs = 2, .inputs = (const cn_tensor *[]){a, b}});
 *
 * and an operation put together from others records nothing: its parts do. If it must be one entry of the tape, it
 * brackets its parts with cn__record_pause and cn__record_resume.
 *
 * Lifetimes. A tensor made on a thread while a tape records there belongs to that tape and is destroyed with it, so
 * nested calls leave nothing behind. A tensor that a tape has written down is held: cn_tensor_destroy then only marks
 * it, and the tape destroys it when it lets go. */
#ifndef CN_TENSOR_RECORD_H
#define CN_TENSOR_RECORD_H

#include "tensor/tensor.h"

/* Every operation that may stand in a tape; cn_tensor_NAME is its function (those of the last line are src/autodiff's).
 * Operations without a gradient (argmax, comparisons) need no line: they do not call cn__record. A new line here wants
 * a rule in src/autodiff/gradient_*.c. */
#define CN__OPERATION_LIST(X)                                                                                       \
    X(reshape) X(slice) X(index) X(transpose) X(scale) X(astype)                                                    \
    X(add) X(subtract) X(multiply) X(divide) X(power) X(maximum) X(minimum) X(arctan2) X(hypot) X(remainder)        \
    X(fmod) X(fmax) X(fmin) X(copysign) X(logaddexp)                                                                \
    X(negative) X(absolute) X(sign) X(square) X(sqrt) X(reciprocal) X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) \
    X(log1p) X(sin) X(cos) X(tan) X(arcsin) X(arccos) X(arctan) X(sinh) X(cosh) X(tanh) X(arcsinh) X(arccosh)       \
    X(arctanh) X(sigmoid) X(cbrt) X(degrees) X(radians)                                                             \
    X(floor) X(ceil) X(trunc) X(round) X(where)                                                                     \
    X(matmul) X(dot) X(tensordot) X(einsum)                                                                         \
    X(concatenate) X(stack) X(pad) X(broadcast_to) X(tile) X(repeat) X(flip) X(roll) X(diagonal)                    \
    X(sum) X(mean) X(prod) X(max) X(min) X(var) X(std) X(cumsum) X(cumprod)                                         \
    X(sort) X(take) X(take_along_axis)                                                                              \
    X(embed) X(scatter_add) X(custom)

typedef enum cn__op {
#define CN__OP_ENUM(name) CN__OP_##name,
    CN__OPERATION_LIST(CN__OP_ENUM)
#undef CN__OP_ENUM
    CN__OP_COUNT
} cn__op;

/* One operation as it was carried out; each op fills in what it has. Axes are counted from the front,
 * 0 ... ndim - 1. */
typedef struct cn__operation {
    cn__op op;
    int n_inputs;
    const cn_tensor *const *inputs;
    int n_axes;               /* reductions: which; 0 axes of a reduction means it had none to reduce */
    int axes[CN_MAX_NDIM];    /* transpose: all of them; concatenate, stack, take, repeat, sort, cumsum: axes[0] */
    int other_axes[CN_MAX_NDIM];        /* tensordot: axes of the second input, paired with axes */
    int keepdims;                       /* reductions */
    int64_t numbers[2 * CN_MAX_NDIM];   /* index: positions; pad: before and behind axis 0, axis 1, ...; tile, repeat,
                                         * roll: how many (entry i is for axis i of the output, for roll for axes[i]) */
    int n_ranges;
    cn_range ranges[CN_MAX_NDIM];       /* slice: of the first n_ranges axes, as given */
    double real;              /* scale: the factor; var, std: ddof */
    const char *text;         /* einsum: the equation, borrowed for the call */
    const void *rule;         /* custom: of src/autodiff */
} cn__operation;

/* Hands the operation to the tapes that record on this thread. Returns output, or NULL with output destroyed when a
 * tape had no memory left. A NULL output is passed on. */
cn_tensor *cn__record(cn_tensor *output, const cn__operation *operation);

/* Whether a tape on this thread writes operations down. */
int cn__is_recording(void);

/* --- for src/autodiff --------------------------------------------------------------------------------------------- */

typedef struct cn__recorder {
    struct cn__recorder *outer;  /* the one that was there before */
    cn_tensor *made;             /* newest of the tensors that belong to this one */
    int records;                 /* 0: tensors made now belong to it, but nothing is written down */
    int (*write)(struct cn__recorder *recorder, const cn_tensor *output, const cn__operation *operation);
} cn__recorder;

/* Puts the recorder on top of this thread's, or takes it away from wherever it stands. */
void cn__record_begin(cn__recorder *recorder);
void cn__record_end(cn__recorder *recorder);

/* Takes all recorders of this thread away until cn__record_resume gets them back. */
cn__recorder *cn__record_pause(void);
void cn__record_resume(cn__recorder *paused);

/* Called where tensors are made and destroyed. `cn__record_forget` returns 1 if the tensor must stay for now. */
void cn__record_made(cn_tensor *tensor);
int cn__record_forget(cn_tensor *tensor);

/* Takes a tensor out of the recorder that it belongs to; it is then its user's. */
void cn__record_disown(cn_tensor *tensor);

/* Holding keeps the tensor and the owner of its numbers; letting go destroys what was to be destroyed meanwhile. */
void cn__record_hold(const cn_tensor *tensor);
void cn__record_let_go(const cn_tensor *tensor);

#endif
