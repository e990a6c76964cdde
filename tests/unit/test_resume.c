/* Exact resume: fits in child processes that are killed with SIGKILL at random moments, a hundred of them in all, and
 * resumed until they are through, must end with the bits, the History and the log files of a fit never interrupted. */
#define _GNU_SOURCE
#include "model/model.h"
#include "scratch.h"
#include "small_model.h"

#include <cornu/built_in_callbacks.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { KILLS = 100, ROWS = 512, COLUMNS = 256, MOST_ATTEMPTS = 12 };

/* --- the jobs --- */

typedef struct job {
    const char *name, *layers[9], *optimizer, *precision;
    int threads, epochs;
    int64_t save_freq;
    double validation_split;
    int watched; /* 1: with callbacks that have a state */
    int64_t steps_per_epoch;
} job;

static const job jobs[] = {
    {"rmsprop, rows that wait", {"dense(48, activation=relu)", "dense(3, activation=softmax)"},
     "rmsprop", "float32", 1, 5, 3, 0, 0},
    {"momentum, two threads", {"dense(48, activation=tanh)", "dense(3, activation=softmax)"},
     "sgd(0.05, momentum=0.9, nesterov=1)", "float32", 2, 5, 1, 0, 0},
    {"adam, two threads, callbacks with a state", {"dense(48, activation=relu)", "dense(3, activation=softmax)"},
     "adam(0.01)", "float32", 2, 12, 5, 0.25, 1},
    {"centered rmsprop with momentum, once an epoch", {"dense(48, activation=relu)", "dense(3, activation=softmax)"},
     "rmsprop(0.01, momentum=0.5, centered=1)", "float32", 2, 8, 0, 0, 0},
    {"convolution, batch normalization, dropout",
     {"reshape(16x16x1)", "random_translation(0.2, 0.2)", "conv2d(4, 3x3, activation=relu)", "max_pooling2d",
      "batch_normalization", "flatten", "dropout(0.4)", "dense(3, activation=softmax)"}, "adam(0.01)", "float32", 2, 2,
      3, 0, 0},
    {"averaged weights, accumulated and clipped gradients",
     {"dense(24, activation=relu)", "dropout(0.3)", "dense(3, activation=softmax)"},
     "adamw(0.01, clipnorm=0.5, use_ema=1, ema_momentum=0.9, gradient_accumulation_steps=3)", "float32", 2, 4, 2, 0, 0},
    {"a loss scale that finds its size", {"dense(24, activation=relu)", "dense(3, activation=softmax)"},
     "loss_scale_optimizer(adam(0.01), initial_scale=1e38, dynamic_growth_steps=4)", "float32", 2, 3, 2, 0, 0},
    {"mixed_bfloat16", {"dense(64, activation=relu)", "dense(3, activation=softmax)"}, "rmsprop", "mixed_bfloat16", 2,
     4, 3, 0, 0},
    {"a schedule", {"dense(24, activation=relu)", "layer_normalization", "dense(3, activation=softmax)"},
     "sgd(cosine_decay(0.1, 60), momentum=0.9)", "float32", 1, 5, 4, 0.2, 0},
    {"epochs of 4 of 15 batches", {"dense(24, activation=relu)", "dense(3, activation=softmax)"},
     "rmsprop", "float32", 2, 11, 3, 0.2, 0, .steps_per_epoch = 4},
    {"float64", {"dense(16, activation=sigmoid)", "dense(3, activation=softmax)"}, "adam", "float64", 1, 4, 4, 0.1, 1},
};
enum { N_JOBS = sizeof jobs / sizeof *jobs };

/* Mostly zeros, so that they go as bytes and rows of the first kernel wait. */
static cn_tensor *sparse_x(unsigned seed)
{
    cn_tensor *x = cn_zeros(CN_UINT8, ROWS, COLUMNS);
    for (unsigned i = 0; x && i < ROWS; i++) {
        uint8_t *row = (uint8_t *)cn_data(x) + i * COLUMNS;
        for (unsigned k = 0; k < 12; k++)
            row[(i * (2654435761u + seed) + k * k * 40503u) % COLUMNS] = (uint8_t)(1 + k);
    }
    return x;
}

static cn_model *make_model(const job *j)
{
    cn_model *model = cn_sequential(.threads = j->threads, .seed = 5, .precision = j->precision);
    cn_add(model, cn_input(COLUMNS));
    for (int i = 0; j->layers[i]; i++) cn_add(model, cn_layer_from_text(j->layers[i]));
    if (cn_compile(model, .loss = "sparse_categorical_crossentropy", .optimizer_name = j->optimizer,
                   .metrics = {"accuracy", j->watched ? "auc(num_thresholds=20)" : NULL,
                               "f1_score(average=macro)"}) < 0)
        cn_model_destroy(&model);
    return model;
}

static double shrink(int epoch, double rate, void *user)
{
    (void)epoch, (void)user;
    return rate * 0.97; /* what on_epoch_begin does must happen once an epoch, however often that is resumed */
}

/* All paths are in `folder`. `checkpoint` NULL: never interrupted and without checkpoints. */
static int run_fit(cn_model *model, const job *j, const char *folder, const char *checkpoint)
{
    char csv[512], lines[512], best[512];
    snprintf(csv, sizeof csv, "%s/log.csv", folder);
    snprintf(lines, sizeof lines, "%s/log.jsonl", folder);
    snprintf(best, sizeof best, "%s/best.safetensors", folder);
    cn_tensor *x = sparse_x(1), *y = small_y(ROWS);
    const cn_callback *list[CN_MAX_CALLBACKS] = {NULL};
    int n = 0;
    if (checkpoint) list[n++] = cn_backup_and_restore(checkpoint, .save_freq = j->save_freq); /* first, and yet last */
    if (j->watched) {
        list[n++] = cn_early_stopping(.patience = 2, .restore_best_weights = 1);
        list[n++] = cn_reduce_lr_on_plateau(.patience = 1, .factor = 0.3);
        list[n++] = cn_learning_rate_scheduler(shrink);
        list[n++] = cn_csv_logger(csv);
        list[n++] = cn_json_logger(lines);
        list[n++] = cn_model_checkpoint(best, .save_best_only = 1);
    }
    cn_fit_options options = {CN_FIT_DEFAULTS, .epochs = j->epochs, .batch_size = 32 - 3,
                              .validation_split = j->validation_split, .steps_per_epoch = j->steps_per_epoch};
    memcpy(options.callbacks, list, sizeof list);
    int status = cn_model_fit(model, x, y, &options);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return status;
}

static void append_file(FILE *out, const char *folder, const char *name)
{
    char path[512], part[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    fprintf(out, "%s:\n", name);
    for (size_t n; in && (n = fread(part, 1, sizeof part, in)) > 0;) fwrite(part, 1, n, out);
    if (in) fclose(in);
}

/* Everything that must be the same, as text. */
static void report(const cn_model *model, const job *j, const char *folder, const char *path)
{
    char digest[65];
    FILE *out = fopen(path, "wb");
    const cn_history *history = cn_model_history(model);
    cn_model_weights_sha256(model, digest);
    fprintf(out, "%s %lld %a\n%s\n", digest, (long long)cn_model_iterations(model), cn_model_get_learning_rate(model),
            cn_model_stop_reason(model) ? cn_model_stop_reason(model) : "-");
    for (int i = 0; cn_history_name(history, i); i++) {
        fprintf(out, "%s", cn_history_name(history, i));
        for (int e = 0; e < cn_history_epochs(history); e++)
            fprintf(out, " %d:%a", cn_history_epoch(history, e),
                    cn_history_get(history, cn_history_name(history, i))[e]);
        fprintf(out, "\n");
    }
    if (j->watched) {
        char best[512];
        append_file(out, folder, "log.csv");
        append_file(out, folder, "log.jsonl");
        snprintf(best, sizeof best, "%s/best.safetensors", folder);
        cn_model *loaded = cn_model_load(best);
        if (loaded && cn_model_weights_sha256(loaded, digest) == CN_OK) fprintf(out, "best %s\n", digest);
        cn_model_destroy(&loaded);
    }
    fclose(out);
}

/* --- processes --- */

static pid_t start(const job *j, const char *folder, const char *checkpoint, const char *result)
{
    pid_t child = fork();
    if (child != 0) return child;
    cn_model *model = make_model(j);
    int status = model ? run_fit(model, j, folder, checkpoint) : CN_ENOMEM;
    if (status < 0) fprintf(stderr, "%s: %s\n", j->name, cn_error_message());
    else report(model, j, folder, result);
    _exit(status < 0);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t random_state = 1;
static double random_share(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) * 0x1p-53;
}

/* 1 if the child came to its end before `seconds` had passed (negative: without limit), 0 if it was killed. */
static int finish_or_kill(pid_t child, double seconds)
{
    int status;
    if (seconds >= 0) {
        struct timespec pause = {.tv_sec = (time_t)seconds,
                                 .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return 1;
}

static char *file_text(const char *path)
{
    char *text = calloc(1, 1 << 16);
    FILE *in = fopen(path, "rb");
    if (in) {
        size_t n = fread(text, 1, (1 << 16) - 1, in);
        text[n] = '\0';
        fclose(in);
    }
    return text;
}

/* One run of a job, killed again and again; returns how often. */
static int run_killed(const job *j, const char *expected, double seconds, int number)
{
    char name[64], result[512], checkpoint[512];
    snprintf(name, sizeof name, "killed%d", number);
    const char *folder = scratch_make(name);
    snprintf(result, sizeof result, "%s/result", folder);
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", folder);
    int kills = 0;
    for (int attempt = 0;; attempt++) {
        pid_t child = start(j, folder, checkpoint, result);
        assert_true(child > 0);
        if (finish_or_kill(child, attempt < MOST_ATTEMPTS ? random_share() * seconds : -1)) break;
        kills++;
    }
    char *text = file_text(result);
    if (strcmp(text, expected)) {
        print_message("%s, killed %d times, gives\n%s\ninstead of\n%s\n", j->name, kills, text, expected);
        fail();
    }
    free(text);
    assert_int_equal(scratch_count(folder), j->watched ? 4 : 1); /* no checkpoint, no temporary files */
    scratch_remove(folder);
    return kills;
}

static void a_hundred_kills_change_nothing(void **state)
{
    (void)state;
    char *expected[N_JOBS], result[512];
    double seconds[N_JOBS];
    for (int i = 0; i < N_JOBS; i++) {
        char name[64];
        snprintf(name, sizeof name, "whole%d", i);
        const char *folder = scratch_make(name);
        snprintf(result, sizeof result, "%s/result", folder);
        finish_or_kill(start(&jobs[i], folder, NULL, result), -1); /* without checkpoints: they must not change a bit */
        expected[i] = file_text(result);
        assert_true(strlen(expected[i]) > 64);
        double before = now();
        assert_int_equal(run_killed(&jobs[i], expected[i], -1, -1), 0); /* and with them */
        seconds[i] = now() - before;
    }
    int kills = 0, runs = 0;
    for (; kills < KILLS || runs < N_JOBS; runs++) kills += run_killed(&jobs[runs % N_JOBS], expected[runs % N_JOBS],
                                                      0.45 * seconds[runs % N_JOBS], runs);
    print_message("%d runs were killed %d times\n", runs, kills);
    for (int i = 0; i < N_JOBS; i++) free(expected[i]);
}

/* --- what cannot be resumed --- */

static char checkpoint_path[512];

static int stop_at(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    (void)logs;
    if (batch == *(int *)user) cn_model_stop_training(model);
    return 0;
}

/* The file as a stop after the third batch leaves it. */
static void make_checkpoint(void **state)
{
    (void)state;
    int batch = 2;
    snprintf(checkpoint_path, sizeof checkpoint_path, "%s", scratch_path("a checkpoint"));
    unlink(checkpoint_path);
    cn_model *model = make_model(&jobs[0]);
    cn_tensor *x = sparse_x(1), *y = small_y(ROWS);
    assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 100,
                            .callbacks = {&(const cn_callback){.user = &batch, .on_train_batch_end = stop_at},
                                          cn_backup_and_restore(checkpoint_path)}), CN_OK);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void a_stop_within_an_epoch_is_gone_on_from(void **state)
{
    char whole[65], resumed[65];
    make_checkpoint(state);
    for (int again = 0; again < 2; again++) {
        cn_model *model = make_model(&jobs[0]);
        cn_tensor *x = sparse_x(1), *y = small_y(ROWS);
        assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 100,
                                .callbacks = {again ? cn_backup_and_restore(checkpoint_path) : NULL}), CN_OK);
        assert_int_equal(cn_model_iterations(model), 18);
        assert_int_equal(cn_history_epochs(cn_model_history(model)), 3);
        cn_model_weights_sha256(model, again ? resumed : whole);
        cn_model_destroy(&model);
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
    }
    assert_string_equal(whole, resumed);
    assert_int_not_equal(access(checkpoint_path, F_OK), 0);
}

/* A fit that must refuse the checkpoint of make_checkpoint and leave it alone. */
static void refuse(const char *sentence, int expected, const job *j, cn_tensor *x, cn_fit_options options)
{
    char *before = file_text(checkpoint_path), *after;
    cn_model *model = make_model(j);
    cn_tensor *y = small_y(cn_len(x));
    int n = 0;
    while (options.callbacks[n]) n++;
    options.callbacks[n] = cn_backup_and_restore(checkpoint_path);
    int status = cn_model_fit(model, x, y, &options);
    if (status != expected || !strstr(cn_error_message(), sentence) || !strstr(cn_error_message(), checkpoint_path)) {
        print_message("%d \"%s\" instead of \"%s\"\n", status, cn_error_message(), sentence);
        fail();
    }
    after = file_text(checkpoint_path);
    assert_memory_equal(before, after, 1 << 16);
    free(before);
    free(after);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void a_checkpoint_of_something_else_is_refused(void **state)
{
    make_checkpoint(state);
    const cn_fit_options options = {CN_FIT_DEFAULTS, .epochs = 3, .batch_size = 100};
    cn_fit_options other = options;
    job j = jobs[0];
    refuse("it is of a run with other training data (checksum ", CN_ESTATE, &j, sparse_x(2), options);
    j.layers[0] = "dense(47, activation=relu)";
    refuse("it is of another model: its layers are not the same", CN_ESTATE, &j, sparse_x(1), options);
    j = jobs[0];
    j.optimizer = "rmsprop(rho=0.8)";
    refuse("compiled with another optimizer, loss or metrics", CN_ESTATE, &j, sparse_x(1), options);
    j.optimizer = "rmsprop(0.002)";
    refuse("it is of a run that began with learning rate 0.001, this one with 0.002", CN_ESTATE, &j, sparse_x(1),
           options);
    j = jobs[0];
    other.batch_size = 99;
    refuse("it is of a run with batch_size 100, this one has 99", CN_ESTATE, &j, sparse_x(1), other);
    other = options;
    other.steps_per_epoch = 2;
    refuse("it is of a run with batch_size 100, this one has 100 in 2 steps_per_epoch from epoch 0 on", CN_ESTATE, &j,
           sparse_x(1), other);
    other = options;
    other.shuffle = 0;
    refuse("it is of a run with shuffle 1, this one has 0", CN_ESTATE, &j, sparse_x(1), other);
    other = options;
    other.validation_split = 0.5;
    refuse("it is of a run with 512 training samples, this one has 256", CN_ESTATE, &j, sparse_x(1), other);
    other = options;
    other.callbacks[0] = cn_early_stopping(.monitor = "loss");
    refuse("it is of a run with the callbacks none, this one has EarlyStopping", CN_ESTATE, &j, sparse_x(1), other);
}

static void change_byte(const char *path, long at)
{
    FILE *stream = fopen(path, "r+b");
    assert_int_equal(fseek(stream, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = getc(stream);
    fseek(stream, -1, SEEK_CUR);
    putc(byte ^ 1, stream);
    fclose(stream);
}

static void a_damaged_checkpoint_is_refused(void **state)
{
    const cn_fit_options options = {CN_FIT_DEFAULTS, .epochs = 3, .batch_size = 100};
    make_checkpoint(state);
    change_byte(checkpoint_path, -1000);
    refuse("it is damaged: its checksum is not right", CN_EFORMAT, &jobs[0], sparse_x(1), options);
}

/* Where the bytes of an array begin in a file of safetensors, and the end of them. */
static long begin_of(const char *text, const char *name, long *end)
{
    uint64_t length;
    char *after;
    memcpy(&length, text, sizeof length);
    const char *at = strstr(text + sizeof length, name), *offsets = at ? strstr(at, "\"data_offsets\"") : NULL;
    if (!offsets) return -1;
    const long begin = strtol(strpbrk(offsets, "0123456789"), &after, 10), data = (long)(sizeof length + length);
    *end = data + strtol(after + 1, NULL, 10);
    return data + begin;
}

/* Without its checksum a file may say anything. */
static void forget_checksum(const char *text)
{
    change_byte(checkpoint_path, strstr(text + sizeof(uint64_t), "\"checksum\"") + 1 - text);
}

/* The sums over an epoch say to which numbers its metrics are added. */
static void sums_of_something_else_are_refused(void **state)
{
    const cn_fit_options options = {CN_FIT_DEFAULTS, .epochs = 3, .batch_size = 100};
    const size_t wrong[] = {offsetof(cn__sums, testing), offsetof(cn__sums, rows) + sizeof(int64_t) - 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        make_checkpoint(state);
        char *text = file_text(checkpoint_path);
        long end;
        forget_checksum(text);
        change_byte(checkpoint_path, begin_of(text, "\"fit/sums\"", &end) + (long)wrong[i]);
        refuse("\"fit/sums\" in it is not of a training like this one", CN_EFORMAT, &jobs[0], sparse_x(1), options);
        free(text);
    }
}

/* Counters of callbacks as large as can be, as a file may have them: UBSan must see nothing, and training ends. */
static void counters_at_their_end_do_no_harm(void **state)
{
    const int64_t most = INT64_MAX;
    const char *best = scratch_path("best");
    snprintf(checkpoint_path, sizeof checkpoint_path, "%s", scratch_path("a checkpoint"));
    unlink(checkpoint_path);
    (void)state;
    for (int resumed = 0; resumed < 2; resumed++) {
        int batch = 2, changed = 0;
        const cn_callback stop = {.user = &batch, .on_train_batch_end = stop_at};
        char *text = file_text(checkpoint_path);
        if (resumed) forget_checksum(text);
        for (int i = 0; resumed && i < 4; i++) {
            char name[32];
            long end = 0, begin;
            snprintf(name, sizeof name, "\"callback/%d/0\"", i);
            FILE *stream = fopen(checkpoint_path, "r+b");
            assert_true((begin = begin_of(text, name, &end)) > 0);
            assert_int_equal(fseek(stream, begin, SEEK_SET), 0);
            for (; begin < end; begin += (long)sizeof most) changed += (int)fwrite(&most, sizeof most, 1, stream);
            fclose(stream);
        }
        free(text);
        cn_model *model = make_model(&jobs[0]);
        cn_tensor *x = sparse_x(1), *y = small_y(ROWS);
        assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 100,
                                .callbacks = {cn_early_stopping(.monitor = "loss", .patience = 2, .verbose = 1),
                                              cn_reduce_lr_on_plateau(.monitor = "loss"),
                                              cn_model_checkpoint(best, .save_freq = 2),
                                              cn_tensorboard(.log_dir = scratch_path("events"), .update_freq = 1),
                                              cn_backup_and_restore(checkpoint_path),
                                              resumed ? NULL : &stop}), CN_OK);
        assert_int_equal(changed, resumed ? 4 + 3 + 3 + 1 : 0);
        cn_model_destroy(&model);
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
    }
}

static void a_cut_checkpoint_is_refused(void **state)
{
    const cn_fit_options options = {CN_FIT_DEFAULTS, .epochs = 3, .batch_size = 100};
    make_checkpoint(state);
    assert_int_equal(truncate(checkpoint_path, 30000), 0);
    refuse("", CN_EFORMAT, &jobs[0], sparse_x(1), options);
    cn_model *model = make_model(&jobs[0]);
    assert_int_equal(cn_model_save(model, checkpoint_path, .include_optimizer = 1), CN_OK);
    cn_model_destroy(&model);
    refuse("it is a model, but no checkpoint of a training", CN_EFORMAT, &jobs[0], sparse_x(1), options);
    unlink(checkpoint_path);
}

static void what_cannot_be_written_is_said(void **state)
{
    (void)state;
    static const char *const paths[] = {"/proc/none/checkpoint", "/dev/full", ""};
    static const char *const sentences[] = {"cannot write '/proc/none/checkpoint'", "No space left on device",
                                            "BackupAndRestore: the path is empty"};
    cn_tensor *x = sparse_x(1), *y = small_y(ROWS);
    for (int i = 0; i < 3; i++) {
        cn_model *model = make_model(&jobs[0]);
        assert_true(cn_fit(model, x, y, .callbacks = {cn_backup_and_restore(paths[i])}) < 0);
        assert_non_null(strstr(cn_error_message(), sentences[i]));
        cn_model_destroy(&model);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* Epochs 1 to `epochs` with the callbacks of the caller, and what comes of it. */
static void run_to(int epochs, const job *j, const cn_callback *first, const cn_callback *second, char digest[65])
{
    cn_model *model = make_model(j);
    cn_tensor *x = sparse_x(1), *y = small_y(ROWS);
    assert_int_equal(cn_fit(model, x, y, .epochs = epochs, .batch_size = 100, .validation_split = 0.25,
                            .callbacks = {first, second}), CN_OK);
    assert_int_equal(cn_history_epochs(cn_model_history(model)), epochs);
    cn_model_weights_sha256(model, digest);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void averages_in_the_model_survive_a_checkpoint(void **state)
{
    char whole[65], resumed[65];
    job j = jobs[0];
    (void)state;
    j.optimizer = "sgd(0.1, use_ema=1, ema_momentum=0.8)";
    run_to(4, &j, cn_swap_ema_weights(.swap_on_epoch = 1), NULL, whole);
    for (int epochs = 2; epochs <= 4; epochs += 2)
        run_to(epochs, &j, cn_swap_ema_weights(.swap_on_epoch = 1),
               cn_backup_and_restore(checkpoint_path, .delete_checkpoint = epochs == 4), resumed);
    assert_string_equal(whole, resumed);
}

static void the_checkpoint_before_takes_over(void **state)
{
    char whole[65], resumed[65], previous[512];
    (void)state;
    snprintf(previous, sizeof previous, "%.500s.previous", checkpoint_path);
    run_to(4, &jobs[0], NULL, NULL, whole);
    for (int missing = 0; missing < 2; missing++) {
        run_to(3, &jobs[0], cn_backup_and_restore(checkpoint_path, .double_checkpoint = 1, .delete_checkpoint = 0),
               NULL, resumed);
        assert_int_equal(access(checkpoint_path, F_OK), 0);
        assert_int_equal(access(previous, F_OK), 0);
        if (missing) unlink(checkpoint_path);
        else change_byte(checkpoint_path, -1000);
        run_to(4, &jobs[0], cn_backup_and_restore(checkpoint_path, .double_checkpoint = 1), NULL,
               resumed);
        assert_string_equal(whole, resumed);
        assert_int_not_equal(access(checkpoint_path, F_OK), 0);
        assert_int_not_equal(access(previous, F_OK), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_kills_change_nothing), /* first: no threads may run when it forks */
        cmocka_unit_test(a_stop_within_an_epoch_is_gone_on_from),
        cmocka_unit_test(a_checkpoint_of_something_else_is_refused),
        cmocka_unit_test(a_damaged_checkpoint_is_refused),
        cmocka_unit_test(sums_of_something_else_are_refused),
        cmocka_unit_test(counters_at_their_end_do_no_harm),
        cmocka_unit_test(a_cut_checkpoint_is_refused),
        cmocka_unit_test(what_cannot_be_written_is_said),
        cmocka_unit_test(averages_in_the_model_survive_a_checkpoint),
        cmocka_unit_test(the_checkpoint_before_takes_over),
    };
    return cmocka_run_group_tests_name("resume", tests, scratch_setup, scratch_teardown);
}
