/* A model's description as Keras-style JSON text. Needs jansson. */
#ifndef CN_MODEL_CONFIG_H
#define CN_MODEL_CONFIG_H

#include "model/model.h"

/* {"class_name": "Sequential", "config": {"name": ..., "layers": [...]}}. Released with cn__free; NULL with a
 * sentence. */
char *cn__config_model_text(const cn_model *model);

/* {"loss": ..., "metrics": [...], "optimizer_config": {...}} of a compiled model. Released with cn__free. */
char *cn__config_training_text(const cn_model *model);

/* Adds the layers that a model text describes to an empty model, without making weights: *ndim and shape receive the
 * input shape. Also renames the model. Errors: CN_EFORMAT, CN_ENAME, CN_ENOMEM and what the layers say. */
int cn__config_read_model(cn_model *model, const char *text, int *ndim, int64_t shape[CN_MAX_NDIM]);

/* Compiles a model from a training text. */
int cn__config_read_training(cn_model *model, const char *text);

#endif
