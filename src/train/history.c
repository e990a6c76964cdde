#include "train/history.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

#define MOST_NAMES 64

struct cn_history {
    int epochs, capacity;
    int *numbers;
    int n_names;
    char *names[MOST_NAMES];
    double *values[MOST_NAMES];
};

cn_history *cn__history_create(void)
{
    return cn__alloc(1, sizeof(cn_history), "the history");
}

void cn__history_destroy(cn_history **history)
{
    if (!history || !*history) return;
    for (int i = 0; i < (*history)->n_names; i++) {
        cn__free((*history)->names[i]);
        cn__free((*history)->values[i]);
    }
    cn__free((*history)->numbers);
    cn__free(*history);
    *history = NULL;
}

static int grow(cn_history *history)
{
    int capacity = history->capacity ? 2 * history->capacity : 32;
    int *numbers = cn__realloc(history->numbers, (size_t)capacity, sizeof *numbers, "the history");
    if (!numbers) return CN_ENOMEM;
    history->numbers = numbers;
    for (int i = 0; i < history->n_names; i++) {
        double *values = cn__realloc(history->values[i], (size_t)capacity, sizeof *values, "the history");
        if (!values) return CN_ENOMEM;
        history->values[i] = values;
    }
    history->capacity = capacity;
    return CN_OK;
}

static int find_or_add(cn_history *history, const char *name)
{
    for (int i = 0; i < history->n_names; i++)
        if (!strcmp(history->names[i], name)) return i;
    if (history->n_names == MOST_NAMES)
        return cn__fail(CN_EINVAL, "the history holds at most %d names, \"%.64s\" is one too many", MOST_NAMES, name);
    char *copy = cn__strdup(name, "the history");
    double *values = cn__alloc((size_t)history->capacity, sizeof *values, "the history");
    if (!copy || !values) {
        cn__free(copy);
        cn__free(values);
        return CN_ENOMEM;
    }
    for (int i = 0; i < history->epochs; i++) values[i] = NAN;
    history->names[history->n_names] = copy;
    history->values[history->n_names] = values;
    return history->n_names++;
}

int cn__history_add(cn_history *history, int epoch, const cn_logs *logs)
{
    if (history->epochs == history->capacity) CN_TRY(grow(history));
    for (int i = 0; i < history->n_names; i++) history->values[i][history->epochs] = NAN;
    for (int i = 0; i < logs->count; i++) {
        int at = find_or_add(history, logs->names[i]);
        if (at < 0) return at;
        history->values[at][history->epochs] = logs->values[i];
    }
    history->numbers[history->epochs++] = epoch;
    return CN_OK;
}

int cn_history_epochs(const cn_history *history)
{
    return history ? history->epochs : 0;
}

int cn_history_epoch(const cn_history *history, int i)
{
    return history && i >= 0 && i < history->epochs ? history->numbers[i] : -1;
}

const char *cn_history_name(const cn_history *history, int i)
{
    return history && i >= 0 && i < history->n_names ? history->names[i] : NULL;
}

const double *cn_history_get(const cn_history *history, const char *name)
{
    for (int i = 0; history && i < history->n_names; i++)
        if (!strcmp(history->names[i], name)) return history->values[i];
    return NULL;
}

double cn_logs_get(const cn_logs *logs, const char *name)
{
    for (int i = 0; logs && i < logs->count; i++)
        if (!strcmp(logs->names[i], name)) return logs->values[i];
    return NAN;
}
