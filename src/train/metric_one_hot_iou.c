#include "train/intersection.h"

const cn__metric_math CN_T(cn__metric_one_hot_iou_math) = {cn__count_answers};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(num_classes, INT64),
    CN__METRIC_FIELD(target_class_ids, TEXT),
    CN__METRIC_FIELD(name, TEXT),
    CN__METRIC_FIELD(ignore_class, INT64),
    CN__METRIC_FIELD(sparse_y_pred, INT),
    CN__METRIC_FIELD(axis, TEXT),
};

const cn__metric_class cn__metric_one_hot_iou = {
    .name = "one_hot_iou",
    CN__METRIC_FIELDS(fields),
    .defaults = {.ignore_class = CN__NOT_GIVEN},
    .reads = CN__READS_EITHER,
    .check = cn__intersection_check,
    .thresholds = cn__intersection_classes,
    .state_size = cn__intersection_state_size,
    .result = cn__intersection_result,
};
#endif
