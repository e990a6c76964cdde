#include "model/model.h"

/* Keras keeps float32 totals and reports the quotient as float32; ours are float64 sums rounded once. */
static double mean(const cn_model *model, double sum, int64_t rows)
{
    double value = rows ? sum / (double)rows : 0;
    return model->engine->bits == 64 ? value : (double)(float)value;
}

void cn__logs_fill(const cn_model *model, const cn__sums *sums, double *values)
{
    for (int i = 0; i < model->n_logs; i++) {
        int source = model->log_sources[i];
        values[i] = mean(model, source < 0 ? sums->loss : sums->metrics[source], sums->rows);
    }
}
