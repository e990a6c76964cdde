/* Includes point downwards only. The order of the folders of src/, lowest first; a line's folders are siblings that do
 * not know each other:
 *
 *   base  <  kernels  <  tensor  <  autodiff  <  layers, train, formats  <  model
 *
 * cli/, examples/ and bench/ are outside: they see <cornu/...> and their own files. Only bench/kernels/, which measures
 * kernels by themselves, stands where src/kernels/ does, and names its own files as the other two do. */
#define _GNU_SOURCE
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *folder;
    int height;
} order[] = {{"base", 0}, {"kernels", 1}, {"tensor", 2}, {"autodiff", 3}, {"layers", 4},
             {"train", 4}, {"formats", 4}, {"model", 5}};
enum { N_FOLDERS = sizeof order / sizeof *order };

static int height_of(const char *folder, size_t length)
{
    for (int i = 0; i < N_FOLDERS; i++)
        if (strlen(order[i].folder) == length && strncmp(order[i].folder, folder, length) == 0) return order[i].height;
    return -1;
}

typedef struct findings {
    int files, includes, wrong;
    char last[512];
} findings;

static void report(findings *f, const char *path, int line, const char *what, const char *included)
{
    f->wrong++;
    snprintf(f->last, sizeof f->last, "%.200s:%d: %s: %.200s", path, line, what, included);
    print_message("%s\n", f->last);
}

/* `folder` is the file's folder in src/, NULL for files outside. */
static void judge(findings *f, const char *path, int line, const char *folder, const char *included)
{
    const char *slash = strchr(included, '/');
    f->includes++;
    if (strstr(included, "..")) {
        report(f, path, line, "goes up in the tree", included);
    } else if (!folder) {
        if (strncmp(included, "src/", 4) == 0 || (slash && height_of(included, (size_t)(slash - included)) >= 0))
            report(f, path, line, "reaches into src/, only <cornu/...> is public", included);
    } else if (!slash) {
        if (!strstr(path, "/bench/kernels/")) report(f, path, line, "does not name its folder", included);
    } else {
        size_t length = (size_t)(slash - included);
        int own = strlen(folder) == length && strncmp(folder, included, length) == 0;
        int from = height_of(folder, strlen(folder)), to = height_of(included, length);
        if (from < 0) report(f, path, line, "its folder has no place in the order", included);
        else if (to < 0) report(f, path, line, "includes from a folder that has no place in the order", included);
        else if (!own && to >= from) report(f, path, line, "points up or sideways", included);
    }
}

static void read_file(findings *f, const char *path, const char *folder)
{
    char line[1024];
    FILE *stream = fopen(path, "r");
    if (!stream) return;
    f->files++;
    for (int number = 1; fgets(line, sizeof line, stream); number++) {
        char included[256];
        if (sscanf(line, " # include \"%255[^\"]\"", included) == 1) judge(f, path, number, folder, included);
        if (folder && sscanf(line, " # include <src/%255[^>]>", included) == 1)
            report(f, path, number, "names src/", included);
    }
    fclose(stream);
}

/* All .c and .h files below `path`; inside src/ the first folder below it decides. */
static void walk(findings *f, const char *path, const char *folder, int is_src)
{
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char below[1024];
        size_t length = strlen(entry->d_name);
        struct stat info;
        if (entry->d_name[0] == '.') continue;
        snprintf(below, sizeof below, "%.700s/%.300s", path, entry->d_name);
        if (stat(below, &info) != 0) continue;
        size_t end = strlen(below), known = strlen("/bench/kernels");
        int measures_kernels = !is_src && end > known && strcmp(below + end - known, "/bench/kernels") == 0;
        if (S_ISDIR(info.st_mode))
            walk(f, below, measures_kernels ? "kernels" : is_src && !folder ? entry->d_name : folder, is_src);
        else if (length > 2 && (strcmp(entry->d_name + length - 2, ".c") == 0 ||
                                strcmp(entry->d_name + length - 2, ".h") == 0))
            read_file(f, below, folder);
    }
    if (entries) closedir(entries);
}

static findings walk_tree(const char *root)
{
    static const char *const outside[] = {"cli", "examples", "bench"};
    findings f = {.files = 0};
    char path[1024];
    snprintf(path, sizeof path, "%.900s/src", root);
    walk(&f, path, NULL, 1);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%.900s/%s", root, outside[i]);
        walk(&f, path, NULL, 0);
    }
    return f;
}

static void every_include_points_downwards(void **state)
{
    (void)state;
    findings f = walk_tree(CN_SOURCE_DIR);
    print_message("%d includes in %d files, %d of them wrong\n", f.includes, f.files, f.wrong);
    assert_true(f.files > 50 && f.includes > 100);
    assert_int_equal(f.wrong, 0);
}

/* A made-up tree with one file, which must be judged as said. */
static void expect(const char *file, const char *text, const char *complaint)
{
    findings f;
    scratch_write(file, text, strlen(text));
    f = walk_tree(scratch_folder);
    assert_int_equal(f.files, 1);
    assert_int_equal(f.wrong, complaint != NULL);
    if (complaint) assert_non_null(strstr(f.last, complaint));
    unlink(scratch_path(file));
}

static void the_test_finds_wrong_arrows(void **state)
{
    (void)state;
    static const char *const folders[] = {"src", "src/base", "src/kernels", "src/layers", "src/model", "src/somewhere",
                                          "cli", "bench", "bench/deep", "bench/kernels"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) scratch_make(folders[i]);
    expect("src/model/a.c", "#include \"layers/layer.h\"\n#include \"model/b.h\"\n#include <stdio.h>\n", NULL);
    expect("src/layers/a.c", "#include \"tensor/tensor.h\"\n#include \"kernels/row.h\"\n", NULL);
    expect("src/base/a.h", "#include \"kernels/row.h\"\n", "a.h:1: points up or sideways");
    expect("src/kernels/a.c", "int x;\n  #  include \"tensor/tensor.h\"\n", "a.c:2: points up or sideways");
    expect("src/layers/a.c", "#include \"train/loss.h\"\n", "points up or sideways");
    expect("src/layers/a.c", "#include \"model/model.h\"\n", "points up or sideways");
    expect("src/base/a.c", "#include \"memory.h\"\n", "does not name its folder");
    expect("src/base/a.c", "#include \"../model/model.h\"\n", "goes up in the tree");
    expect("src/somewhere/a.c", "#include \"base/memory.h\"\n", "no place in the order");
    expect("src/model/a.c", "#include \"somewhere/a.h\"\n", "no place in the order");
    expect("cli/a.c", "#include <cornu/cornu.h>\n#include \"options.h\"\n", NULL);
    expect("cli/a.c", "#include \"model/model.h\"\n", "reaches into src/");
    expect("bench/kernels/a.c", "#include \"kernels/dense.h\"\n#include \"base/pool.h\"\n", NULL);
    expect("bench/kernels/a.c", "#include \"turns.h\"\n", NULL);
    expect("bench/kernels/a.c", "#include \"model/model.h\"\n", "points up or sideways");
    expect("bench/deep/a.c", "#include \"kernels/dense.h\"\n", "reaches into src/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_finds_wrong_arrows),
        cmocka_unit_test(every_include_points_downwards),
    };
    return cmocka_run_group_tests_name("include_direction", tests, scratch_setup, scratch_teardown);
}
