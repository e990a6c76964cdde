#include "metrics_text.h"

#include "complain.h"
#include "layers_text.h"
#include "options.h"

#include <string.h>

int metrics_text_read(struct metrics_text *metrics, const char *list)
{
    char item[LAYERS_TEXT_LONGEST + 1];
    int n = 0;
    memset(metrics, 0, sizeof *metrics);
    while (list != NULL) {
        list = layers_text_next(list, item);
        if (item[0] == '\0') {
            return refuse("--metrics: metric %d of the list is empty or too long", n + 1);
        }
        if (n == CN_MAX_METRICS) {
            return refuse("--metrics: there may be %d metrics, \"%s\" is one too many", CN_MAX_METRICS, item);
        }
        snprintf(metrics->texts[n], sizeof metrics->texts[n], "%s", item);
        metrics->names[n] = metrics->texts[n];
        n++;
    }
    return STATUS_OK;
}

void metrics_text_print(const cn_result *result, const char *part, FILE *stream)
{
    for (int i = 0; i < result->n_metrics; i++) {
        if (result->values[i] != result->accuracy) {
            fprintf(stream, "%s %s %.6g\n", part, result->names[i], result->values[i]);
        }
    }
}

void metrics_text_json(const cn_result *result, json_out *json)
{
    json_out_open(json, "metrics", '{');
    for (int i = 0; i < result->n_metrics; i++) {
        json_out_real(json, result->names[i], result->values[i]);
    }
    json_out_close(json, '}');
}
