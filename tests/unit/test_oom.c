/* Out of memory at every single allocation, from building to saving: a clean failure, nothing lost, nothing half
 * made. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "scratch.h"
#include "small_model.h"

#include <cornu/built_in_callbacks.h>
#include <cornu/metric.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each walk does its part and returns 0 or the status of what failed; it leaves nothing behind. */
static const char *path;

static int build_and_train(void)
{
    cn_tensor *x = small_x(10), *y = small_y(10);
    cn_result result;
    cn_model *model = small_model();
    int status = x && y && model ? small_compile(model) : CN_ENOMEM;
    if (status == CN_OK) status = cn_fit(model, x, y, .batch_size = 4, .epochs = 2, .validation_split = 0.3);
    if (status == CN_OK) status = cn_evaluate(model, x, y, &result);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return status;
}

/* Every callback that takes memory, and a checkpoint that the second fit goes on from. */
static int train_watched(void)
{
    cn_tensor *x = small_x(10), *y = small_y(10);
    cn_model *model = small_model();
    int status = x && y && model ? small_compile(model) : CN_ENOMEM;
    const char *checkpoint = scratch_path("checkpoint"), *log = scratch_path("log"), *best = scratch_path("best");
    for (int again = 0; again < 2 && status == CN_OK; again++)
        status = cn_fit(model, x, y, .batch_size = 4, .epochs = 1 + again, .validation_split = 0.3,
                        .callbacks = {cn_early_stopping(.patience = 9, .restore_best_weights = 1),
                                      cn_reduce_lr_on_plateau(), cn_csv_logger(log), cn_json_logger(log),
                                      cn_tensorboard(.log_dir = scratch_folder, .histogram_freq = 1),
                                      cn_model_checkpoint(best), cn_terminate_on_nan(),
                                      cn_backup_and_restore(checkpoint, .delete_checkpoint = 0)});
    unlink(checkpoint);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return status;
}

/* Options that take memory of their own: averages, accumulation, stored gradients, constraints, a schedule. */
static int train_with_options(void)
{
    cn_tensor *x = small_x(10), *y = small_y(10);
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_dense(5, .input_shape = {SMALL_INPUTS}, .kernel_regularizer = "l1_l2(0.1, 0.1)",
                           .kernel_constraint = "max_norm(2, axis=[0, 1])", .activity_regularizer = "l2"));
    cn_add(model, cn_layer_from_text("dense(3, activation=softmax, bias_constraint=non_neg)"));
    int status = x && y && model ? CN_OK : CN_ENOMEM;
    if (status == CN_OK)
        status = cn_compile(model, .loss = "sparse_categorical_crossentropy",
                            .optimizer = cn_adam(.schedule = cn_cosine_decay(0.1, 10), .use_ema = 1,
                                                 .global_clipnorm = 1, .exclude_from_weight_decay = "bias",
                                                 .gradient_accumulation_steps = 2));
    if (status == CN_OK) status = cn_fit(model, x, y, .batch_size = 4);
    if (status == CN_OK) status = cn_model_set_trainable(model, "dense", 0);
    if (status == CN_OK)
        status = cn_compile(model, .loss = "sparse_categorical_crossentropy",
                            .optimizer_name = "adam(piecewise_constant_decay([1], [0.1, 0.2]), clipnorm=1)");
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return status;
}

/* Weights, metrics with arguments, the stratified split, in a model that learns its shape from the data. */
static int train_weighted(void)
{
    cn_tensor *x = small_x(12), *y = small_y(12), *weights = cn_zeros(CN_FLOAT32, 12);
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_dense(3, .activation = "softmax"));
    int status = x && y && weights && model ? CN_OK : CN_ENOMEM;
    if (status == CN_OK)
        status = cn_compile(model, .loss = "sparse_categorical_crossentropy(ignore_class=7)",
                            .metrics = {"accuracy", "auc(num_thresholds=5, curve=PR)", "precision(thresholds=[0.25])",
                                        "categorical_crossentropy(name=other)", "f1_score(average=macro)"},
                            .weighted_metrics = {"accuracy"});
    if (status == CN_OK)
        status = cn_fit(model, x, y, .sample_weight = weights, .validation_split = 0.5, .validation_stratified = 1,
                        .validation_batch_size = 5);
    if (status == CN_OK) status = cn_evaluate(model, x, y, NULL, .sample_weight = weights);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&weights);
    return status;
}

/* Losses, metrics and splits of numbers that a user brings. */
static int measure(void)
{
    cn_tensor *labels = small_y(12), *p = cn_zeros(CN_FLOAT32, 12, SMALL_CLASSES), *weights = cn_zeros(CN_FLOAT32, 12);
    cn_tensor *made[6] = {NULL};
    cn_metric *metric = NULL;
    const char *loss = "sparse_categorical_crossentropy(reduction=none)";
    int status = labels && p && weights ? CN_OK : CN_ENOMEM;
    if (status == CN_OK && (!(made[0] = cn_loss_compute(loss, labels, p, weights)) ||
                            !(made[1] = cn_loss_gradient(loss, labels, p, NULL)) ||
                            !(made[2] = cn_confusion_matrix(labels, p, 0)) ||
                            !(metric = cn_metric_from_text("f1_score"))))
        status = cn_error_status();
    if (status == CN_OK) status = cn_split_stratified(labels, 0.5, 1, &made[3], &made[4]);
    if (status == CN_OK) status = cn_metric_update_state(metric, labels, p, weights);
    if (status == CN_OK && !(made[5] = cn_metric_result(metric))) status = cn_error_status();
    for (int i = 0; i < 6; i++) cn_tensor_destroy(&made[i]);
    cn_metric_destroy(&metric);
    cn_tensor_destroy(&labels);
    cn_tensor_destroy(&p);
    cn_tensor_destroy(&weights);
    return status;
}

static int use(void)
{
    int status = CN_OK;
    char digest[65];
    cn_model *model = small_model();
    cn_tensor *x = small_x(10), *p = NULL, *classes = NULL, *weight = NULL;
    char *summary = NULL;
    if (!model || !x || !(p = cn_predict(model, x)) || !(classes = cn_predict_classes(model, x)) ||
        !(weight = cn_model_get_weight(model, 0)) || !(summary = cn_model_summary(model, 0)))
        status = cn_error_status();
    if (status == CN_OK) status = cn_model_weights_sha256(model, digest);
    cn_string_free(summary);
    cn_tensor_destroy(&p);
    cn_tensor_destroy(&classes);
    cn_tensor_destroy(&weight);
    cn_tensor_destroy(&x);
    cn_model_destroy(&model);
    return status;
}

static int save(void)
{
    cn_model *model = small_model();
    int status = model ? small_compile(model) : CN_ENOMEM;
    if (status == CN_OK) status = cn_model_save(model, path, .include_optimizer = 1);
    cn_model_destroy(&model);
    return status;
}

static int load(void)
{
    cn_model *model = cn_model_load(path);
    int status = model ? CN_OK : cn_error_status();
    cn_model_destroy(&model);
    return status;
}

/* How many allocations failed before the walk came through; -1 if one of them went unnoticed or left something. */
static int walk(int (*part)(void))
{
    int64_t before = cn__memory_live_blocks();
    for (uint64_t n = 1; n < 5000; n++) {
        uint64_t made = cn__memory_allocations();
        cn_error_clear();
        cn__memory_fail_after(n);
        int status = part();
        cn__memory_fail_after(0);
        made = cn__memory_allocations() - made;
        if (cn__memory_live_blocks() != before) {
            print_message("allocation %llu: %lld blocks are lost\n", (unsigned long long)n,
                          (long long)(cn__memory_live_blocks() - before));
            return -1;
        }
        if (status == CN_OK && made < n) return (int)n - 1;
        if (status != CN_ENOMEM || strlen(cn_error_message()) < 10) {
            print_message("allocation %llu: status %d, \"%s\"\n", (unsigned long long)n, status, cn_error_message());
            return -1;
        }
    }
    return -1;
}

static void building_and_training(void **state)
{
    (void)state;
    int failures = walk(build_and_train);
    print_message("%d allocations failed in turn\n", failures);
    assert_in_range(failures, 10, 5000);
}

static void training_with_options(void **state)
{
    (void)state;
    assert_int_equal(train_with_options(), CN_OK);
    assert_in_range(walk(train_with_options), 20, 5000);
}

static void training_with_callbacks(void **state)
{
    (void)state;
    int status = train_watched();
    if (status == CN_ENOTSUP) skip(); /* built without jansson */
    assert_int_equal(status, CN_OK);
    int failures = walk(train_watched);
    print_message("%d allocations failed in turn\n", failures);
    assert_in_range(failures, 50, 5000);
    scratch_remove(scratch_folder);
    mkdir(scratch_folder, 0700);
}

static void weighing_and_measuring(void **state)
{
    (void)state;
    assert_in_range(walk(train_weighted), 50, 5000);
    assert_in_range(walk(measure), 20, 5000);
}

static void predicting_and_describing(void **state)
{
    (void)state;
    assert_in_range(walk(use), 10, 5000);
}

static void saving_and_loading(void **state)
{
    (void)state;
    path = scratch_path("model.safetensors");
    int status = save();
    if (status == CN_ENOTSUP) skip(); /* built without jansson */
    assert_int_equal(status, CN_OK);
    assert_in_range(walk(load), 10, 5000);
    unlink(path);
    int failures = walk(save);
    assert_in_range(failures, 10, 5000);
    assert_int_equal(scratch_count(scratch_folder), 1); /* the whole file of the last turn, no temporary one */
}

/* --- the walk must notice a leak and a failure that is swallowed --- */

static void *kept;

static int leaks(void)
{
    void *first = cn__alloc(1, 8, "a test"), *second = first ? cn__alloc(1, 8, "a test") : NULL;
    if (!second) {
        kept = first; /* on purpose not freed */
        return CN_ENOMEM;
    }
    cn__free(first);
    cn__free(second);
    return CN_OK;
}

static int swallows(void)
{
    cn__free(cn__alloc(1, 8, "a test"));
    return CN_OK;
}

static void the_walk_finds_wrong_code(void **state)
{
    (void)state;
    assert_int_equal(walk(leaks), -1);
    cn__free(kept);
    assert_int_equal(walk(swallows), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_walk_finds_wrong_code),
        cmocka_unit_test(building_and_training),
        cmocka_unit_test(training_with_options),
        cmocka_unit_test(training_with_callbacks),
        cmocka_unit_test(weighing_and_measuring),
        cmocka_unit_test(predicting_and_describing),
        cmocka_unit_test(saving_and_loading),
    };
    return cmocka_run_group_tests_name("oom", tests, scratch_setup, scratch_teardown);
}
