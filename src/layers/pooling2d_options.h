/* The description that MaxPooling2D and AveragePooling2D share, and the one of the global two. */
#ifndef CN_LAYERS_POOLING2D_OPTIONS_H
#define CN_LAYERS_POOLING2D_OPTIONS_H

#include "kernels/pooling2d.h"
#include "layers/layer.h"

enum { CN__POOLING2D_FIELDS = 7, CN__GLOBAL_POOLING2D_FIELDS = 5 };
extern const cn__field cn__pooling2d_fields[CN__POOLING2D_FIELDS];
extern const cn__field cn__global_pooling2d_fields[CN__GLOBAL_POOLING2D_FIELDS];

int cn__pooling2d_check(cn_layer *layer);
int cn__pooling2d_build(cn_layer *layer); /* shapes only */
int cn__global_pooling2d_build(cn_layer *layer);

/* Of a built layer. */
cn__pooling2d cn__pooling2d_describe(const cn_layer *layer);

#endif
