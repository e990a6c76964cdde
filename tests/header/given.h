/* What the examples in the comments of public headers take as given. */
#include <cornu/cornu.h>

extern cn_model *model;
extern cn_tensor *x, *y;

#ifdef EXAMPLE_OF_model
extern double loss;
extern cn_tensor *weights;
extern cn_result result;
#endif
#ifdef EXAMPLE_OF_optimizer
extern cn_tape *tape;
extern cn_tensor *loss, *weights[4], *gradients[4];
#endif
