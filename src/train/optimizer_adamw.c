#include "train/adam.h"

/* The sinks take the decay off (kernels/sink_row.h); the rest is Adam. */
const cn__update CN_T(cn__optimizer_adamw_update) = CN__ADAM_MOVE;
const cn__idle CN_T(cn__optimizer_adamw_idle) = NULL;

#if CN_ONCE
const cn__optimizer_class cn__optimizer_adamw = {
    .name = "AdamW",
    .snake = "adamw",
    .fields = cn__adam_fields,
    .n_fields = CN__ADAM_FIELDS,
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
