#include "drawing.h"

#include "complain.h"
#include "options.h"
#include "terminal.h"

#include <cornu/image.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
#define MOST_IN_A_ROW 32
#define SHEET_COLUMNS 10
#define SHEET_ZOOM 2

int drawing_fit(int64_t width)
{
    int fit = (int)((terminal_columns(stdout) + GAP) / (width + GAP));
    return fit < 1 ? 1 : fit > MOST_IN_A_ROW ? MOST_IN_A_ROW : fit;
}

/* The label, a newline, and the picture. Release with free. */
static char *labelled(const cn_tensor *images, int64_t i, const char *label)
{
    cn_tensor *image = cn_index(images, i);
    char *picture = cn_image_to_text(image, terminal_columns(stdout), terminal_colour(stdout));
    size_t size = picture != NULL ? strlen(picture) + strlen(label) + 2 : 0;
    char *text = picture != NULL ? malloc(size) : NULL;
    if (text != NULL) {
        snprintf(text, size, "%s\n%s", label, picture);
    }
    cn_string_free(picture);
    cn_tensor_destroy(&image);
    return text;
}

int drawing_print(const cn_tensor *images, const drawing_label *labels)
{
    int64_t n = cn_len(images);
    int fit = drawing_fit(cn_shape(images)[2]), status = STATUS_OK;
    for (int64_t first = 0; first < n && status == STATUS_OK; first += fit) {
        char *row[MOST_IN_A_ROW] = {0};
        int in_row = n - first < fit ? (int)(n - first) : fit;
        for (int i = 0; i < in_row && status == STATUS_OK; i++) {
            row[i] = labelled(images, first + i, labels[first + i]);
            status = row[i] != NULL ? STATUS_OK : complain_of_library();
        }
        if (status == STATUS_OK) {
            terminal_side_by_side((const char *const *)row, in_row, GAP);
        }
        for (int i = 0; i < in_row; i++) {
            free(row[i]);
        }
    }
    return status;
}

static int write_one(const char *path, const cn_tensor *images)
{
    cn_tensor *image = cn_index(images, 0);
    int status = image != NULL && cn_image_write(path, image) >= 0 ? STATUS_OK : complain_of_library();
    cn_tensor_destroy(&image);
    return status;
}

int drawing_save(const char *path, const cn_tensor *images, const drawing_label *labels)
{
    int64_t n = cn_len(images);
    if (n == 1) {
        return write_one(path, images);
    }
    const char **names = malloc((size_t)n * sizeof *names);
    if (names == NULL) {
        return complain("out of memory");
    }
    for (int64_t i = 0; i < n; i++) {
        names[i] = labels[i];
    }
    cn_tensor *sheet = cn_image_sheet(images, names, n < SHEET_COLUMNS ? (int)n : SHEET_COLUMNS, SHEET_ZOOM);
    int status = sheet != NULL && cn_image_write(path, sheet) >= 0 ? STATUS_OK : complain_of_library();
    cn_tensor_destroy(&sheet);
    free(names);
    return status;
}
