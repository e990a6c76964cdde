#include "runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static measurement *find(const runs *r, const char *section, const char *label, const char *key)
{
    for (int i = 0; i < r->n; i++) {
        measurement *m = &r->list[i];
        if (!strcmp(m->section, section) && !strcmp(m->label, label) && !strcmp(m->key, key)) return m;
    }
    return NULL;
}

const measurement *runs_find(const runs *r, const char *section, const char *label, const char *key)
{
    return find(r, section, label, key);
}

static void add_sample(runs *r, const char *section, const char *label, const char *key, const json_t *value)
{
    measurement *m = find(r, section, label, key);
    if (!m && r->n < RUNS_MAX) {
        m = &r->list[r->n++];
        snprintf(m->section, sizeof m->section, "%s", section);
        snprintf(m->label, sizeof m->label, "%s", label);
        snprintf(m->key, sizeof m->key, "%s", key);
    }
    if (m && m->n < RUNS_MAX_SAMPLES) m->samples[m->n++] = json_number_value(value);
}

static void add_line(runs *r, json_t *line)
{
    const char *section = json_string_value(json_object_get(line, "section")), *key;
    const char *label = json_string_value(json_object_get(line, "label"));
    json_t *value, *element;
    size_t i;
    if (!section || !label) return;
    if (json_object_get(line, "error")) {
        json_array_append(r->errors, line);
        return;
    }
    if (!strcmp(section, "machine")) {
        json_decref(r->machine); /* of an earlier run, with CORNU_BENCH_KEEP */
        r->machine = json_incref(line);
    }
    value = json_object_get(line, "version");
    if (value && strncmp(label, "cornu", 5)) json_object_set(r->versions, label, value);
    json_object_foreach(line, key, value) {
        if (json_is_number(value)) add_sample(r, section, label, key, value);
        json_array_foreach(value, i, element) {
            if (json_is_number(element)) add_sample(r, section, label, key, element);
        }
    }
}

static void summarise(measurement *m)
{
    qsort(m->samples, (size_t)m->n, sizeof m->samples[0], ascending);
    m->least = m->samples[0];
    m->most = m->samples[m->n - 1];
    m->median = (m->samples[(m->n - 1) / 2] + m->samples[m->n / 2]) / 2;
}

int runs_read(runs *r, const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    int number = 0;
    *r = (runs){.list = calloc(RUNS_MAX, sizeof *r->list), .errors = json_array(), .versions = json_object()};
    if (!file || !r->list || !r->errors || !r->versions) {
        fprintf(stderr, "%s cannot be read; bench/run.sh writes it\n", path);
        if (file) fclose(file);
        return -1;
    }
    while (fgets(text, sizeof text, file)) {
        json_error_t error;
        json_t *line = json_loads(text, 0, &error);
        number++;
        if (!line) {
            fprintf(stderr, "%s, line %d: %s\n", path, number, error.text);
            fclose(file);
            return -1;
        }
        add_line(r, line);
        json_decref(line);
    }
    fclose(file);
    for (int i = 0; i < r->n; i++) summarise(&r->list[i]);
    return 0;
}

void runs_free(runs *r)
{
    json_decref(r->machine);
    json_decref(r->errors);
    json_decref(r->versions);
    free(r->list);
}

static int ends_in_bf16(const char *label)
{
    size_t length = strlen(label);
    return length > 5 && !strcmp(label + length - 5, " bf16");
}

/* A rival whose network did not learn was fast at something else. */
static int is_broken(const runs *r, const measurement *m)
{
    const measurement *accuracy = runs_find(r, m->section, m->label, "test_accuracy");
    return accuracy && !(accuracy->median >= RUNS_LEAST_ACCURACY);
}

const measurement *runs_fastest_rival(const runs *r, const char *section, const char *key, int bf16)
{
    const measurement *best = NULL;
    for (int i = 0; i < r->n; i++) {
        const measurement *m = &r->list[i];
        if (strcmp(m->section, section) || strcmp(m->key, key) || !strncmp(m->label, "cornu", 5)) continue;
        if ((!bf16 && ends_in_bf16(m->label)) || is_broken(r, m)) continue;
        if (!best || m->median < best->median) best = m;
    }
    return best;
}

double runs_product_ratio(const runs *r, const measurement *m)
{
    const measurement *openblas = runs_find(r, m->section, m->label, "OpenBLAS");
    const measurement *onednn = runs_find(r, m->section, m->label, "oneDNN");
    if (strcmp(m->key, "ours") || (!openblas && !onednn)) return NAN;
    return m->median / fmax(openblas ? openblas->median : 0, onednn ? onednn->median : 0);
}

const char *runs_machine(const runs *r, const char *key)
{
    const char *text = json_string_value(json_object_get(r->machine, key));
    return text ? text : "";
}
