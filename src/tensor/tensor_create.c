#include "tensor/tensor.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *cn_dtype_name(cn_dtype dtype)
{
    switch (dtype) {
#define CASE(id, name, bytes) case id: return name;
        CN_DTYPE_LIST(CASE)
#undef CASE
    default: return "unknown dtype";
    }
}

size_t cn_dtype_size(cn_dtype dtype)
{
    switch (dtype) {
#define CASE(id, name, bytes) case id: return bytes;
        CN_DTYPE_LIST(CASE)
#undef CASE
    default: return 0;
    }
}

/* --- shapes --- */

const char *cn__shape_text(char text[CN_SHAPE_TEXT_BYTES], int ndim, const int64_t *shape)
{
    size_t used = 0;
    text[used++] = '(';
    for (int i = 0; i < ndim && i < CN_MAX_NDIM; i++)
        used += (size_t)snprintf(text + used, CN_SHAPE_TEXT_BYTES - used, "%s%lld", i ? ", " : "",
                                 (long long)shape[i]);
    snprintf(text + used, CN_SHAPE_TEXT_BYTES - used, "%s", ndim == 1 ? ",)" : ")");
    return text;
}

int64_t cn__shape_size(cn_dtype dtype, int ndim, const int64_t *shape)
{
    size_t element_bytes = cn_dtype_size(dtype);
    if (!element_bytes) return cn__fail(CN_EINVAL, "%d is not a dtype; use one of CN_DTYPE_LIST, such as CN_FLOAT32",
                                        (int)dtype);
    if (ndim < 0 || ndim > CN_MAX_NDIM)
        return cn__fail(CN_EINVAL, "a tensor cannot have %d axes; use 0 ... %d", ndim, CN_MAX_NDIM);
    if (ndim > 0 && !shape) return cn__fail(CN_EINVAL, "a tensor of %d axes needs a shape, which is NULL", ndim);

    char text[CN_SHAPE_TEXT_BYTES];
    /* Strides of empty tensors must not overflow either, so axes of size 0 are left out of the product of bytes. */
    int64_t size = 1, bytes = (int64_t)element_bytes;
    int too_large = 0;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0)
            return cn__fail(CN_EINVAL, "shape %s has a negative size on axis %d", cn__shape_text(text, ndim, shape), i);
        if (shape[i] > 0 && __builtin_mul_overflow(bytes, shape[i], &bytes)) too_large = 1;
        if (__builtin_mul_overflow(size, shape[i], &size)) too_large = 1;
    }
    if (too_large || bytes > PTRDIFF_MAX / 2)
        return cn__fail(CN_ENOMEM, "a %s tensor of shape %s is larger than any memory; use a smaller shape",
                        cn_dtype_name(dtype), cn__shape_text(text, ndim, shape));
    return size;
}

void cn__strides_fill(int64_t *strides, int ndim, const int64_t *shape, size_t element_bytes)
{
    int64_t stride = (int64_t)element_bytes;
    for (int i = ndim - 1; i >= 0; i--) {
        strides[i] = stride;
        if (shape[i] > 0) stride *= shape[i];
    }
}

/* --- making and destroying --- */

static cn_tensor *create_empty(cn_dtype dtype, int ndim, const int64_t *shape)
{
    int64_t size = cn__shape_size(dtype, ndim, shape);
    if (size < 0) return NULL;
    cn_tensor *tensor = cn__alloc(1, sizeof *tensor, "a tensor");
    if (!tensor) return NULL;
    tensor->dtype = dtype;
    tensor->ndim = ndim;
    for (int i = 0; i < ndim; i++) tensor->shape[i] = shape[i];
    cn__strides_fill(tensor->strides, ndim, tensor->shape, cn_dtype_size(dtype));
    tensor->size = size;
    tensor->scale = 1;
    atomic_flag_clear(&tensor->lock);
    return tensor;
}

typedef enum filling { ZEROS, COPY, NOTHING } filling;

static cn_tensor *create_filled(cn_dtype dtype, int ndim, const int64_t *shape, filling with, const void *values)
{
    cn_tensor *tensor = create_empty(dtype, ndim, shape);
    if (!tensor) return NULL;
    size_t count = (size_t)tensor->size, bytes = cn_dtype_size(dtype);
    char text[CN_SHAPE_TEXT_BYTES], what[CN_SHAPE_TEXT_BYTES + 64];
    snprintf(what, sizeof what, "a %s tensor of shape %s", cn_dtype_name(dtype), cn__shape_text(text, ndim, shape));
    tensor->memory = with == ZEROS ? cn__alloc(count, bytes, what) : cn__alloc_raw(count, bytes, what);
    if (!tensor->memory) {
        cn__free(tensor);
        return NULL;
    }
    tensor->data = tensor->memory;
    if (with == COPY && count) memcpy(tensor->data, values, count * bytes);
    cn__record_made(tensor);
    return tensor;
}

cn_tensor *cn_tensor_create(cn_dtype dtype, int ndim, const int64_t *shape)
{
    return create_filled(dtype, ndim, shape, ZEROS, NULL);
}

cn_tensor *cn__tensor_create_raw(cn_dtype dtype, int ndim, const int64_t *shape)
{
    return create_filled(dtype, ndim, shape, NOTHING, NULL);
}

cn_tensor *cn_tensor_from(cn_dtype dtype, int ndim, const int64_t *shape, const void *values)
{
    int64_t size = cn__shape_size(dtype, ndim, shape);
    if (size < 0) return NULL;
    if (size > 0 && !values) {
        char text[CN_SHAPE_TEXT_BYTES];
        return cn__fail_null(CN_EINVAL, "cn_tensor_from: the values for shape %s are NULL",
                             cn__shape_text(text, ndim, shape));
    }
    return create_filled(dtype, ndim, shape, COPY, values);
}

cn_tensor *cn_tensor_wrap(cn_dtype dtype, int ndim, const int64_t *shape, void *values)
{
    cn_tensor *tensor = create_empty(dtype, ndim, shape);
    if (!tensor) return NULL;
    if (tensor->size > 0 && !values) {
        char text[CN_SHAPE_TEXT_BYTES];
        cn__free(tensor);
        return cn__fail_null(CN_EINVAL, "cn_tensor_wrap: the memory for shape %s is NULL",
                             cn__shape_text(text, ndim, shape));
    }
    tensor->data = values;
    cn__record_made(tensor);
    return tensor;
}

/* The list is locked for a few pointer assignments only, so waiting threads spin instead of sleeping. */
static void lock_views(cn_tensor *owner)
{
    while (atomic_flag_test_and_set_explicit(&owner->lock, memory_order_acquire)) {}
}

static void unlock_views(cn_tensor *owner)
{
    atomic_flag_clear_explicit(&owner->lock, memory_order_release);
}

cn_tensor cn__tensor_outline(const cn_tensor *tensor)
{
    cn_tensor outline = {.dtype = tensor->dtype, .ndim = tensor->ndim, .size = tensor->size, .scale = tensor->scale,
                         .data = tensor->data, .lock = ATOMIC_FLAG_INIT};
    memcpy(outline.shape, tensor->shape, sizeof outline.shape);
    memcpy(outline.strides, tensor->strides, sizeof outline.strides);
    return outline;
}

cn_tensor *cn__view_create(const cn_tensor *of, const cn_tensor *outline, void *memory)
{
    cn_tensor *view = cn__alloc_raw(1, sizeof *view, "a view of a tensor");
    if (!view) return NULL;
    *view = *outline;
    view->memory = memory;

    /* A view of a constant tensor changes no number of it, only the list of its views, and that list has its lock. */
    cn_tensor *owner = (cn_tensor *)(of->owner && !of->memory ? of->owner : of);
    view->owner = owner;
    lock_views(owner);
    view->next = owner->views;
    if (view->next) view->next->previous = view;
    owner->views = view;
    unlock_views(owner);
    cn__record_made(view);
    return view;
}

static void unlink_view(cn_tensor *view)
{
    cn_tensor *owner = view->owner;
    lock_views(owner);
    if (view->previous) view->previous->next = view->next;
    else owner->views = view->next;
    if (view->next) view->next->previous = view->previous;
    unlock_views(owner);
}

void cn_tensor_destroy(cn_tensor **tensor)
{
    if (!tensor || !*tensor) return;
    cn_tensor *doomed = *tensor;
    *tensor = NULL;
    if (doomed->is_weak) return; /* lies in weak_number.c's ring */
    if (cn__record_forget(doomed)) return;
    if (doomed->owner) unlink_view(doomed);
    while (doomed->views) {
        cn_tensor *view = doomed->views;
        cn_tensor_destroy(&view);
    }
    cn__free(doomed->memory);
    cn__free(doomed);
}

/* --- looking at --- */

int cn__null_tensor(const char *function)
{
    int status = cn_error_status();
    return status < 0 ? status : cn__fail(CN_EINVAL, "%s needs a tensor, which is NULL", function);
}

cn_tensor *cn__pass_null(const char *function)
{
    cn__null_tensor(function);
    return NULL;
}

int cn_ndim(const cn_tensor *tensor)
{
    return tensor ? tensor->ndim : -1;
}

const int64_t *cn_shape(const cn_tensor *tensor)
{
    return tensor ? tensor->shape : NULL;
}

int64_t cn_size(const cn_tensor *tensor)
{
    return tensor ? tensor->size : -1;
}

int64_t cn_len(const cn_tensor *tensor)
{
    return tensor && tensor->ndim > 0 ? tensor->shape[0] : -1;
}

cn_dtype cn_dtype_of(const cn_tensor *tensor)
{
    return tensor ? tensor->dtype : CN_DTYPE_COUNT;
}

const int64_t *cn_strides(const cn_tensor *tensor)
{
    return tensor ? tensor->strides : NULL;
}

double cn_scale_of(const cn_tensor *tensor)
{
    return tensor ? tensor->scale : NAN;
}

void *cn_data(const cn_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

int cn_is_contiguous(const cn_tensor *tensor)
{
    if (!tensor) return 0;
    if (tensor->size == 0) return 1;
    int64_t stride = (int64_t)cn_dtype_size(tensor->dtype);
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        if (tensor->shape[i] == 1) continue; /* nobody ever steps along such an axis */
        if (tensor->strides[i] != stride) return 0;
        stride *= tensor->shape[i];
    }
    return 1;
}
