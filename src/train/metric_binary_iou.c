#include "train/intersection.h"

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    for (int64_t r = 0; r < scores->rows; r++) {
        const real *p = cn__score_row(scores, r), *t = cn__truth_row(scores, r);
        for (int64_t j = 0; j < scores->columns; j++)
            cn__add_answer(metric, state, (double)t[j], p[j] >= (real)metric->options.threshold,
                           cn__row_weight(scores, r));
    }
}

const cn__metric_math CN_T(cn__metric_binary_iou_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(target_class_ids, TEXT),
    CN__METRIC_FIELD(threshold, REAL),
    CN__METRIC_FIELD(name, TEXT),
};

const cn__metric_class cn__metric_binary_iou = {
    .name = "binary_iou",
    CN__METRIC_FIELDS(fields),
    .defaults = {.target_class_ids = "(0, 1)", .num_classes = 2, .threshold = 0.5, .ignore_class = CN__NOT_GIVEN},
    .reads = CN__READS_ROWS,
    .check = cn__intersection_check,
    .thresholds = cn__intersection_classes,
    .state_size = cn__intersection_state_size,
    .result = cn__intersection_result,
};
#endif
