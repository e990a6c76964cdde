/* What a layer written as tensor operations keeps from its forward to its backward pass. */
#ifndef CN_LAYERS_LAYER_TAPE_H
#define CN_LAYERS_LAYER_TAPE_H

#include "layers/layer.h"

#include <cornu/tape_layer.h>

typedef struct cn__tape_layer_state {
    cn_tape *tape;      /* of the forward pass in training; everything below but the views of memory belongs to it */
    cn_tensor *x, *y;
    cn_tensor *weights[CN__MAX_LAYER_WEIGHTS];
    cn_tensor *gradients[CN__MAX_LAYER_WEIGHTS]; /* row-major without gaps */
    char weight_names[CN__MAX_LAYER_WEIGHTS][64];
    char initializers[CN__MAX_LAYER_WEIGHTS][128];
} cn__tape_layer_state;

cn__tape_layer_state *cn__tape_layer_state_of(const cn_layer *layer);

/* Writes pass->y, or sets *pass->status. */
void cn__tape_layer_forward(const cn__pass *pass, cn_dtype dtype);

/* Writes pass->dx and the state's gradients, or sets *pass->status and returns 0. */
int cn__tape_layer_backward(const cn__pass *pass, cn_dtype dtype);

#endif
