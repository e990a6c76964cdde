#include "train_report.h"

#include "complain.h"
#include "json_out.h"
#include "metrics_text.h"
#include "options.h"
#include "terminal.h"

#include <cornu/system.h>
#include <math.h>

void train_report_plan(const cn_model *model, const struct train_options *given)
{
    grouped_buffer parameters;
    int threads = cn_model_threads(model);
    fprintf(stderr, "layers %s: %s parameters; %s, %s\n", given->layers,
            grouped(cn_model_count_params(model), parameters), cn_model_optimizer_name(model), cn_model_loss(model));
    fprintf(stderr, "%d thread%s, %s, %s, seed %llu\n", threads, threads == 1 ? "" : "s", cn_model_isa(model),
            cn_model_precision(model), (unsigned long long)cn_model_seed(model));
}

void train_report_results(const struct train_results *results, FILE *stream)
{
    grouped_buffer samples;
    const cn_result *test = &results->test;
    fprintf(stream, "test loss %.4f\n", test->loss);
    if (!isnan(test->accuracy)) {
        fprintf(stream, "test accuracy %.4f %s %.4f (%s images)\n", test->accuracy, terminal_unicode() ? "±" : "+-",
                test->accuracy_standard_error, grouped(test->samples, samples));
    }
    metrics_text_print(test, "test", stream);
    fprintf(stream, "trained in %.2f s, %.2f s from start to result\n", results->train_seconds, results->total_seconds);
    if (isnan(test->loss)) {
        warn("the loss is not a number: the steps were too large for it; a smaller --learning-rate usually helps");
    }
}

static void write_history(json_out *json, const cn_history *history)
{
    const char *name;
    json_out_open(json, "history", '{');
    for (int i = 0; history != NULL && (name = cn_history_name(history, i)) != NULL; i++) {
        const double *values = cn_history_get(history, name);
        json_out_open(json, name, '[');
        for (int epoch = 0; epoch < cn_history_epochs(history); epoch++) {
            json_out_real(json, NULL, values[epoch]);
        }
        json_out_close(json, ']');
    }
    json_out_close(json, '}');
}

int train_report_json(const cn_model *model, const struct train_options *given, const cn_dataset *data,
                      const struct train_results *results)
{
    char digest[65];
    const cn_history *history = cn_model_history(model);
    json_out json = {.stream = stdout};
    if (cn_model_weights_sha256(model, digest) < 0) {
        return complain_of_library();
    }
    json_out_open(&json, NULL, '{');
    json_out_text(&json, "dataset", data->name);
    json_out_text(&json, "layers", given->layers);
    json_out_text(&json, "optimizer", cn_model_optimizer_name(model));
    json_out_text(&json, "loss", cn_model_loss(model));
    json_out_real(&json, "test_accuracy", results->test.accuracy);
    json_out_real(&json, "test_accuracy_standard_error", results->test.accuracy_standard_error);
    json_out_real(&json, "test_loss", results->test.loss);
    metrics_text_json(&results->test, &json);
    json_out_real(&json, "train_seconds", results->train_seconds);
    json_out_real(&json, "total_seconds", results->total_seconds);
    json_out_integer(&json, "epochs", history != NULL ? cn_history_epochs(history) : 0);
    json_out_integer(&json, "batch_size", given->batch_size);
    json_out_integer(&json, "parameters", cn_model_count_params(model));
    json_out_unsigned(&json, "seed", cn_model_seed(model));
    json_out_integer(&json, "threads", cn_model_threads(model));
    json_out_text(&json, "isa", cn_model_isa(model));
    json_out_text(&json, "precision", cn_model_precision(model));
    json_out_integer(&json, "peak_rss_bytes", cn_peak_rss_bytes());
    json_out_text(&json, "weights_sha256", digest);
    json_out_boolean(&json, "interrupted", results->interrupted);
    json_out_text(&json, "stop_reason", cn_model_stop_reason(model));
    json_out_text(&json, "output", given->output);
    write_history(&json, history);
    json_out_close(&json, '}');
    putchar('\n');
    return STATUS_OK;
}
