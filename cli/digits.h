/* Pictures on their way into a model: loading a data set, and giving its pictures the shape and scale a model takes. */
#ifndef CLI_DIGITS_H
#define CLI_DIGITS_H

#include <cornu/dataset.h>
#include <cornu/model.h>

#define PIXEL_SCALE (1.0 / 255)

/* How much digits_load tells on standard error. */
typedef enum digits_talk { DIGITS_SILENT, DIGITS_DOWNLOADS, DIGITS_EVERYTHING } digits_talk;

/* Loads a data set by name or folder and tells about downloads, and what it is and how long loading took. Returns an
 * exit status; `data` is destroyed by the caller also after failure. */
int digits_load(cn_dataset *data, const char *name, int download, digits_talk talk);

/* A view of `images` (n, h, w) as the model takes one sample: (n, h*w), (n, h, w) or (n, h, w, 1), every number times
 * `scale`; NaN means 1/255, or 1 for a model with a Rescaling layer. NULL after a complaint. Owned by `images`. */
cn_tensor *digits_for_model(const cn_model *model, const cn_tensor *images, double scale, const char *what);

/* 1 if the loss takes one-hot rows, 0 if it takes the labels themselves. */
int digits_one_hot(const char *loss);

/* Labels as the loss wants them: one-hot rows, or the labels themselves for sparse losses. Destroy *owned in the end,
 * which is NULL where nothing was made. NULL after a complaint. */
const cn_tensor *digits_targets(const cn_tensor *labels, const char *loss, int64_t n_classes, cn_tensor **owned);

/* Entries of a shape multiplied. */
int64_t digits_product(const int64_t *shape, int ndim);

#endif
