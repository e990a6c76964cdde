/* The look before the leap: scans inputs and labels once and says what is probably a mistake. Changes nothing. */
#ifndef CORNU_INSPECT_H
#define CORNU_INSPECT_H

#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* kind, short name */
#define CN_FINDING_LIST(X)                                                                                          \
    X(CN_FINDING_SCALED_TWICE, "scaled-twice")         /* image values end near 1/255 */                            \
    X(CN_FINDING_NOT_SCALED, "not-scaled")             /* image values go up to about 255 */                        \
    X(CN_FINDING_NOT_FINITE, "not-finite")             /* NaN or infinity */                                        \
    X(CN_FINDING_CONSTANT, "constant")                 /* all inputs equal */                                       \
    X(CN_FINDING_LABEL_RANGE, "label-range")           /* labels outside 0 ... classes-1 */                         \
    X(CN_FINDING_LABEL_KIND, "label-kind")             /* one-hot with a sparse loss, or integers with another */   \
    X(CN_FINDING_LABELS_SORTED, "labels-sorted")       /* classes in order while shuffle is off */                  \
    X(CN_FINDING_TEST_IN_TRAIN, "test-in-train")       /* over 1 % of test rows stand in the training set too */       \
    X(CN_FINDING_VALIDATION_SORTED, "validation-sorted") /* what validation_split takes is in order of class */

typedef enum cn_finding_kind {
#define CN_FINDING_ENUM(id, name) id,
    CN_FINDING_LIST(CN_FINDING_ENUM)
#undef CN_FINDING_ENUM
    CN_FINDING_COUNT
} cn_finding_kind;

typedef struct cn_finding {
    cn_finding_kind kind;
    char sentence[480]; /* what was seen, with its numbers, and what to do */
} cn_finding;

typedef struct cn_inspect_options {
    const char *loss;         /* name of the loss; NULL: labels are not held against it */
    int64_t num_classes;      /* units of the last layer; 0: unknown */
    int shuffle;              /* as it will be given to fit */
    double validation_split;  /* likewise */
    int validation_stratified;
    const cn_tensor *test_x;  /* may be NULL */
    const cn_tensor *test_y;  /* may be NULL */
} cn_inspect_options;
#define CN_INSPECT_DEFAULTS .shuffle = 1

/* Looks at x (n, ...) and y (may be NULL) and writes up to `capacity` findings. Returns how many there are, which may
 * be more than capacity, or a negative cn_status (CN_EINVAL: no rows; CN_ESHAPE: x and y differ in length; CN_ENOMEM).
 * "Images" are rows of 64 and more numbers, none below 0. Rows of x and test_x are compared byte by byte, and only if
 * both have the same dtype and scale; fewer than 1 % of twins are taken for chance and not reported.
 * Cost: one pass over the numbers, and a hash of every row when test_x is given. A view with gaps is copied first.
 * Thread rule: calls may run side by side. */
CN_API int cn_inspect_data(const cn_tensor *x, const cn_tensor *y, cn_finding *findings, int capacity,
                           const cn_inspect_options *options);
#define cn_inspect(x, y, findings, ...) CN_INSPECT_(x, y, findings, __VA_ARGS__, )
#define CN_INSPECT_(x, y, findings, capacity, ...)                                                                  \
    cn_inspect_data(x, y, findings, capacity, &(const cn_inspect_options){CN_INSPECT_DEFAULTS, __VA_ARGS__})

/* "scaled-twice". Static storage. */
CN_API const char *cn_finding_name(cn_finding_kind kind);

#ifdef __cplusplus
}
#endif
#endif
