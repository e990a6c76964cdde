#include "model/model.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* Keras keeps float32 totals and reports the quotient as float32; ours are float64 sums rounded once. */
static double rounded(const cn_model *model, double value)
{
    return model->engine->bits == 64 ? value : (double)(float)value;
}

void cn__logs_fill(const cn_model *model, const cn__sums *sums, double *values)
{
    for (int i = 0; i < model->n_logs; i++) {
        int source = model->log_sources[i];
        if (source < 0) {
            values[i] = rounded(model, sums->rows ? sums->loss / (double)sums->rows : 0);
            continue;
        }
        double value = 0;
        cn__metric_result(&model->metrics[source], model->metric_states[sums->testing] + model->metric_places[source],
                          &value);
        values[i] = rounded(model, value);
    }
}

void cn__log_line_fill(const cn_model *model, const cn__sums *train, const cn__sums *validation, cn__log_line *line)
{
    int n = validation ? 2 * model->n_logs : model->n_logs;
    line->logs = (cn_logs){n, line->names, line->values};
    line->n_added = 0;
    memcpy(line->names, model->log_names, (size_t)n * sizeof *line->names);
    cn__logs_fill(model, train, line->values);
    if (validation) cn__logs_fill(model, validation, line->values + model->n_logs);
}

int cn_model_log(cn_model *model, const char *name, double value)
{
    cn__log_line *line = model && model->running ? model->running->line : NULL;
    if (!line || !name)
        return cn__fail(CN_ESTATE, "cn_model_log: values are added to the logs within on_epoch_end only");
    int at = 0;
    while (at < line->logs.count && strcmp(line->names[at], name)) at++;
    if (at == line->logs.count) {
        if (line->n_added == CN__MOST_ADDED_LOGS)
            return cn__fail(CN_EINVAL, "cn_model_log: \"%.48s\" is one value too many, an epoch's logs take %d more",
                            name, CN__MOST_ADDED_LOGS);
        if (strlen(name) >= sizeof line->added[0])
            return cn__fail(CN_EINVAL, "cn_model_log: the name \"%.60s\" has more than %d bytes", name,
                            (int)sizeof line->added[0] - 1);
        line->names[at] = strcpy(line->added[line->n_added++], name);
        line->logs.count++;
    }
    line->values[at] = value;
    return CN_OK;
}
