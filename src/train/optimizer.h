/* Inside of optimizers: one file each, numbers first, description below `#if CN_ONCE`. */
#ifndef CN_TRAIN_OPTIMIZER_H
#define CN_TRAIN_OPTIMIZER_H

#include "base/field.h"
#include "kernels/sink.h"

#include "train/schedule.h"

#include <cornu/optimizer.h>
#include <stdint.h>

typedef struct cn__optimizer_class {
    const char *name;  /* "RMSprop" */
    const char *snake; /* "rmsprop": text form; Keras lower-cases the class name */
    const cn__field *fields;
    int n_fields;
    size_t options_size;
    const void *defaults;
    int keras_scalars; /* single numbers that Keras keeps besides slots, iteration and learning rate; summary counts
                        * them */
    int moves_whole;          /* the rule needs norms or products of a whole weight (train/whole_weight.h) */
    int first_slot_is_weight; /* the first slot starts as a copy of the weights */
    /* Arguments alone; may be NULL. */
    int (*check)(const void *options);
    /* Slots that these options need, and their names in Keras ("velocity", ...). */
    int (*slots)(const void *options, const char *names[CN__MAX_SLOTS]);
    /* What slots start at; NULL: all at 0. */
    void (*start)(const void *options, double values[CN__MAX_SLOTS]);
    /* 1 if a gradient of exactly 0 leaves the weight where it is; NULL: never. */
    int (*can_idle)(const void *options);
    /* Which rule moves a weight of that name ("layer/kernel"), and the weight_decay of those; NULL: there is one
     * rule. */
    int (*kind)(const void *options, const char *name, int ndim);
    double (*decay)(const void *options, int kind);
    /* Numbers of room for the rule of a whole weight; NULL: none. */
    int64_t (*room)(const void *options, int64_t rows, int64_t columns);
    /* Numbers of state that Keras keeps for a weight, which summary counts; NULL: one for each slot. */
    int64_t (*keras_numbers)(const void *options, const char *name, int ndim, const int64_t *shape);
    /* Coefficients of update number t (from 1). */
    void (*begin_step)(const void *options, int64_t t, double learning_rate, cn__step *step);
} cn__optimizer_class;

struct cn_optimizer {
    const cn__optimizer_class *class_;
    void *options;
    cn_schedule schedule; /* its name is NULL when the learning rate is a number */
    double initial_scale; /* of a LossScaleOptimizer (train/scaled_loss.h), 0: it is none */
    int64_t dynamic_growth_steps;

    void *by_hand; /* state of cn_apply_gradients, NULL before its first call */
    void (*release_by_hand)(void *by_hand);
};

/* The options of every optimizer, which each options struct begins with, and their lines in its table of fields. */
typedef struct cn__shared_options {
    CN_OPTIMIZER_OPTIONS
} cn__shared_options;

#define CN__FIELD_DECAY(options) {"weight_decay", CN__FIELD_REAL, offsetof(options, weight_decay)}
#define CN__FIELDS_BEHIND_DECAY(options)                                                                            \
    {"clipnorm", CN__FIELD_REAL, offsetof(options, clipnorm)},                                                      \
    {"clipvalue", CN__FIELD_REAL, offsetof(options, clipvalue)},                                                    \
    {"global_clipnorm", CN__FIELD_REAL, offsetof(options, global_clipnorm)},                                        \
    {"use_ema", CN__FIELD_INT, offsetof(options, use_ema)},                                                         \
    {"ema_momentum", CN__FIELD_REAL, offsetof(options, ema_momentum)},                                              \
    {"ema_overwrite_frequency", CN__FIELD_INT64, offsetof(options, ema_overwrite_frequency)},                       \
    {"loss_scale_factor", CN__FIELD_REAL, offsetof(options, loss_scale_factor)},                                    \
    {"gradient_accumulation_steps", CN__FIELD_INT64, offsetof(options, gradient_accumulation_steps)}
/* Keras has a method for this one. */
#define CN__FIELD_EXCLUDE(options)                                                                                  \
    {"exclude_from_weight_decay", CN__FIELD_TEXT, offsetof(options, exclude_from_weight_decay)}
/* In Keras's order, which is that of arguments without a name. */
#define CN__SHARED_FIELDS(options)                                                                                  \
    CN__FIELD_DECAY(options), CN__FIELDS_BEHIND_DECAY(options), CN__FIELD_EXCLUDE(options)

static inline const cn__shared_options *cn__optimizer_shared(const cn_optimizer *optimizer)
{
    return optimizer->options;
}

/* The table of optimizers. Each has in its file  const cn__update CN_T(cn__optimizer_NAME_update)  and
 * const cn__idle CN_T(cn__optimizer_NAME_idle), which is NULL when can_idle is. */
#define CN__OPTIMIZER_LIST(X)                                                                                       \
    X(sgd)                                                                                                          \
    X(rmsprop)                                                                                                      \
    X(adam)                                                                                                         \
    X(adamw)                                                                                                        \
    X(adagrad)                                                                                                      \
    X(adadelta)                                                                                                     \
    X(adamax)                                                                                                       \
    X(nadam)                                                                                                        \
    X(lion)                                                                                                         \
    X(ftrl)                                                                                                         \
    X(lamb)                                                                                                         \
    X(adafactor)                                                                                                    \
    X(muon)                                                                                                         \
    X(schedule_free_adamw)

#define CN__OPTIMIZER_ID(name) CN__OPTIMIZER_##name,
enum { CN__OPTIMIZER_LIST(CN__OPTIMIZER_ID) CN__OPTIMIZER_COUNT };
#undef CN__OPTIMIZER_ID

#define CN__OPTIMIZER_DECLARE(name) extern const cn__optimizer_class cn__optimizer_##name;
CN__OPTIMIZER_LIST(CN__OPTIMIZER_DECLARE)
#undef CN__OPTIMIZER_DECLARE

extern const cn__optimizer_class *const cn__optimizer_classes[CN__OPTIMIZER_COUNT];

cn_optimizer *cn__optimizer_create(const cn__optimizer_class *class_, const void *options);
int cn__optimizer_index(const cn_optimizer *optimizer);

/* The learning rate of step number `step`, from 0. */
double cn__optimizer_learning_rate(const cn_optimizer *optimizer, int64_t step);

/* 1 if one of the words, with commas or blanks between them, occurs in the name. words may be NULL. */
int cn__name_has_word(const char *name, const char *words);

/* 1 if a weight, whose name is "layer/weight", takes part in weight decay. */
int cn__optimizer_decays(const cn_optimizer *optimizer, const char *weight);

/* An optimizer with these options (NULL: the defaults), whose learning rate follows `schedule` if that has a name. */
cn_optimizer *cn__optimizer_create_scheduled(const cn__optimizer_class *class_, const void *options,
                                             const cn_schedule *schedule);

/* Checks shared by several optimizers. Error: CN_EINVAL. */
int cn__optimizer_check_share(const char *owner, const char *name, double value); /* 0 <= value < 1 */
int cn__optimizer_check_epsilon(const char *owner, double epsilon, double least);

#endif
