/* No line of C is longer than 120 columns. What the compiler does not read is not looked at. */
#define _GNU_SOURCE
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST = 120 };

typedef struct findings {
    int files, lines, wrong;
} findings;

/* Columns are characters, not the bytes of their UTF-8. */
static int columns_of(const char *line)
{
    int columns = 0;
    for (; *line && *line != '\n'; line++) columns += ((unsigned char)*line & 0xc0) != 0x80;
    return columns;
}

static void read_file(findings *f, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    FILE *stream = fopen(path, "r");
    if (!stream) return;
    f->files++;
    for (int number = 1; getline(&line, &room, stream) >= 0; number++) {
        int columns = columns_of(line);
        f->lines++;
        if (columns <= MOST) continue;
        f->wrong++;
        print_message("%s:%d: %d columns\n", path, number, columns);
    }
    free(line);
    fclose(stream);
}

static void walk(findings *f, const char *path)
{
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char below[1024];
        size_t length = strlen(entry->d_name);
        struct stat info;
        if (entry->d_name[0] == '.') continue;
        snprintf(below, sizeof below, "%.700s/%.300s", path, entry->d_name);
        if (stat(below, &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) walk(f, below);
        else if (length > 2 && (!strcmp(entry->d_name + length - 2, ".c") || !strcmp(entry->d_name + length - 2, ".h")))
            read_file(f, below);
    }
    if (entries) closedir(entries);
}

static findings walk_tree(const char *root)
{
    static const char *const folders[] = {"include", "src", "cli", "examples", "bench", "tests"};
    findings f = {.files = 0};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%.900s/%s", root, folders[i]);
        walk(&f, path);
    }
    return f;
}

static void no_line_is_too_long(void **state)
{
    (void)state;
    findings f = walk_tree(CN_SOURCE_DIR);
    print_message("%d lines in %d files, %d of them too long\n", f.lines, f.files, f.wrong);
    assert_true(f.files > 400 && f.lines > 40000);
    assert_int_equal(f.wrong, 0);
}

/* `columns` times x, then a line that is short, in a made-up tree with one file. */
static int wrong_with(const char *folder, const char *name, int columns, const char *x)
{
    char text[1024] = "short\n", path[64];
    for (int i = 0; i < columns; i++) strcat(text, x);
    strcat(text, "\nshort\n");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    scratch_make(folder);
    scratch_write(path, text, strlen(text));
    int wrong = walk_tree(scratch_folder).wrong;
    unlink(scratch_path(path));
    return wrong;
}

static void the_test_finds_long_lines(void **state)
{
    (void)state;
    assert_int_equal(wrong_with("src", "a.c", 120, "x"), 0);
    assert_int_equal(wrong_with("src", "a.c", 121, "x"), 1);
    assert_int_equal(wrong_with("tests", "a.h", 500, "x"), 1);
    assert_int_equal(wrong_with("cli", "a.c", 120, "\xc3\xa4"), 0);
    assert_int_equal(wrong_with("cli", "a.c", 121, "\xc3\xa4"), 1);
    assert_int_equal(wrong_with("bench", "a.py", 500, "x"), 0);
    assert_int_equal(wrong_with("src/.hidden", "a.c", 500, "x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_finds_long_lines),
        cmocka_unit_test(no_line_is_too_long),
    };
    return cmocka_run_group_tests_name("line_lengths", tests, scratch_setup, scratch_teardown);
}
