#include "confusion.h"

#include <stdio.h>
#include <string.h>

#define WORST_SHOWN 3
#define LONGEST_NAME 64

cn_tensor *confusion_count(cn_model *model, const cn_tensor *x, const cn_tensor *labels, const cn_dataset *data)
{
    cn_tensor *said = cn_predict_classes(model, x);
    int64_t units = 0, n = data->num_classes;
    for (int64_t i = 0; said != NULL && i < cn_len(said); i++) {
        units = cn_get(said, i) >= (double)units ? (int64_t)cn_get(said, i) + 1 : units;
    }
    cn_tensor *matrix = said == NULL ? NULL : cn_confusion_matrix(labels, said, units > n ? units : n);
    cn_tensor_destroy(&said);
    return matrix;
}

static int64_t count_at(const cn_tensor *matrix, int64_t truth, int64_t said)
{
    return (int64_t)cn_get(matrix, truth, said);
}

static const char *name_of(const cn_dataset *data, int64_t class_, char text[LONGEST_NAME])
{
    const char *name = cn_class_name(data->name, (int)class_);
    snprintf(text, LONGEST_NAME, "%lld", (long long)class_);
    return name != NULL ? name : text;
}

/* Whether a confusion comes before another one: more often, or as often and further up. */
static int is_worse(const cn_tensor *matrix, int64_t i, int64_t j)
{
    int64_t n = cn_len(matrix), a = count_at(matrix, i / n, i % n), b = count_at(matrix, j / n, j % n);
    return a > b || (a == b && i < j);
}

void confusion_print_worst(const cn_tensor *matrix, const cn_dataset *data)
{
    int64_t n = cn_len(matrix), last = -1;
    for (int shown = 0; shown < WORST_SHOWN; shown++) {
        int64_t worst = -1;
        for (int64_t i = 0; i < n * n; i++) {
            int counts = i / n != i % n && count_at(matrix, i / n, i % n) > 0 &&
                         (last < 0 || is_worse(matrix, last, i));
            if (counts && i != last && (worst < 0 || is_worse(matrix, i, worst))) {
                worst = i;
            }
        }
        if (worst < 0) {
            break; /* fewer than that were mistaken */
        }
        char truth[LONGEST_NAME], said[LONGEST_NAME];
        printf("%s%s for %s (%lld times)", shown == 0 ? "most often mistaken: " : ", ", name_of(data, worst / n, truth),
               name_of(data, worst % n, said), (long long)count_at(matrix, worst / n, worst % n));
        last = worst;
    }
    printf("%s", last >= 0 ? "\n" : "");
}

void confusion_print_table(const cn_tensor *matrix, const cn_dataset *data)
{
    int64_t n = cn_len(matrix), most = 0;
    char text[LONGEST_NAME];
    int width = 1, label = (int)strlen("is \\ taken for");
    for (int64_t i = 0; i < n * n; i++) {
        most = count_at(matrix, i / n, i % n) > most ? count_at(matrix, i / n, i % n) : most;
    }
    for (int64_t c = 0; c < n; c++) {
        int length = (int)strlen(name_of(data, c, text));
        label = length + 4 > label ? length + 4 : label;
    }
    most = n - 1 > most ? n - 1 : most;
    for (; most >= 10; most /= 10) {
        width++;
    }
    printf("%-*s", label, "is \\ taken for");
    for (int64_t c = 0; c < n; c++) {
        printf("  %*lld", width, (long long)c);
    }
    putchar('\n');
    for (int64_t truth = 0; truth < n; truth++) {
        const char *name = name_of(data, truth, text);
        char number[LONGEST_NAME], row[2 * LONGEST_NAME];
        snprintf(number, sizeof number, "%lld", (long long)truth);
        snprintf(row, sizeof row, "%s%s%.60s", number, strcmp(number, name) == 0 ? "" : " ",
                 strcmp(number, name) == 0 ? "" : name);
        printf("%-*s", label, row);
        for (int64_t said = 0; said < n; said++) {
            printf("  %*lld", width, (long long)count_at(matrix, truth, said));
        }
        putchar('\n');
    }
}

void confusion_json(const cn_tensor *matrix, json_out *json)
{
    int64_t n = cn_len(matrix);
    json_out_open(json, "confusion", '[');
    for (int64_t truth = 0; truth < n; truth++) {
        json_out_open(json, NULL, '[');
        for (int64_t said = 0; said < n; said++) {
            json_out_integer(json, NULL, count_at(matrix, truth, said));
        }
        json_out_close(json, ']');
    }
    json_out_close(json, ']');
}
