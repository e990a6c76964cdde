#include "base/error.h"
#include "base/file.h"
#include "base/pool.h"
#include "base/suggest.h"
#include "formats/dataset_files.h"

#include <stdio.h>
#include <string.h>

/* --- reading the four files side by side ----------------------------------------------------------------------- */

typedef struct reading {
    const cn__dataset_paths *paths;
    cn_tensor *tensors[CN_DATASET_FILES];
    int status[CN_DATASET_FILES];
    char sentences[CN_DATASET_FILES][1024]; /* the failure is kept per thread, so it has to be carried over */
} reading;

static void read_one(reading *r, int i)
{
    r->tensors[i] = cn_idx_read(r->paths->file[i]);
    if (r->tensors[i]) return;
    r->status[i] = cn_error_status();
    snprintf(r->sentences[i], sizeof r->sentences[i], "%s", cn_error_message());
}

/* The training images are four fifths of the work: one thread has them, the other has the rest. */
static void read_share(void *context, int thread, int64_t begin, int64_t end)
{
    (void)thread;
    for (int64_t share = begin; share < end; share++) {
        if (share == 0) {
            read_one(context, CN_TRAIN_IMAGES);
        } else {
            read_one(context, CN_TEST_IMAGES);
            read_one(context, CN_TRAIN_LABELS);
            read_one(context, CN_TEST_LABELS);
        }
    }
}

static int read_files(const cn__dataset_paths *paths, cn_dataset *dataset)
{
    reading r = {.paths = paths};
    cn__pool *pool = cn__pool_create(2);
    if (!pool) return cn_error_status();
    cn__parallel(pool, 2, read_share, &r);
    cn__pool_destroy(&pool);
    dataset->train_images = r.tensors[CN_TRAIN_IMAGES];
    dataset->train_labels = r.tensors[CN_TRAIN_LABELS];
    dataset->test_images = r.tensors[CN_TEST_IMAGES];
    dataset->test_labels = r.tensors[CN_TEST_LABELS];
    for (int i = 0; i < CN_DATASET_FILES; i++)
        if (r.status[i] < 0) return cn__fail(r.status[i], "%s", r.sentences[i]);
    return CN_OK;
}

/* --- do they fit together? --------------------------------------------------------------------------------------- */

static int check_part(const cn_tensor *images, const cn_tensor *labels, const char *images_path,
                      const char *labels_path)
{
    if (cn_ndim(images) != 3)
        return cn__fail(CN_EFORMAT,
                        "'%s' has %d axes, but images have 3 (count, rows, columns); are the files swapped?",
                        images_path, cn_ndim(images));
    if (cn_ndim(labels) != 1)
        return cn__fail(CN_EFORMAT, "'%s' has %d axes, but labels have 1; are the files swapped?", labels_path,
                        cn_ndim(labels));
    if (cn_size(images) == 0) return cn__fail(CN_EFORMAT, "'%s' holds no images", images_path);
    if (cn_len(images) != cn_len(labels))
        return cn__fail(CN_EFORMAT, "'%s' holds %lld images, but '%s' holds %lld labels; each image needs one",
                        images_path, (long long)cn_len(images), labels_path, (long long)cn_len(labels));
    return CN_OK;
}

static int largest_label(const cn_tensor *labels)
{
    const unsigned char *values = cn_data(labels);
    int largest = 0;
    for (int64_t i = 0; i < cn_len(labels); i++)
        if (values[i] > largest) largest = values[i];
    return largest;
}

static int check_dataset(const cn_dataset *d, const cn__dataset_paths *paths)
{
    CN_TRY(check_part(d->train_images, d->train_labels, paths->file[CN_TRAIN_IMAGES], paths->file[CN_TRAIN_LABELS]));
    CN_TRY(check_part(d->test_images, d->test_labels, paths->file[CN_TEST_IMAGES], paths->file[CN_TEST_LABELS]));
    const int64_t *train = cn_shape(d->train_images), *test = cn_shape(d->test_images);
    if (train[1] == test[1] && train[2] == test[2]) return CN_OK;
    return cn__fail(CN_EFORMAT, "in '%s' the training images are %lld x %lld, but the test images %lld x %lld; they "
                    "must have one size", paths->folder, (long long)train[1], (long long)train[2], (long long)test[1],
                    (long long)test[2]);
}

static int load(cn_dataset *dataset, const cn__dataset_paths *paths)
{
    CN_TRY(read_files(paths, dataset));
    CN_TRY(check_dataset(dataset, paths));
    int train = largest_label(dataset->train_labels), test = largest_label(dataset->test_labels);
    dataset->num_classes = (train > test ? train : test) + 1;
    snprintf(dataset->source, sizeof dataset->source, "%s", paths->folder);
    return CN_OK;
}

/* --- finding them ------------------------------------------------------------------------------------------------ */

static int fetch(const cn__known_dataset *known, const cn_dataset_options *options, cn__dataset_paths *paths)
{
    char folder[CN_PATH_BYTES];
    CN_TRY(cn__dataset_cache_folder(known->name, folder));
    CN_TRY(cn__dataset_download(known, folder, options->progress, options->user));
    return cn__dataset_find_in(folder, paths);
}

static int find_known(const cn__known_dataset *known, const cn_dataset_options *options, cn__dataset_paths *paths)
{
    int status = cn__dataset_search(known, paths);
    if (status != CN_ENOTFOUND || !options->download) return status;
    char searched[600];
    snprintf(searched, sizeof searched, "%s", cn_error_message());
    status = fetch(known, options, paths);
    return status < 0 ? cn__fail_prefix("%s; ", searched) : CN_OK;
}

/* The given folder, or the one of that name in it. */
static int find_at(const char *path, const char *name, cn__dataset_paths *paths)
{
    char below[CN_PATH_BYTES];
    if (name && !strchr(name, '/') && cn__path_join(below, path, name) == CN_OK && cn__folder_exists(below))
        return cn__dataset_find_in(below, paths);
    if (cn__file_exists(path))
        return cn__fail(CN_ENOTFOUND, "'%s' is a file; name the folder that holds the four IDX files", path);
    return cn__dataset_find_in(path, paths);
}

static int find(const char *name, const cn_dataset_options *options, cn__dataset_paths *paths)
{
    const cn__known_dataset *known = cn__known_dataset_find(name);
    if (options->path) return find_at(options->path, known ? known->name : name, paths);
    if (known) return find_known(known, options, paths);
    if (strchr(name, '/') || cn__folder_exists(name) || cn__file_exists(name)) return find_at(name, NULL, paths);
    const char *const *names;
    int n_names = cn__known_dataset_names(&names);
    cn__fail_unknown("data set", name, names, n_names);
    return cn__fail(CN_ENAME, "%s (the name of a folder with the four IDX files will do as well)", cn_error_message());
}

/* "mnist" for /data/mnist/, the name as it stands for "." and "/". */
static void set_name(cn_dataset *dataset, const char *name)
{
    const cn__known_dataset *known = cn__known_dataset_find(name);
    size_t end = strlen(name), begin;
    while (end > 1 && name[end - 1] == '/') end--;
    for (begin = end; begin > 0 && name[begin - 1] != '/'; begin--) {}
    if (known)
        snprintf(dataset->name, sizeof dataset->name, "%s", known->name);
    else
        snprintf(dataset->name, sizeof dataset->name, "%.*s", (int)(end - begin), name + begin);
}

int cn_dataset_open(cn_dataset *dataset, const char *name, const cn_dataset_options *options)
{
    const cn_dataset_options defaults = {CN_DATASET_DEFAULTS};
    if (!dataset) return cn__fail(CN_EINVAL, "cn_dataset_open needs a cn_dataset to fill");
    *dataset = (cn_dataset){0};
    if (!name || !name[0]) return cn__fail(CN_EINVAL, "cn_dataset_open needs the name of a data set or a folder");
    cn__dataset_paths paths;
    CN_TRY(find(name, options ? options : &defaults, &paths));
    int status = load(dataset, &paths);
    if (status < 0)
        cn_dataset_destroy(dataset);
    else
        set_name(dataset, name);
    return status;
}

int cn_mnist_load(cn_dataset *dataset)
{
    return cn_dataset_open(dataset, "mnist", NULL);
}

int cn_fashion_mnist_load(cn_dataset *dataset)
{
    return cn_dataset_open(dataset, "fashion_mnist", NULL);
}

void cn_dataset_destroy(cn_dataset *dataset)
{
    if (!dataset) return;
    cn_tensor_destroy(&dataset->train_images);
    cn_tensor_destroy(&dataset->train_labels);
    cn_tensor_destroy(&dataset->test_images);
    cn_tensor_destroy(&dataset->test_labels);
    *dataset = (cn_dataset){0};
}
