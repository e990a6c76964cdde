#include "commands.h"
#include "complain.h"
#include "digits.h"
#include "json_out.h"
#include "terminal.h"

#include <cornu/cornu.h>
#include <stdio.h>
#include <string.h>

#define MOST_CLASSES 256

struct data_options {
    int json, download;
};

static const struct option options[] = {
    {OPTION_FLAG, "json", 0, offsetof(struct data_options, json), NULL, 0, 0, NULL, "print one JSON object"},
    {OPTION_FLAG, "download", 0, offsetof(struct data_options, download), NULL, 0, 0, NULL,
     "fetch the data set named if it is not on this machine"},
    {.kind = OPTION_END},
};

static const struct data_options defaults = {0};

static const char *const known[] = {"mnist", "fashion_mnist"};

static void count_classes(const cn_tensor *labels, int64_t counts[MOST_CLASSES])
{
    memset(counts, 0, MOST_CLASSES * sizeof *counts);
    const unsigned char *label = cn_data(labels);
    for (int64_t i = 0; i < cn_len(labels); i++) {
        counts[label[i]]++;
    }
}

/* --- JSON --- */

static void json_part(json_out *json, const char *key, const cn_tensor *images, const cn_tensor *labels, int n_classes)
{
    int64_t counts[MOST_CLASSES];
    count_classes(labels, counts);
    json_out_open(json, key, '{');
    json_out_open(json, "shape", '[');
    for (int i = 0; i < cn_ndim(images); i++) {
        json_out_integer(json, NULL, cn_shape(images)[i]);
    }
    json_out_close(json, ']');
    json_out_open(json, "class_counts", '[');
    for (int i = 0; i < n_classes; i++) {
        json_out_integer(json, NULL, counts[i]);
    }
    json_out_close(json, ']');
    json_out_close(json, '}');
}

static void json_dataset(json_out *json, const char *name, const cn_dataset *data)
{
    json_out_open(json, NULL, '{');
    json_out_text(json, "name", name);
    json_out_boolean(json, "found", data->train_images != NULL);
    if (data->train_images != NULL) {
        json_out_text(json, "source", data->source);
        json_out_integer(json, "classes", data->num_classes);
        json_part(json, "train", data->train_images, data->train_labels, data->num_classes);
        json_part(json, "test", data->test_images, data->test_labels, data->num_classes);
    }
    json_out_close(json, '}');
}

/* --- for people --- */

static void print_line(const char *name, const cn_dataset *data)
{
    if (data->train_images == NULL) {
        printf("%-14s not on this machine; `cornu data %s --download` fetches it\n", name, name);
        return;
    }
    grouped_buffer n_train, n_test;
    const int64_t *shape = cn_shape(data->train_images);
    printf("%-14s %s training and %s test images of %lldx%lld, %d classes, in %s\n", name, grouped(shape[0], n_train),
           grouped(cn_len(data->test_images), n_test), (long long)shape[1], (long long)shape[2], data->num_classes,
           data->source);
}

static void print_details(const cn_dataset *data)
{
    int64_t train[MOST_CLASSES], test[MOST_CLASSES];
    const char *const names[] = {"train_images", "train_labels", "test_images", "test_labels"};
    const cn_tensor *const tensors[] = {data->train_images, data->train_labels, data->test_images, data->test_labels};
    printf("%s, from %s\n", data->name, data->source);
    for (int i = 0; i < 4; i++) {
        char *shape = cn_shape_str(tensors[i]);
        printf("  %-13s %-16s %s\n", names[i], shape != NULL ? shape : "", cn_dtype_name(cn_dtype_of(tensors[i])));
        cn_string_free(shape);
    }
    count_classes(data->train_labels, train);
    count_classes(data->test_labels, test);
    printf("  class                training     test\n");
    for (int i = 0; i < data->num_classes; i++) {
        grouped_buffer n_train, n_test;
        char digits[12];
        snprintf(digits, sizeof digits, "%d", i);
        const char *name = cn_class_name(data->name, i);
        int says_more = name != NULL && strcmp(name, digits) != 0;
        printf("  %3d  %-14s %9s %8s\n", i, says_more ? name : "", grouped(train[i], n_train),
               grouped(test[i], n_test));
    }
}

/* --- the command --- */

static int run_one(const char *name, const struct data_options *given)
{
    cn_dataset data = {0};
    json_out json = {.stream = stdout};
    if (digits_load(&data, name, given->download, DIGITS_DOWNLOADS) != STATUS_OK) {
        return STATUS_FAILED;
    }
    if (given->json) {
        json_dataset(&json, data.name, &data);
        putchar('\n');
    } else {
        print_details(&data);
    }
    cn_dataset_destroy(&data);
    return STATUS_OK;
}

/* A data set that is there but damaged is a failure, one that is not there is an answer. */
static int run_all(const struct data_options *given)
{
    int status = STATUS_OK;
    json_out json = {.stream = stdout};
    if (given->json) {
        json_out_open(&json, NULL, '{');
        json_out_open(&json, "datasets", '[');
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        cn_dataset data = {0};
        int found = cn_dataset_load(&data, known[i], .download = 0);
        if (found < 0 && found != CN_ENOTFOUND) {
            status = complain_of_library();
        }
        if (given->json) {
            json_dataset(&json, known[i], &data);
        } else {
            print_line(known[i], &data);
        }
        cn_dataset_destroy(&data);
    }
    if (given->json) {
        json_out_close(&json, ']');
        json_out_close(&json, '}');
        putchar('\n');
    }
    return status;
}

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct data_options *given = given_options;
    if (n_operands == 0 && given->download) {
        return refuse("--download needs the name of a data set: cornu data fashion_mnist --download");
    }
    return n_operands == 0 ? run_all(given) : run_one(operands[0], given);
}

const struct command command_data = {
    .name = "data",
    .summary = "list the data sets, where they were found, and their classes",
    .operands = "[DATASET]",
    .about =
        "Without a name: the data sets Cornu knows and where each was found. With a name or a folder: shapes, and how\n"
        "many images of each class there are. Searched are $CORNU_DATA, the installed data folder, the source tree,\n"
        "~/.cache/cornu, and what Debian's package dataset-fashion-mnist installs.",
    .examples = "  cornu data\n"
                "  cornu data mnist\n"
                "  cornu data fashion_mnist --download\n"
                "  cornu data ./my-digits               a folder with four IDX files",
    .most_operands = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct data_options),
    .run = run,
};
