/* Inside of learning-rate schedules: one file each, src/train/schedule_*.c. */
#ifndef CN_TRAIN_SCHEDULE_H
#define CN_TRAIN_SCHEDULE_H

#include "base/field.h"

#include <cornu/schedule.h>

typedef struct cn__schedule_class {
    const char *name;  /* "ExponentialDecay" */
    const char *snake; /* "exponential_decay": text form, and the name in a cn_schedule */
    const cn__field *fields;
    int n_fields;
    cn_schedule defaults;
    int (*check)(const cn_schedule *schedule); /* CN_EINVAL with a sentence; may be NULL */
    double (*value)(const cn_schedule *schedule, double step);
} cn__schedule_class;

#define CN__SCHEDULE_LIST(X)                                                                                        \
    X(exponential_decay)                                                                                            \
    X(piecewise_constant_decay)                                                                                     \
    X(polynomial_decay)                                                                                             \
    X(inverse_time_decay)                                                                                           \
    X(cosine_decay)                                                                                                 \
    X(cosine_decay_restarts)

#define CN__SCHEDULE_ID(name) CN__SCHEDULE_##name,
enum { CN__SCHEDULE_LIST(CN__SCHEDULE_ID) CN__SCHEDULE_COUNT };
#undef CN__SCHEDULE_ID

#define CN__SCHEDULE_DECLARE(name) extern const cn__schedule_class cn__schedule_##name;
CN__SCHEDULE_LIST(CN__SCHEDULE_DECLARE)
#undef CN__SCHEDULE_DECLARE

extern const cn__schedule_class *const cn__schedule_classes[CN__SCHEDULE_COUNT];

/* The class called name, as class name or in snake case; NULL with CN_ENAME. */
const cn__schedule_class *cn__schedule_class_find(const char *name);

/* Whether the arguments make sense; then schedule->name is replaced by the class's own copy of it. */
int cn__schedule_check(cn_schedule *schedule);

/* A schedule from text: "cosine_decay(0.1, 1000)". Errors: CN_ENAME, CN_EINVAL. */
int cn__schedule_read(const char *text, cn_schedule *schedule);

/* For schedules with decay_steps. */
int cn__schedule_check_steps(const cn_schedule *schedule);

#endif
