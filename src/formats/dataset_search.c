#include "base/error.h"
#include "base/file.h"
#include "formats/dataset_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cn__path_join(char path[CN_PATH_BYTES], const char *folder, const char *name)
{
    size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    int needed = snprintf(path, CN_PATH_BYTES, "%s%s%s", folder, slash, name);
    if (needed >= 0 && needed < CN_PATH_BYTES) return CN_OK;
    return cn__fail(CN_EIO, "the path '%.200s...' is longer than %d bytes", folder, CN_PATH_BYTES - 1);
}

/* Plain before packed: it loads faster. "train-images.idx3-ubyte" is how some collections spell the names. */
static int find_file(const char *folder, const char *name, char path[CN_PATH_BYTES])
{
    char spelling[2][64];
    snprintf(spelling[0], sizeof spelling[0], "%s", name);
    snprintf(spelling[1], sizeof spelling[1], "%s", name);
    *strstr(spelling[1], "-idx") = '.';
    for (int i = 0; i < 4; i++) {
        char file[72];
        snprintf(file, sizeof file, "%s%s", spelling[i / 2], i % 2 ? ".gz" : "");
        CN_TRY(cn__path_join(path, folder, file));
        if (cn__file_exists(path)) return CN_OK;
    }
    return cn__fail(CN_ENOTFOUND, "the folder '%s' has neither '%s' nor '%s.gz'", folder, name, name);
}

int cn__dataset_find_in(const char *folder, cn__dataset_paths *paths)
{
    CN_TRY(cn__path_join(paths->folder, folder, ""));
    for (size_t n = strlen(paths->folder); n > 1 && paths->folder[n - 1] == '/'; n--) paths->folder[n - 1] = '\0';
    if (!cn__folder_exists(folder)) return cn__fail(CN_ENOTFOUND, "there is no folder '%s'", folder);
    for (int i = 0; i < CN_DATASET_FILES; i++)
        CN_TRY(find_file(folder, cn__dataset_file_names[i], paths->file[i]));
    return CN_OK;
}

int cn__dataset_cache_folder(const char *name, char folder[CN_PATH_BYTES])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char parent[CN_PATH_BYTES];
    if (cache && cache[0] == '/') {
        CN_TRY(cn__path_join(parent, cache, "cornu"));
    } else if (home && home[0]) {
        CN_TRY(cn__path_join(parent, home, ".cache/cornu"));
    } else {
        return cn__fail(CN_ENOTFOUND, "there is no cache folder, because neither XDG_CACHE_HOME nor HOME is set");
    }
    return cn__path_join(folder, parent, name);
}

/* The places that were tried, for the sentence. */
typedef struct search {
    cn__dataset_paths *paths;
    char tried[600];
} search;

static int try_folder(search *s, const char *folder)
{
    if (cn__dataset_find_in(folder, s->paths) == CN_OK) return 1;
    size_t used = strlen(s->tried);
    snprintf(s->tried + used, sizeof s->tried - used, "%s'%.250s'", used ? ", " : "", folder);
    return 0;
}

static int try_below(search *s, const char *parent, const char *name)
{
    char folder[CN_PATH_BYTES];
    return cn__path_join(folder, parent, name) == CN_OK && try_folder(s, folder);
}

/* $CORNU_DATA may be the folder above or, for MNIST itself, the folder. (The files of all data sets have the same
 * names: taking whatever lies there for any name would pass digits off as clothes.) */
static int try_environment(search *s, const cn__known_dataset *known)
{
    const char *folder = getenv("CORNU_DATA");
    if (!folder || !folder[0]) return 0;
    return try_below(s, folder, known->name) || (strcmp(known->name, "mnist") == 0 && try_folder(s, folder));
}

int cn__dataset_search(const cn__known_dataset *known, cn__dataset_paths *paths)
{
    search s = {.paths = paths};
    char cache[CN_PATH_BYTES];
    if (try_environment(&s, known)) return CN_OK;
    if (try_below(&s, CN_INSTALL_DATA_DIR, known->name)) return CN_OK;
    if (try_below(&s, CN_SOURCE_DATA_DIR, known->name)) return CN_OK;
    if (cn__dataset_cache_folder(known->name, cache) == CN_OK && try_folder(&s, cache)) return CN_OK;
    if (known->debian_folder && try_folder(&s, known->debian_folder)) return CN_OK;
    return cn__fail(CN_ENOTFOUND, "the data set %s is not on this machine; %s%s%sname a folder that holds its four IDX "
                    "files, or set CORNU_DATA to the folder above it (looked in %s)", known->name,
                    known->debian_package ? "install Debian's package " : "",
                    known->debian_package ? known->debian_package : "", known->debian_package ? ", " : "", s.tried);
}
