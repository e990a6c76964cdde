/* What the notebook programs share: the switch for a short run, and printing a shape. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <cornu/cornu.h>
#include <string.h>

/* 1 if the program was called with --quick, as the tests do: fewer epochs, the same steps. */
static inline int example_is_quick(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "--quick") == 0;
}

/* "(60000, 28, 28)" and a newline, what Python shows for train_images.shape. */
static inline void example_print_shape(const cn_tensor *tensor)
{
    char *text = cn_shape_str(tensor);
    puts(text ? text : cn_error_message());
    cn_string_free(text);
}

#endif
