/* Turns what run.sh recorded into a table.
 *
 *   bench_report RUNS [text|json|markdown]
 *
 * Prints medians and spread of everything measured, and each promise with the ratio that was reached. */
#include "claims.h"
#include "machine.h"
#include "runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the tables show of a line's numbers; the JSON has all of them. */
typedef struct column {
    const char *key, *name;
    double scale;
    const char *only_in; /* a section; NULL: any */
} column;

static const column columns[] = {
    {"fit_seconds", "fit, s", 1, "main"},
    {"fit_seconds", "fit, s", 1, "company"},
    {"total_seconds", "whole process, s", 1, "whole"},
    {"wall_seconds", "whole process, s", 1, "whole"},
    {"wall_seconds", "whole process, ms", 1e3, "start"},
    {"load_seconds", "MNIST ready, ms", 1e3, "start"},
    {"one_image_microseconds", "one image, us", 1, NULL},
    {"one_image_function_microseconds", "one image, tf.function, us", 1, NULL},
    {"ten_thousand_images_seconds", "10,000 images, ms", 1e3, NULL},
    {"dense_rows_seconds", "epoch, dense rows, ms", 1e3, NULL},
    {"embedding_bag_seconds", "epoch, EmbeddingBag, ms", 1e3, NULL},
    {"dense_rows_sgd_seconds", "epoch, dense rows, SGD, ms", 1e3, NULL},
    {"embedding_bag_sparse_sgd_seconds", "epoch, EmbeddingBag SGD, ms", 1e3, NULL},
    {"step_seconds", "training step, ms", 1e3, NULL},
    {"epoch_seconds", "epoch, s", 1, NULL},
    {"test_accuracy", "test accuracy", 1, "main"},
    {"peak_rss_bytes", "peak memory, MB", 1e-6, "whole"},
};

static const column *column_of(const measurement *m)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const column *c = &columns[i];
        if (!strcmp(m->key, c->key) && (!c->only_in || !strcmp(m->section, c->only_in))) return c;
    }
    return NULL;
}

/* Four digits, and no power of ten for what is still readable. */
static const char *number(double value, char text[24])
{
    snprintf(text, 24, fabs(value) >= 1000 ? "%.0f" : "%.4g", value);
    return text;
}

static void print_heading(const char *section, int markdown)
{
    if (markdown)
        printf("\n### %s\n\n| | what | median | least | most | runs |\n|---|---|---|---|---|---|\n", section);
    else
        printf("\n%-34s %-28s %10s %10s %10s  runs\n", section, "", "median", "least", "most");
}

static void print_measurement(const measurement *m, const column *c, int markdown)
{
    char median[24], least[24], most[24];
    printf(markdown ? "| %s | %s | %s | %s | %s | %d |\n" : "  %-32s %-28s %10s %10s %10s  %d\n", m->label, c->name,
           number(m->median * c->scale, median), number(m->least * c->scale, least), number(m->most * c->scale, most),
           m->n);
}

static void print_ratio(const runs *r, const char *section, const char *form, const char *shape, int markdown)
{
    char label[RUNS_MAX_TEXT], text[24] = "-";
    snprintf(label, sizeof label, "%s %s", form, shape);
    const measurement *m = runs_find(r, section, label, "ours");
    double ratio = m ? runs_product_ratio(r, m) : NAN;
    if (!isnan(ratio)) snprintf(text, sizeof text, "%.2f", ratio);
    printf(markdown ? " %s |" : " %9s", text);
}

/* The products of dense layers, a line a shape; the rates behind the ratios are in the JSON. */
static void print_products(const runs *r, const char *section, int markdown)
{
    static const char *const forms[] = {"forward", "input", "weight"};
    if (markdown)
        printf("\n### %s\n\nOur rate over the better of OpenBLAS's and oneDNN's.\n\n"
               "| rows x inputs x outputs | forward | input gradient | weight gradient |\n|---|---|---|---|\n",
               section);
    else
        printf("\n%-34s %9s %9s %9s\n", section, "forward", "input", "weight");
    for (int i = 0; i < r->n; i++) {
        const measurement *m = &r->list[i];
        if (strcmp(m->section, section) || strcmp(m->key, "ours") || strncmp(m->label, "forward ", 8)) continue;
        const char *shape = m->label + 8;
        printf(markdown ? "| %s |" : "  %-32s", shape);
        for (int f = 0; f < 3; f++) print_ratio(r, section, forms[f], shape, markdown);
        printf("\n");
    }
}

static void print_section(const runs *r, const char *section, int markdown)
{
    int heading = 0;
    if (!strncmp(section, "dense", 5)) {
        print_products(r, section, markdown);
        return;
    }
    for (int i = 0; i < r->n; i++) {
        const column *c = column_of(&r->list[i]);
        if (!c || strcmp(r->list[i].section, section)) continue;
        if (!heading++) print_heading(section, markdown);
        print_measurement(&r->list[i], c, markdown);
    }
}

static void print_claims(const claim *claims, int n, int markdown)
{
    if (markdown) printf("\n### Promises\n\n| promise | wanted | reached | | numbers |\n|---|---|---|---|---|\n");
    else printf("\n%-78s %10s %10s\n", "promises", "wanted", "reached");
    for (int i = 0; i < n; i++) {
        const claim *c = &claims[i];
        char wanted[32], reached[32] = "-";
        snprintf(wanted, sizeof wanted, "%s %g %s", c->at_least ? ">=" : "<=", c->bound, c->unit);
        if (!isnan(c->value)) snprintf(reached, sizeof reached, "%.3g %s", c->value, c->unit);
        if (markdown)
            printf("| %s | %s | %s | %s | %s |\n", c->text, wanted, reached, claim_verdict(c), c->how);
        else
            printf("  %-76s %10s %10s  %-12s  %s\n", c->text, wanted, reached, claim_verdict(c), c->how);
    }
}

static void print_tables(const runs *r, const claim *claims, int n, int markdown)
{
    const char *label;
    json_t *value;
    size_t e;
    machine_print(stdout, r, markdown ? "- " : "");
    for (int i = 0; i < r->n; i++) {
        int seen = 0; /* a section may have come in several passes: it is printed whole where it first came */
        for (int k = 0; k < i && !seen; k++) seen = !strcmp(r->list[k].section, r->list[i].section);
        if (!seen) print_section(r, r->list[i].section, markdown);
    }
    print_claims(claims, n, markdown);
    printf(markdown ? "\n### Versions\n\n" : "\nversions\n");
    json_object_foreach(r->versions, label, value) {
        printf(markdown ? "- %s: %s\n" : "  %-32s %s\n", label, json_string_value(value));
    }
    if (json_array_size(r->errors)) printf(markdown ? "\n### Could not be measured\n\n" : "\ncould not be measured\n");
    json_array_foreach(r->errors, e, value) {
        printf(markdown ? "- %s, %s: %s\n" : "  %s, %s: %s\n", json_string_value(json_object_get(value, "section")),
               json_string_value(json_object_get(value, "label")), json_string_value(json_object_get(value, "error")));
    }
}

static int print_json(const runs *r, const claim *claims, int n)
{
    json_t *results = json_array(), *promises = json_array();
    for (int i = 0; i < r->n; i++) {
        const measurement *m = &r->list[i];
        json_t *samples = json_array();
        for (int s = 0; s < m->n; s++) json_array_append_new(samples, json_real(m->samples[s]));
        json_array_append_new(results,
                              json_pack("{ss ss ss sf sf sf so}", "section", m->section, "label", m->label, "key",
                                        m->key, "median", m->median, "least", m->least, "most", m->most, "samples",
                                        samples));
    }
    for (int i = 0; i < n; i++) {
        const claim *c = &claims[i];
        json_t *value = isnan(c->value) ? json_null() : json_real(c->value);
        json_array_append_new(promises, json_pack("{ss ss sf ss so ss ss}", "promise", c->text, "wanted",
                                                  c->at_least ? ">=" : "<=", "bound", c->bound, "unit", c->unit,
                                                  "value", value, "verdict", claim_verdict(c), "how", c->how));
    }
    json_t *all = json_pack("{sO* so so sO sO}", "machine", r->machine, "results", results, "promises", promises,
                            "versions", r->versions, "errors", r->errors);
    int status = !all || json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) || puts("") < 0;
    json_decref(all);
    return status;
}

int main(int argc, char **argv)
{
    static claim claims[CLAIMS_MAX];
    const char *form = argc > 2 ? argv[2] : "text";
    runs r;
    if (argc < 2 || (strcmp(form, "text") && strcmp(form, "json") && strcmp(form, "markdown"))) {
        fprintf(stderr, "usage: bench_report RUNS [text|json|markdown]\n");
        return 2;
    }
    if (runs_read(&r, argv[1])) return 1;
    int n = claims_check(&r, claims), status = 0;
    if (!strcmp(form, "json")) status = print_json(&r, claims, n);
    else print_tables(&r, claims, n, !strcmp(form, "markdown"));
    runs_free(&r);
    return status;
}
