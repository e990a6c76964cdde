/* What a tensor is made of, and the helpers that model, layers and formats may use. */
#ifndef CN_TENSOR_TENSOR_H
#define CN_TENSOR_TENSOR_H

#include <cornu/tensor.h>
#include <stdatomic.h>

/* Element i, j, ... lies at data + i * strides[0] + j * strides[1] + ...
 *
 * A tensor that owns numbers keeps the list of the views that look at them. A root belongs to nobody (owner NULL). A
 * view has an owner; a reshaped copy has an owner and owns numbers of its own, so views of the copy are in the copy's
 * list and views of everything else in the root's. */
struct cn_tensor {
    cn_dtype dtype;
    int ndim;
    int64_t shape[CN_MAX_NDIM];
    int64_t strides[CN_MAX_NDIM]; /* bytes */
    int64_t size;                 /* elements */
    double scale;                 /* value = stored number x scale */
    char *data;                   /* first element */

    void *memory;            /* what cn_tensor_destroy releases, NULL for views and wrapped memory */
    cn_tensor *owner;        /* whose list this tensor is in, NULL for a root */
    cn_tensor *next, *previous; /* neighbours in that list */
    cn_tensor *views;        /* newest of the views that look at this tensor's numbers */
    atomic_flag lock;        /* guards `views` and the links of the tensors in it */

    struct cn__recorder *maker;            /* the tape it belongs to (record.h), NULL: its user destroys it */
    cn_tensor *made_next, *made_previous;  /* neighbours in the tape's list */
    atomic_int holds;                      /* how often tapes hold it or a view of it */
    int is_doomed;                         /* was destroyed while held: goes when the last one lets go */
    int is_variable;                       /* every tape watches it */

    int is_weak; /* made by cn_int or cn_float: adapts to the dtypes of the other operands */
};

/* --- shapes --- */

#define CN_SHAPE_TEXT_BYTES 192
/* "(60000, 28, 28)" into text, for messages. Returns text. */
const char *cn__shape_text(char text[CN_SHAPE_TEXT_BYTES], int ndim, const int64_t *shape);

/* Number of elements, or CN_EINVAL (ndim, negative size) or CN_ENOMEM (elements or bytes overflow) with a sentence. */
int64_t cn__shape_size(cn_dtype dtype, int ndim, const int64_t *shape);

/* --- making --- */

/* Row-major strides in bytes. */
void cn__strides_fill(int64_t *strides, int ndim, const int64_t *shape, size_t element_bytes);

/* Dtype, shape, strides, size, scale and data of a tensor, to be changed and handed to cn__view_create. The list of
 * views stays behind: other threads may be working on it. */
cn_tensor cn__tensor_outline(const cn_tensor *tensor);

/* A tensor with that outline, registered with the tensor that owns the numbers of `of`. `memory` becomes the view's
 * own (NULL: none). NULL when there is no memory left; then `memory` is still the caller's. */
cn_tensor *cn__view_create(const cn_tensor *of, const cn_tensor *outline, void *memory);

/* For functions that got a NULL tensor: keeps the sentence of the failure that made it NULL, or, if there was none,
 * says that `function` needs a tensor. Returns the status. */
int cn__null_tensor(const char *function);

/* The same, for functions that return a tensor: always NULL. */
cn_tensor *cn__pass_null(const char *function);

/* A tensor whose numbers are not yet set, to be filled by an operation. */
cn_tensor *cn__tensor_create_raw(cn_dtype dtype, int ndim, const int64_t *shape);

/* --- reading and writing --- */

/* The dtype of the numbers a reader sees: the stored one, but float32 for scaled integers. */
cn_dtype cn__value_dtype(const cn_tensor *tensor);

static inline int cn__is_real(cn_dtype dtype)
{
    return dtype == CN_FLOAT16 || dtype == CN_FLOAT32 || dtype == CN_FLOAT64;
}

/* Which of uint8, int32, int64, float32 and float64 holds the numbers of a dtype; the model reads these five (uint64
 * from 2^63 on would wrap). */
cn_dtype cn__plain_dtype(cn_dtype dtype);

/* n numbers from `first`, a number every `stride` bytes, times scale, converted to dtype, without gaps into out. */
void cn__convert_row(cn_dtype stored, double scale, const char *first, int64_t stride, int64_t n, cn_dtype dtype,
                     void *out);

/* The way back: n numbers without gaps, converted and written with a number every `stride` bytes. */
void cn__scatter_row(cn_dtype stored, const void *numbers, int64_t n, cn_dtype dtype, char *first, int64_t stride);

/* A copy that no tape hears of; destroy it before returning. */
cn_tensor *cn__copy_unrecorded(const cn_tensor *tensor);

/* 0, or the status of a sentence why the tensor's numbers cannot be changed: scaled and broadcast views cannot. */
int cn__writable(const char *function, const cn_tensor *target);

/* 0, or CN_ESHAPE if the operand does not broadcast to the target's very shape. */
int cn__stretches_to(const char *function, const cn_tensor *operand, const cn_tensor *target);

/* One element, scale applied; `element` points at the stored number. */
double cn__tensor_value(const cn_tensor *tensor, const char *element);

/* Address of the element at position index[0], index[1], ...; nothing is checked. */
const char *cn__tensor_element(const cn_tensor *tensor, const int64_t *index);

/* Steps index to the next position in row-major order over the first n axes. Returns 0 after the last one. */
int cn__next_index(const cn_tensor *tensor, int n, int64_t *index);

/* All elements, row-major and without gaps, converted to dtype, scale applied, rounded once. */
void cn__tensor_convert(const cn_tensor *tensor, cn_dtype dtype, void *out);

/* The same to float (bits 32) or double (bits 64). */
void cn__tensor_to_real(const cn_tensor *tensor, void *out, int bits);

/* All stored numbers, row-major and without gaps, neither converted nor scaled. */
void cn__tensor_gather(const cn_tensor *tensor, void *out);

#endif
