/* The four files of a data set: what they are called, where they may lie, and where they come from. */
#ifndef CN_FORMATS_DATASET_FILES_H
#define CN_FORMATS_DATASET_FILES_H

#include <cornu/dataset.h>

/* The order of the four files everywhere. */
enum { CN_TRAIN_IMAGES, CN_TRAIN_LABELS, CN_TEST_IMAGES, CN_TEST_LABELS, CN_DATASET_FILES };

#define CN_PATH_BYTES 1024

/* A data set that Cornu knows by name. */
typedef struct cn__known_dataset {
    const char *name;
    const char *const *classes;            /* 10 names */
    const char *debian_package;            /* NULL: none */
    const char *debian_folder;
    const char *mirrors[4];                /* base URLs with a slash behind; the rest is NULL */
    const char *sha256[CN_DATASET_FILES];  /* of the unpacked files */
} cn__known_dataset;

/* --- dataset_known.c --- */

/* "train-images-idx3-ubyte" ..., in order. */
extern const char *const cn__dataset_file_names[CN_DATASET_FILES];

/* NULL when the name is none of them. A hyphen counts as an underscore. */
const cn__known_dataset *cn__known_dataset_find(const char *name);

/* The names of all of them, for "did you mean". Returns how many. */
int cn__known_dataset_names(const char *const **names);

/* --- dataset_search.c --- */

/* The four paths. */
typedef struct cn__dataset_paths {
    char folder[CN_PATH_BYTES];
    char file[CN_DATASET_FILES][CN_PATH_BYTES];
} cn__dataset_paths;

/* Finds the four files in one folder. Error: CN_ENOTFOUND naming the first that is missing, CN_EIO (path too long). */
int cn__dataset_find_in(const char *folder, cn__dataset_paths *paths);

/* Finds a known data set in the places that <cornu/dataset.h> lists, the download left out. Error: CN_ENOTFOUND with
 * a sentence that lists the places. */
int cn__dataset_search(const cn__known_dataset *known, cn__dataset_paths *paths);

/* The folder of the user's cache that a data set belongs in. Error: CN_ENOTFOUND when the user has no home. */
int cn__dataset_cache_folder(const char *name, char folder[CN_PATH_BYTES]);

/* "folder/name". Error: CN_EIO when it is too long. */
int cn__path_join(char path[CN_PATH_BYTES], const char *folder, const char *name);

/* --- download.c --- */

/* Fetches the files that are not yet in `folder`, packed, from the first mirror that has them intact. A file cut off
 * stays as NAME.gz.part and is continued the next time. Waits while another process fills the same folder.
 * Errors: CN_ENETWORK (with each mirror's reason), CN_ENOTSUP (built without libcurl), CN_ESTOPPED (progress returned
 * non-zero), CN_EIO, CN_ENOMEM. */
int cn__dataset_download(const cn__known_dataset *known, const char *folder, cn_download_progress progress, void *user);

#endif
