/* Tensors: n-dimensional arrays of numbers, as NumPy has them.
 *
 * Ownership. A tensor that owns its numbers is destroyed by you. A view (reshape, slice, index, transpose, scale)
 * looks at the numbers of another tensor and belongs to it: destroying the owner destroys all its views, so calls can
 * be nested without leaks: cn_scale(cn_reshape(images, 60000, 784), 1.0 / 255). A view that is made in a loop may be
 * destroyed earlier. Functions that return a tensor return NULL on failure (see error.h); they accept NULL tensors
 * and pass the failure on, so only the last call of a chain has to be checked.
 *
 * Threads. Different threads may read one tensor and make and destroy views of it; writing needs your own lock. */
#ifndef CORNU_TENSOR_H
#define CORNU_TENSOR_H

#include <cornu/export.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* dtype, its name in NumPy, bytes per element. A bool is a byte, 0 or 1. */
#define CN_DTYPE_LIST(X)                                                                                            \
    X(CN_UINT8, "uint8", 1)                                                                                         \
    X(CN_INT32, "int32", 4)                                                                                         \
    X(CN_INT64, "int64", 8)                                                                                         \
    X(CN_FLOAT32, "float32", 4)                                                                                     \
    X(CN_FLOAT64, "float64", 8)                                                                                     \
    X(CN_BOOL, "bool", 1)                                                                                           \
    X(CN_INT8, "int8", 1)                                                                                           \
    X(CN_INT16, "int16", 2)                                                                                         \
    X(CN_UINT16, "uint16", 2)                                                                                       \
    X(CN_UINT32, "uint32", 4)                                                                                       \
    X(CN_UINT64, "uint64", 8)                                                                                       \
    X(CN_FLOAT16, "float16", 2)

typedef enum cn_dtype {
#define CN_DTYPE_ENUM(id, name, bytes) id,
    CN_DTYPE_LIST(CN_DTYPE_ENUM)
#undef CN_DTYPE_ENUM
    CN_DTYPE_COUNT
} cn_dtype;

#define CN_MAX_NDIM 8
#define CN_END INT64_MAX /* "to the end" in a range */

typedef struct cn_tensor cn_tensor;

/* Half-open range start:stop:step along one axis. Negative start and stop count from the end, ends beyond the axis are
 * clamped, stop = CN_END means "to the end", step 0 means 1. Negative steps walk backwards; then stop = CN_END means
 * "to the beginning, included". */
typedef struct cn_range {
    int64_t start, stop, step;
} cn_range;
#define CN_ALL {0, CN_END, 1}

/* --- making --------------------------------------------------------------------------------------------------- */

/* A tensor of zeros; shape has ndim entries, each >= 0; ndim 0 is a scalar. You destroy it.
 * Errors: CN_EINVAL (ndim > CN_MAX_NDIM, negative size), CN_ENOMEM (also when the byte count overflows). */
CN_API cn_tensor *cn_tensor_create(cn_dtype dtype, int ndim, const int64_t *shape);

/* The same, filled with a copy of `values` (row-major, of that dtype). You destroy it. */
CN_API cn_tensor *cn_tensor_from(cn_dtype dtype, int ndim, const int64_t *shape, const void *values);

/* A tensor over memory of yours, row-major, which must outlive it. Destroying the tensor leaves the memory alone. */
CN_API cn_tensor *cn_tensor_wrap(cn_dtype dtype, int ndim, const int64_t *shape, void *values);

/* Destroys *tensor and, if it owns its numbers, all its views. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_tensor_destroy(cn_tensor **tensor);

#define CN_SHAPE(...)                                                                                               \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) { __VA_ARGS__ }
#define cn_zeros(dtype, ...) cn_tensor_create(dtype, CN_SHAPE(__VA_ARGS__))

/* --- looking at ------------------------------------------------------------------------------------------------- */

/* None of these fails. NULL has ndim, size and length -1, no shape, strides or data, dtype CN_DTYPE_COUNT and scale
 * NaN. */

CN_API int cn_ndim(const cn_tensor *tensor);              /* number of axes */
CN_API const int64_t *cn_shape(const cn_tensor *tensor);  /* ndim entries, borrowed */
CN_API int64_t cn_size(const cn_tensor *tensor);          /* number of elements */
CN_API int64_t cn_len(const cn_tensor *tensor);           /* shape[0], as Python's len(); -1 for scalars */
CN_API cn_dtype cn_dtype_of(const cn_tensor *tensor);     /* type of the stored numbers */
CN_API const int64_t *cn_strides(const cn_tensor *tensor);/* bytes from one element to the next, an entry per axis */
CN_API double cn_scale_of(const cn_tensor *tensor);       /* what every stored number is multiplied by; 1 if plain */
CN_API int cn_is_contiguous(const cn_tensor *tensor);     /* 1 if row-major without gaps */
CN_API void *cn_data(const cn_tensor *tensor);            /* the first stored number (scale not applied) */
CN_API const char *cn_dtype_name(cn_dtype dtype);         /* "float32" */
CN_API size_t cn_dtype_size(cn_dtype dtype);              /* bytes per element */

/* One element as a double, scale applied; `index` has ndim entries, negative ones count from the end.
 * NaN and an error message when out of range. */
CN_API double cn_tensor_get(const cn_tensor *tensor, const int64_t *index);
#define cn_get(tensor, ...) cn_tensor_get(tensor, (const int64_t[]){__VA_ARGS__})

/* Stores one element, converted to the tensor's dtype. Errors: CN_EINVAL (out of range, or a scaled view). */
CN_API int cn_tensor_set(cn_tensor *tensor, const int64_t *index, double value);

/* --- views: no number is copied --------------------------------------------------------------------------------- */

/* Errors of all of them: CN_ENOMEM, and CN_EINVAL for a position, range, axis or factor that the shape does not have,
 * with a sentence that names both. */

/* Same numbers, another shape; one entry may be -1 and is worked out. A tensor that is not contiguous is copied first
 * (the copy belongs to the tensor's owner, like a view, and views of the copy belong to the copy). Error: CN_ESHAPE
 * when the element counts differ. */
CN_API cn_tensor *cn_tensor_reshape(const cn_tensor *tensor, int ndim, const int64_t *shape);
#define cn_reshape(tensor, ...) cn_tensor_reshape(tensor, CN_SHAPE(__VA_ARGS__))

/* The first n_ranges axes cut to ranges, the others whole: cn_slice(images, {10, 100}, {14, CN_END}). */
CN_API cn_tensor *cn_tensor_slice(const cn_tensor *tensor, int n_ranges, const cn_range *ranges);
#define cn_slice(tensor, ...)                                                                                       \
    cn_tensor_slice(tensor, (int)(sizeof((cn_range[]){__VA_ARGS__}) / sizeof(cn_range)),                            \
                    (const cn_range[]){__VA_ARGS__})

/* Fixes the first n axes at the given positions and drops them: cn_index(images, 4) has shape (28, 28). */
CN_API cn_tensor *cn_tensor_index(const cn_tensor *tensor, int n, const int64_t *index);
#define cn_index(tensor, ...) cn_tensor_index(tensor, CN_SHAPE(__VA_ARGS__))

/* Axes in the order given, ndim of them, negative ones counted from the end (axes NULL: reversed). */
CN_API cn_tensor *cn_tensor_transpose(const cn_tensor *tensor, const int *axes);
#define cn_transpose(tensor) cn_tensor_transpose(tensor, NULL)

/* Every number read through the view is stored x factor, a product of doubles, rounded once to the type that reads
 * it. Nothing is computed or copied now: MNIST's 47 MB of bytes stay bytes. Scaling a scaled view multiplies the
 * factors. */
CN_API cn_tensor *cn_scale(const cn_tensor *tensor, double factor);

/* --- copies: you destroy them ------------------------------------------------------------------------------------ */

/* A contiguous copy in another dtype, scale applied. Floats, and whatever carries a scale, become integers by
 * truncation; values out of range saturate and NaN becomes 0 (NumPy leaves these undefined). Plain integers that a
 * narrower dtype cannot hold wrap round, as in NumPy: int64 256 is uint8 0. */
CN_API cn_tensor *cn_astype(const cn_tensor *tensor, cn_dtype dtype);

/* A contiguous copy in the tensor's own dtype (float32 if it carries a scale and holds integers). */
CN_API cn_tensor *cn_copy(const cn_tensor *tensor);

/* One-hot rows, float32: input shape + (num_classes); a trailing axis of 1 behind others is dropped; num_classes 0
 * means the largest label + 1. Labels are truncated to integers. Unlike Keras's, negative labels do not wrap.
 * Errors: CN_EINVAL (a label outside 0 ... num_classes-1, named with its row; empty input without num_classes).
 * Source: keras.utils.to_categorical. */
CN_API cn_tensor *cn_to_categorical(const cn_tensor *labels, int64_t num_classes);

/* Index of the largest entry along the last axis (first one on ties; NaN counts as largest), int64, without that axis.
 * Error: CN_EINVAL when that axis is empty. Source: numpy.argmax. */
CN_API cn_tensor *cn_argmax(const cn_tensor *tensor);

/* --- printing ----------------------------------------------------------------------------------------------------- */

/* NumPy's repr(): "array([5, 0, 4, ..., 5, 6, 8], dtype=uint8)"; summarised beyond 1000 elements, lines of 75 columns.
 * The text is that of NumPy 1.26 to 2.1, which later versions write with set_printoptions(legacy="2.1"), in any
 * locale. A scaled view of integers prints as the float32 numbers it shows. Returns memory that you release with
 * cn_string_free, NULL when there is none left. */
CN_API char *cn_repr(const cn_tensor *tensor);

/* NumPy's str(): "[5 0 4 ... 5 6 8]". Released like cn_repr's. */
CN_API char *cn_str(const cn_tensor *tensor);

/* Python's text of the shape: "(60000, 28, 28)", "(10,)", "()". Released like cn_repr's. */
CN_API char *cn_shape_str(const cn_tensor *tensor);

/* Writes cn_repr's text and a newline to a stream of yours. Error: CN_EIO. */
CN_API int cn_print(FILE *stream, const cn_tensor *tensor);

CN_API void cn_string_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
