/* Data sets: MNIST and everything that comes in its format. */
#ifndef CORNU_DATASET_H
#define CORNU_DATASET_H

#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Four tensors that the struct owns: images uint8 (n, rows, columns), labels uint8 (n,). */
typedef struct cn_dataset {
    char name[64];      /* "mnist", "fashion_mnist", or the folder's name */
    char source[1024];  /* the folder it was read from */
    int num_classes;    /* largest label + 1 over both parts */
    cn_tensor *train_images, *train_labels, *test_images, *test_labels;
} cn_dataset;

/* Called from time to time during a download. `total` is 0 when unknown. Return non-zero to cancel. */
typedef int (*cn_download_progress)(void *user, const char *url, uint64_t received, uint64_t total);

typedef struct cn_dataset_options {
    const char *path;               /* look here first and nowhere else; NULL: search (see cn_dataset_load) */
    int download;                   /* 1: fetch from the internet when nothing is found on this machine */
    cn_download_progress progress;  /* may be NULL */
    void *user;                     /* handed to progress */
} cn_dataset_options;
#define CN_DATASET_DEFAULTS .download = 1

/* Loads "mnist", "fashion_mnist", or a folder holding the four IDX files (train-images-idx3-ubyte, train-labels-idx1-
 * ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; each plain or with .gz behind it; "-images.idx3" will do too).
 * A name is searched in this order: options->path (the folder itself, or the one of that name in it); $CORNU_DATA
 * (the folder above, or for mnist also the folder itself); the installed data folder; the source tree that the
 * library was built from; the user's cache ($XDG_CACHE_HOME/cornu or ~/.cache/cornu); for fashion_mnist also Debian's
 * package dataset-fashion-mnist; and then, if allowed, a download from several mirrors in turn into the cache, each
 * file checked against its SHA-256 and resumed if it was cut off. $CORNU_MIRRORS (URLs with blanks between, each the
 * folder above NAME/train-images-idx3-ubyte.gz ...; https, http or file) replaces the built-in mirrors.
 * What is neither a known name nor has a slash must be a folder that exists.
 * On success `dataset` owns its tensors until cn_dataset_destroy; on failure it is all zero.
 * options NULL: the defaults. The macro takes options by name: cn_dataset_load(&data, "mnist", .download = 0).
 * Errors: CN_ENAME, CN_ENOTFOUND (the sentence lists where it looked), CN_EFORMAT (truncated, wrong magic, counts that
 * lie, image and label counts that differ), CN_ENETWORK (with each mirror's reason), CN_ENOTSUP (must download, but
 * built without), CN_ESTOPPED (progress cancelled), CN_ENOMEM, CN_EIO, CN_EINVAL.
 * Thread rule: independent calls may run side by side, also in several processes. Uses two threads while it reads. */
CN_API int cn_dataset_open(cn_dataset *dataset, const char *name, const cn_dataset_options *options);
#define cn_dataset_load(dataset, ...) CN_DATASET_LOAD_(dataset, __VA_ARGS__, )
#define CN_DATASET_LOAD_(dataset, name, ...)                                                                        \
    cn_dataset_open(dataset, name, &(const cn_dataset_options){CN_DATASET_DEFAULTS, __VA_ARGS__})

/* Keras's mnist.load_data() and fashion_mnist.load_data(): cn_dataset_open with the defaults. */
CN_API int cn_mnist_load(cn_dataset *dataset);
CN_API int cn_fashion_mnist_load(cn_dataset *dataset);

/* Destroys the tensors and clears the struct. Accepts NULL and an all-zero struct. */
CN_API void cn_dataset_destroy(cn_dataset *dataset);

/* Reads one IDX file (plain or gzipped, told by its first bytes) of unsigned bytes with 1 to CN_MAX_NDIM axes.
 * A gzip file must be one member, intact, with nothing behind it. You destroy the tensor.
 * Errors: CN_ENOTFOUND, CN_EFORMAT, CN_ENOMEM, CN_EIO.
 * Format: big-endian 0x0000 08 ndim, ndim sizes as 32-bit numbers, then the bytes. */
CN_API cn_tensor *cn_idx_read(const char *path);

/* The class names people use: "0".."9" for mnist, "T-shirt/top".. for fashion_mnist; NULL when there are none. Static
 * storage. */
CN_API const char *cn_class_name(const char *dataset_name, int label);

#ifdef __cplusplus
}
#endif
#endif
