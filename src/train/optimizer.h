/* Inside of optimizers: one file each, numbers first, description below `#if CN_ONCE`. */
#ifndef CN_TRAIN_OPTIMIZER_H
#define CN_TRAIN_OPTIMIZER_H

#include "base/field.h"
#include "kernels/sink.h"

#include <cornu/optimizer.h>
#include <stdint.h>

typedef struct cn__optimizer_class {
    const char *name;  /* "RMSprop" */
    const char *snake; /* "rmsprop": text form; Keras lower-cases the class name */
    const cn__field *fields;
    int n_fields;
    size_t options_size;
    const void *defaults;
    /* Arguments alone; may be NULL. */
    int (*check)(const void *options);
    /* Slots that these options need, and their names in Keras ("velocity", ...). */
    int (*slots)(const void *options, const char *names[CN__MAX_SLOTS]);
    /* 1 if a gradient of exactly 0 leaves the weight where it is; NULL: never. */
    int (*can_idle)(const void *options);
    /* Coefficients of update number t (from 1). */
    void (*begin_step)(const void *options, int64_t t, double learning_rate, cn__step *step);
} cn__optimizer_class;

struct cn_optimizer {
    const cn__optimizer_class *class_;
    void *options;
};

/* The table of optimizers. Each has in its file  const cn__update CN_T(cn__optimizer_NAME_update)  and
 * const cn__idle CN_T(cn__optimizer_NAME_idle), which is NULL when can_idle is. */
#define CN__OPTIMIZER_LIST(X)                                                                                       \
    X(sgd)                                                                                                          \
    X(rmsprop)                                                                                                      \
    X(adam)

#define CN__OPTIMIZER_ID(name) CN__OPTIMIZER_##name,
enum { CN__OPTIMIZER_LIST(CN__OPTIMIZER_ID) CN__OPTIMIZER_COUNT };
#undef CN__OPTIMIZER_ID

#define CN__OPTIMIZER_DECLARE(name) extern const cn__optimizer_class cn__optimizer_##name;
CN__OPTIMIZER_LIST(CN__OPTIMIZER_DECLARE)
#undef CN__OPTIMIZER_DECLARE

extern const cn__optimizer_class *const cn__optimizer_classes[CN__OPTIMIZER_COUNT];

cn_optimizer *cn__optimizer_create(const cn__optimizer_class *class_, const void *options);
int cn__optimizer_index(const cn_optimizer *optimizer);

/* The field every optimizer has. */
double cn__optimizer_learning_rate(const cn_optimizer *optimizer);

#endif
