/* C in README.md, CONTRIBUTING.md, ARCHITECTURE.md and docs/ is quoted, not made up: each block stands in a file of
 * include/, src/ or examples/, which the compiler sees, so it cannot go stale. A line "..." stands for any lines. Blank
 * lines, lines that are only a comment, and the number of blanks within a line do not matter. */
#define _GNU_SOURCE
#include "scratch.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST_LINES = 4000, MOST_BLOCKS = 100, MOST_BLOCK_LINES = 100 };

/* A file's text, cut into lines without what does not matter. */
typedef struct text {
    char *memory;
    const char *lines[MOST_LINES];
    int numbers[MOST_LINES]; /* from 1 */
    int count;
} text;

static int is_comment(const char *line)
{
    size_t length = strlen(line);
    return length >= 4 && !strncmp(line, "/*", 2) && !strcmp(line + length - 2, "*/");
}

static void squeeze(char *line)
{
    char *out = line;
    for (const char *in = line; *in; in++)
        if (!isspace((unsigned char)*in)) *out++ = *in;
        else if (out > line && out[-1] != ' ') *out++ = ' ';
    if (out > line && out[-1] == ' ') out--;
    *out = '\0';
}

static void read_text(const char *path, text *t)
{
    size_t room = 0;
    FILE *stream = fopen(path, "r");
    t->memory = NULL;
    t->count = 0;
    if (!stream || getdelim(&t->memory, &room, '\0', stream) < 0) fail_msg("cannot read %s", path);
    fclose(stream);
    int number = 0;
    for (char *line = t->memory, *end; line; line = end) {
        end = strchr(line, '\n');
        if (end) *end++ = '\0';
        number++;
        squeeze(line);
        if (!*line || is_comment(line)) continue;
        if (t->count == MOST_LINES) fail_msg("%s has more than %d lines", path, MOST_LINES);
        t->numbers[t->count] = number;
        t->lines[t->count++] = line;
    }
}

/* --- blocks of pages --- */

typedef struct block {
    char place[512]; /* page and line */
    char *lines[MOST_BLOCK_LINES];
    int count, is_found;
} block;

typedef struct blocks {
    block *list;
    int count;
} blocks;

static void add_blocks(blocks *all, const char *page)
{
    text t;
    block *open = NULL;
    read_text(page, &t);
    for (int i = 0; i < t.count; i++) {
        if (open && !strcmp(t.lines[i], "```")) {
            open = NULL;
        } else if (open) {
            if (open->count == MOST_BLOCK_LINES) fail_msg("the block at %s is too long for this test", open->place);
            open->lines[open->count++] = strdup(t.lines[i]);
        } else if (!strcmp(t.lines[i], "```c")) {
            if (all->count == MOST_BLOCKS) fail_msg("more than %d blocks", MOST_BLOCKS);
            open = &all->list[all->count++];
            snprintf(open->place, sizeof open->place, "%.480s:%d", page, t.numbers[i]);
        }
    }
    free(t.memory);
}

static void add_folder(blocks *all, const char *folder)
{
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char page[1024];
        size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 3, ".md") || !strcmp(entry->d_name, "CHANGELOG.md")) continue;
        snprintf(page, sizeof page, "%.700s/%.300s", folder, entry->d_name);
        add_blocks(all, page);
    }
    if (entries) closedir(entries);
}

/* --- files --- */

/* The place in t at or after `from` behind lines `begin` to `end` - 1 of the block; -1: they are not there. */
static int behind(const text *t, int from, const block *b, int begin, int end)
{
    for (int at = from; at + end - begin <= t->count; at++) {
        int same = 0;
        while (begin + same < end && !strcmp(t->lines[at + same], b->lines[begin + same])) same++;
        if (begin + same == end) return at + same;
    }
    return -1;
}

static int stands_in(const text *t, const block *b)
{
    int at = 0;
    for (int begin = 0, end; begin < b->count && at >= 0; begin = end + 1) {
        end = begin;
        while (end < b->count && strcmp(b->lines[end], "...")) end++;
        at = behind(t, at, b, begin, end);
    }
    return at >= 0;
}

static void look_below(blocks *all, const char *path)
{
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char below[1024];
        struct stat info;
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.') continue;
        snprintf(below, sizeof below, "%.700s/%.300s", path, entry->d_name);
        if (stat(below, &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) look_below(all, below);
        if (length < 3 || (strcmp(entry->d_name + length - 2, ".c") && strcmp(entry->d_name + length - 2, ".h")))
            continue;
        text t;
        read_text(below, &t);
        for (int i = 0; i < all->count; i++) all->list[i].is_found |= stands_in(&t, &all->list[i]);
        free(t.memory);
    }
    if (entries) closedir(entries);
}

/* How many blocks of the tree are in no file; *count (may be NULL) is set to how many there are. */
static int count_lost(const char *root, int *count)
{
    static const char *const folders[] = {"include", "src", "examples"};
    blocks all = {.list = calloc(MOST_BLOCKS, sizeof(block))};
    char path[1024];
    int lost = 0;
    assert_non_null(all.list);
    add_folder(&all, root);
    snprintf(path, sizeof path, "%.900s/docs", root);
    add_folder(&all, path);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%.900s/%s", root, folders[i]);
        look_below(&all, path);
    }
    if (count) *count = all.count;
    for (int i = 0; i < all.count; i++) {
        lost += !all.list[i].is_found;
        if (!all.list[i].is_found) print_message("%s: this C is in no file\n", all.list[i].place);
        for (int k = 0; k < all.list[i].count; k++) free(all.list[i].lines[k]);
    }
    free(all.list);
    return lost;
}

static void pages_quote_files(void **state)
{
    (void)state;
    int count, lost = count_lost(CN_SOURCE_DIR, &count);
    print_message("%d blocks of C, %d of them in no file\n", count, lost);
    assert_true(count >= 10);
    assert_int_equal(lost, 0);
}

static void expect(const char *page, int lost)
{
    scratch_write("docs/page.md", page, strlen(page));
    assert_int_equal(count_lost(scratch_folder, NULL), lost);
}

static void the_test_finds_what_was_not_quoted(void **state)
{
    (void)state;
    const char file[] = "int one(void)\n{\n    /* why */\n    int x  = 1;\n\n    return x;\n}\n\nint two;\n";
    scratch_make("docs");
    scratch_make("src");
    scratch_make("src/deep");
    scratch_write("src/deep/a.c", file, strlen(file));
    expect("Text.\n\n```c\nint one(void)\n{\n    int x = 1;\n    return x;\n}\n```\n", 0);
    expect("```c\n/* note */\nint x = 1;\n...\n}\n```\n\n```c\nint two;\n```\n", 0);
    expect("```c\nint one(void)\n...\nint two;\n```\n", 0);
    expect("```\nint three;\n```\n\n```sh\nint four\n```\n", 0);
    expect("```c\nint x = 2;\n```\n", 1);
    expect("```c\nint one(void)\nint two;\n```\n", 1);
    expect("```c\nint two;\n...\nint one(void)\n```\n", 1);
    expect("```c\nint two;\nint three;\n```\n", 1);
    expect("```c\nint three;\n```\n```c\nint two;\n```\n```c\nint four;\n```\n", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_finds_what_was_not_quoted),
        cmocka_unit_test(pages_quote_files),
    };
    return cmocka_run_group_tests_name("quoted_code", tests, scratch_setup, scratch_teardown);
}
