/* What a tape is made of. tape.c records, tape_gradient.c plays back, gradient_*.c hold one rule per operation. */
#ifndef CN_AUTODIFF_TAPE_H
#define CN_AUTODIFF_TAPE_H

#include "tensor/record.h"

#include <cornu/tape.h>

/* A tensor that the tape follows. The table finds the number of a tensor by its address, which nobody else can get
 * while the tape holds it. */
typedef struct cn__tracked {
    int n, capacity;              /* capacity: a power of 2 */
    const cn_tensor **tensors;    /* by number */
    int32_t *slots;               /* 2 * capacity of them: number + 1, 0: empty */
} cn__tracked;

typedef struct cn__custom {
    cn_gradient_function function;
    void *context;
} cn__custom;

typedef struct cn__entry {
    cn__operation operation;      /* inputs and text are copies of the tape's own */
    const cn_tensor *output;
    int *numbers;                 /* of the inputs among the tracked tensors, -1: not followed */
    int output_number;
    cn__custom custom;            /* what operation.rule points at */
} cn__entry;

struct cn_tape {
    cn__recorder recorder;        /* first, so that a recorder of src/tensor is a tape here */
    int is_persistent, is_used;
    int is_on;                    /* stands among the thread's recorders */
    int n, capacity;
    cn__entry **entries;
    cn__tracked tracked;
};

/* Number of the tensor, -1 if it is not followed. */
int cn__tracked_find(const cn__tracked *tracked, const cn_tensor *tensor);

/* The same, but follows and holds it if it is new. Error: CN_ENOMEM. */
int cn__tracked_add(cn__tracked *tracked, const cn_tensor *tensor);

/* Lets go of all. */
void cn__tracked_clear(cn__tracked *tracked);

/* cn_tape_gradient with a gradient of the target to start from, of its shape; NULL: ones. */
int cn__tape_gradient(cn_tape *tape, const cn_tensor *target, cn_tensor *upstream, int n_sources,
                      cn_tensor *const *sources, cn_tensor **gradients);

/* One operation on the way back. The rule sets the gradient of each wanted input; a shape that broadcasting made larger
 * than the input's, and another real dtype, are put right by the caller. */
typedef struct cn__backward {
    const cn__operation *operation;
    const cn_tensor *output;
    cn_tensor *g;             /* gradient of the output, of its shape; not to be written to */
    const int *wanted;        /* per input */
    cn_tensor **gradients;    /* per input; NULL: none */
} cn__backward;

typedef int (*cn__gradient_rule)(const cn__backward *b);

/* Evaluates the expression if the gradient of input i is wanted; leaves the rule with the status when it failed. */
#define CN__GIVE(b, i, expression)                                                                                  \
    do {                                                                                                            \
        if ((b)->wanted[i] && !((b)->gradients[i] = (expression))) return cn__null_tensor("a gradient");            \
    } while (0)

/* The rules of one file end with an op of CN__OP_COUNT. */
typedef struct cn__gradient_line {
    cn__op op;
    cn__gradient_rule rule; /* NULL: piecewise constant, no gradient */
} cn__gradient_line;

extern const cn__gradient_line cn__gradient_elementwise[], cn__gradient_reduction[], cn__gradient_matmul[],
    cn__gradient_shape[], cn__gradient_gather[];

/* The rule of an operation, which may be NULL as said above. Error: CN_ENOTSUP (it has no line). */
int cn__gradient_find(cn__op op, cn__gradient_rule *rule);

/* The name of an operation, as in cn_tensor_NAME. */
const char *cn__op_name(cn__op op);

/* Sums g over the axes that broadcasting has put in front of `like` or stretched. */
cn_tensor *cn__sum_to(cn_tensor *g, const cn_tensor *like);

/* 1 if there is a gradient with respect to it: what a reader sees is float32 or float64. */
int cn__has_gradient(const cn_tensor *tensor);

#endif
