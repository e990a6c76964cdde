/* Model files from within: what a checkpoint puts into one besides, and how it is read into a model that is there. */
#ifndef CN_MODEL_SAVE_H
#define CN_MODEL_SAVE_H

#include "formats/format_safetensors.h"
#include "model/model.h"

#define CN__MOST_NOTES 24

typedef struct cn__note {
    const char *key, *value;
} cn__note;

/* Arrays and texts of a file that holds a model and more. */
typedef struct cn__more {
    int n_arrays;
    const cn__array *arrays;
    int n_notes; /* at most CN__MOST_NOTES */
    const cn__note *notes;
} cn__more;

/* cn_model_save_with for a model that is built, with more in the file. */
int cn__save_with_more(const cn_model *model, const char *path, int with_optimizer, const cn__more *more);

/* Fails if the numbers of a file are not those that were written. */
int cn__save_check(cn__safetensors *file);

/* Fails unless the file was saved with its optimizer from a model with these layers and these compile options. */
int cn__save_agrees(const cn_model *model, cn__safetensors *file);

/* Weights, optimizer state and number of updates of a file that agrees. */
int cn__save_read_into(cn_model *model, cn__safetensors *file);

#endif
