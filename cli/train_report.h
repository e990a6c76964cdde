/* What `cornu train` tells: the plan before, the results after, for people and as JSON. */
#ifndef CLI_TRAIN_REPORT_H
#define CLI_TRAIN_REPORT_H

#include <cornu/dataset.h>
#include <cornu/model.h>
#include <stdint.h>
#include <stdio.h>

struct train_options {
    const char *layers, *optimizer, *loss, *metrics, *class_weight, *precision, *isa, *output;
    int64_t epochs, batch_size, threads, verbose, validation_freq, steps_per_epoch, validation_steps;
    uint64_t seed;
    double learning_rate, momentum, validation_split, scale;
    int shuffle, stratified, check, json, quiet, download;
    const char *checkpoint, *save_best, *monitor, *csv, *json_lines, *tensorboard;
    int64_t checkpoint_every, early_stopping, reduce_lr; /* the last two: -1 when not given */
    int resume, restore_best, stop_on_nan;
};

struct train_results {
    cn_result test;
    double train_seconds; /* in fit */
    double total_seconds; /* from the start of the process to the test result */
    int interrupted;
};

/* Layers, parameters, optimizer, threads: on standard error. */
void train_report_plan(const cn_model *model, const struct train_options *given);

/* Test loss, accuracy with its standard error, and times. */
void train_report_results(const struct train_results *results, FILE *stream);

/* One line on standard output. */
int train_report_json(const cn_model *model, const struct train_options *given, const cn_dataset *data,
                      const struct train_results *results);

#endif
