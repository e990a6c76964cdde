/* Which classes were taken for which: the worst confusions in a line, or all of them as a table or JSON. */
#ifndef CLI_CONFUSION_H
#define CLI_CONFUSION_H

#include "json_out.h"

#include <cornu/dataset.h>
#include <cornu/model.h>

/* int64 (classes, classes), rows are what is true, columns what the model said; you destroy it. NULL where classes are
 * not predicted, with the library's sentence. */
cn_tensor *confusion_count(cn_model *model, const cn_tensor *x, const cn_tensor *labels, const cn_dataset *data);

/* "most often mistaken: 4 for 9 (12 times), ..." on standard output; nothing where there is none. */
void confusion_print_worst(const cn_tensor *matrix, const cn_dataset *data);

/* An aligned table on standard output. */
void confusion_print_table(const cn_tensor *matrix, const cn_dataset *data);

/* A list of rows, under the key "confusion". */
void confusion_json(const cn_tensor *matrix, json_out *json);

#endif
