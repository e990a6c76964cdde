#include "autodiff/tape.h"
#include "kernels/sink_row.h"
#include "layers/layer.h"
#include "layers/layer_tape.h"

/* y = call(x, weights): tensor operations of the user's, recorded in forward and played back in backward. */

static const cn_dtype real_dtype = sizeof(real) == 8 ? CN_FLOAT64 : CN_FLOAT32;

static void forward(const cn__pass *pass)
{
    cn__tape_layer_forward(pass, real_dtype);
}

/* Gradients of unused weights are zeros, as every optimizer expects one. */
static void sink_gradient(const cn__weight *weight, const cn__sink *sink, const real *gradient)
{
    for (int64_t r = 0; r < weight->rows; r++)
        cn__sink_row(sink, r, 0, weight->columns, gradient + r * weight->columns);
}

static void backward(const cn__pass *pass)
{
    cn__tape_layer_state *state = cn__tape_layer_state_of(pass->layer);
    if (!cn__tape_layer_backward(pass, real_dtype)) return;
    for (int i = 0; i < pass->layer->n_weights; i++)
        sink_gradient(&pass->layer->weights[i], &pass->sinks[i], cn_data(state->gradients[i]));
    cn_tape_destroy(&state->tape);
}

const cn__layer_math CN_T(cn__layer_tape_math) = {forward, backward};
