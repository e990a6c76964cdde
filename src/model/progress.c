#include "model/progress.h"

#include "base/clock.h"
#include "base/stream.h"

#include <math.h>
#include <string.h>

#define CELLS 20
#define SECONDS_BETWEEN_DRAWINGS 0.05

void cn__progress_open(cn__progress *progress, int verbose, FILE *stream)
{
    *progress = (cn__progress){.stream = stream ? stream : stdout, .mode = verbose};
    if (verbose == 1 && !cn__is_terminal(progress->stream)) progress->mode = 3;
}

void cn__progress_begin(cn__progress *progress, int64_t target, int epoch, int epochs)
{
    progress->target = target;
    progress->started = cn__clock();
    progress->after_first = progress->started;
    progress->last_drawn = -1;
    progress->width = 0;
    if (progress->mode == 0 || epochs <= 1) return;
    fprintf(progress->stream, "Epoch %d/%d%s", epoch + 1, epochs, progress->mode == 3 ? ": " : "\n");
    if (progress->mode != 3) fflush(progress->stream);
}

int cn__progress_wants(cn__progress *progress, int64_t done)
{
    if (progress->mode == 0) return 0;
    double now = cn__clock();
    if (done == 1) progress->after_first = now;
    return progress->mode == 1 && done < progress->target &&
           (progress->last_drawn < 0 || now - progress->last_drawn >= SECONDS_BETWEEN_DRAWINGS);
}

static int write_duration(char *out, size_t capacity, double seconds)
{
    long whole = (long)seconds;
    if (seconds > 3600) return snprintf(out, capacity, "%ld:%02ld:%02ld", whole / 3600, whole % 3600 / 60, whole % 60);
    if (seconds > 60) return snprintf(out, capacity, "%ld:%02ld", whole / 60, whole % 60);
    return snprintf(out, capacity, "%lds", whole);
}

static int write_per_step(char *out, size_t capacity, double seconds)
{
    if (seconds >= 1 || seconds == 0) return snprintf(out, capacity, "%.0fs/step", seconds);
    if (seconds >= 1e-3) return snprintf(out, capacity, "%.0fms/step", seconds * 1e3);
    return snprintf(out, capacity, "%.0fus/step", seconds * 1e6);
}

static double time_per_step(const cn__progress *progress, int64_t done, double now)
{
    if (done > 1) return (now - progress->after_first) / (double)(done - 1);
    return done == 1 ? now - progress->started : 0;
}

/* " - accuracy: 0.9245 - loss: 0.2577"; verbose 2 compares without the sign, as Keras does. */
static int write_values(char *out, size_t capacity, const cn_logs *logs, int by_magnitude)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; logs && i < logs->count && used < capacity; i++) {
        double value = logs->values[i], compared = by_magnitude ? fabs(value) : value;
        const char *name = logs->names[i];
        int n = isnan(value)       ? snprintf(out + used, capacity - used, " - %s: nan", name)
                : compared > 1e-3 ? snprintf(out + used, capacity - used, " - %s: %.4f", name, value)
                                  : snprintf(out + used, capacity - used, " - %s: %.4e", name, value);
        if (n > 0) used += (size_t)n;
    }
    return (int)(used < capacity ? used : capacity - 1);
}

static int digits_of(int64_t n)
{
    int digits = 1;
    while (n >= 10) {
        n /= 10;
        digits++;
    }
    return digits;
}

void cn__progress_draw(cn__progress *progress, int64_t done, const cn_logs *logs)
{
    char time_text[32], step_text[32], values[512];
    double now = cn__clock(), per_step = time_per_step(progress, done, now);
    int at_end = done >= progress->target, digits = digits_of(progress->target);
    if (at_end) snprintf(time_text, sizeof time_text, "%.0fs", now - progress->started);
    else write_duration(time_text, sizeof time_text, per_step * (double)(progress->target - done));
    write_per_step(step_text, sizeof step_text, per_step);
    int value_width = write_values(values, sizeof values, logs, 1);
    int full = progress->target > 0 ? (int)(CELLS * done / progress->target) : CELLS;
    int width = 2 * digits + 2 + CELLS + 1 + (int)strlen(time_text) + 1 + (int)strlen(step_text) + value_width;

    FILE *f = progress->stream;
    for (int i = 0; i < progress->width; i++) fputc('\b', f);
    fprintf(f, "\r\033[1m%*lld/%lld\033[0m ", digits, (long long)done, (long long)progress->target);
    if (full) fputs("\033[32m", f);
    for (int i = 0; i < full; i++) fputs("\u2501", f);
    if (full) fputs("\033[0m", f);
    fputs("\033[37m", f);
    for (int i = full; i < CELLS; i++) fputs("\u2501", f);
    fprintf(f, "\033[0m \033[1m%s\033[0m %s%s", time_text, step_text, values);
    for (int i = width; i < progress->width; i++) fputc(' ', f);
    if (at_end) fputc('\n', f);
    fflush(f);
    progress->width = width > progress->width ? width : progress->width;
    progress->last_drawn = now;
}

void cn__progress_end(cn__progress *progress, const cn_logs *logs)
{
    if (progress->mode == 0) return;
    if (progress->mode == 1) {
        cn__progress_draw(progress, progress->target, logs);
        return;
    }
    char step_text[32], values[512];
    double now = cn__clock();
    write_per_step(step_text, sizeof step_text, time_per_step(progress, progress->target, now));
    write_values(values, sizeof values, logs, 0);
    fprintf(progress->stream, "%lld/%lld - %.0fs - %s%s\n", (long long)progress->target, (long long)progress->target,
            now - progress->started, step_text, values);
    fflush(progress->stream);
}
