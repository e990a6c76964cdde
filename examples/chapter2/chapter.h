/* What the chapter's programs share: printing tensors, and the switch for the short runs of the tests. */
#ifndef CHAPTER_H
#define CHAPTER_H

#include <cornu/cornu.h>
#include <stdlib.h>
#include <string.h>

/* 1 if the program was called with --quick: less of the same. */
static inline int is_quick(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "--quick") == 0;
}

/* For programs of a page: whatever was refused, say so and stop. */
static inline const cn_tensor *must(const cn_tensor *tensor)
{
    if (tensor) return tensor;
    fprintf(stderr, "%s\n", cn_error_message());
    exit(1);
}

static inline void must_be_ok(int status)
{
    if (status < 0) must(NULL);
}

/* "name.shape  (60000, 28, 28)" */
static inline void show_shape(const char *name, const cn_tensor *tensor)
{
    char *text = cn_shape_str(must(tensor));
    printf("%-44s %s\n", name, text ? text : cn_error_message());
    cn_string_free(text);
}

/* The numbers, as NumPy prints them. */
static inline void show(const char *name, const cn_tensor *tensor)
{
    char *text = cn_repr(must(tensor));
    printf("%s\n%s\n", name, text ? text : cn_error_message());
    cn_string_free(text);
}

#endif
