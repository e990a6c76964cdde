/* This engine's activations, for the layers of the same engine. */
#ifndef CN_LAYERS_ENGINE_ACTIVATION_H
#define CN_LAYERS_ENGINE_ACTIVATION_H

#include "kernels/real.h"
#include "layers/activation.h"

#define DECLARE(name) extern const cn__activation_math CN_T(cn__activation_##name##_math);
CN__ACTIVATION_LIST(DECLARE)
#undef DECLARE

extern const cn__activation_math *const CN_T(cn__activation_maths)[CN__ACTIVATION_COUNT];
#define cn__activation_maths CN_T(cn__activation_maths)

/* Forward and backward of layers that are nothing but layer->activation with layer->activation_options. */
struct cn__pass;
#define cn__activation_forward CN_T(cn__activation_forward)
#define cn__activation_backward CN_T(cn__activation_backward)
void cn__activation_forward(const struct cn__pass *pass);
void cn__activation_backward(const struct cn__pass *pass);

#endif
