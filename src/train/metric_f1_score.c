#include "train/f_score.h"

const cn__metric_math CN_T(cn__metric_f1_score_math) = {cn__count_f_score};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(average, TEXT),
    CN__METRIC_FIELD(threshold, REAL),
    CN__METRIC_FIELD(name, TEXT),
};

const cn__metric_class cn__metric_f1_score = {
    .name = "f1_score",
    CN__METRIC_FIELDS(fields),
    .defaults = {.beta = 1, .threshold = NAN},
    .check = cn__f_score_check,
    .state_size = cn__f_score_state_size,
    .n_results = cn__f_score_n_results,
    .result = cn__f_score_result,
};
#endif
