/* Regularizers: what large weights or outputs add to the loss, l1 * sum |x| + l2 * sum x^2. Names and defaults are
 * Keras's (keras/src/regularizers): "l1", "l2", "l1_l2", with arguments as in "l1_l2(l1=0.001, l2=0.01)". */
#ifndef CN_LAYERS_REGULARIZER_H
#define CN_LAYERS_REGULARIZER_H

typedef struct cn__regularizer {
    double l1, l2; /* both 0: nothing is added */
} cn__regularizer;

#define CN__REGULARIZER_COUNT 3
extern const char *const cn__regularizer_names[CN__REGULARIZER_COUNT];

/* What `text` says, NULL meaning none. `owner` (a layer's label) and `role` ("kernel_regularizer") are for the message.
 * Errors: CN_ENAME, CN_EINVAL. */
int cn__regularizer_find(const char *owner, const char *role, const char *text, cn__regularizer *regularizer);

#endif
