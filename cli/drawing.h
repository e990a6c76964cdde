/* Pictures in the terminal and on contact sheets. */
#ifndef CLI_DRAWING_H
#define CLI_DRAWING_H

#include <cornu/tensor.h>

typedef char drawing_label[48];

/* How many pictures of that width stand side by side on standard output. */
int drawing_fit(int64_t width);

/* Draws pictures, uint8 (n, h, w), side by side, each with its label above. Returns an exit status. */
int drawing_print(const cn_tensor *images, const drawing_label *labels);

/* Writes them as one PNG, each with its label under it; a single picture as it is. Returns an exit status. */
int drawing_save(const char *path, const cn_tensor *images, const drawing_label *labels);

#endif
