#include "train/adam.h"

/* The sinks take the decay off (kernels/sink_row.h); the rest is Adam. */
const cn__update CN_T(cn__optimizer_adamw_update) = CN__ADAM_MOVE;
const cn__idle CN_T(cn__optimizer_adamw_idle) = NULL;

#if CN_ONCE
static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_adam_options, learning_rate)},
    CN__FIELD_DECAY(cn_adam_options),
    {"beta_1", CN__FIELD_REAL, offsetof(cn_adam_options, beta_1)},
    {"beta_2", CN__FIELD_REAL, offsetof(cn_adam_options, beta_2)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_adam_options, epsilon)},
    {"amsgrad", CN__FIELD_INT, offsetof(cn_adam_options, amsgrad)},
    CN__FIELDS_BEHIND_DECAY(cn_adam_options),
    CN__FIELD_EXCLUDE(cn_adam_options),
};

const cn__optimizer_class cn__optimizer_adamw = {
    .name = "AdamW",
    .snake = "adamw",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_adam_options),
    .defaults = &(const cn_adam_options){CN_ADAMW_DEFAULTS},
    .check = cn__adam_check,
    .slots = cn__adam_slots,
    .begin_step = cn__adam_begin_step,
};

cn_optimizer *cn_adamw_create(const cn_adam_options *options)
{
    return cn__optimizer_create(&cn__optimizer_adamw, options);
}
#endif
