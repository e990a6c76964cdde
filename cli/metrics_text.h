/* Metrics as they are written on a command line: "accuracy, auc(curve=PR)"; and what is printed of them. */
#ifndef CLI_METRICS_TEXT_H
#define CLI_METRICS_TEXT_H

#include "json_out.h"

#include <cornu/model.h>

struct metrics_text {
    char texts[CN_MAX_METRICS][256];
    const char *names[CN_MAX_METRICS + 1]; /* up to NULL: for cn_compile_options.metrics */
};

/* Takes the list apart. Returns an exit status; a complaint is about the list itself, the library judges the
 * metrics. */
int metrics_text_read(struct metrics_text *metrics, const char *list);

/* "test auc 0.9987", a line for each metric but accuracy, which is printed with its error. */
void metrics_text_print(const cn_result *result, const char *part, FILE *stream);

/* All of them, under the key "metrics". */
void metrics_text_json(const cn_result *result, json_out *json);

#endif
