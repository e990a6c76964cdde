/* A tensor taken line by line along one axis. */
#ifndef CN_TENSOR_LINES_H
#define CN_TENSOR_LINES_H

#include "tensor/tensor.h"

typedef struct cn__lines {
    const cn_tensor *x;
    cn_tensor outer;       /* the tensor without the axis: one element per line */
    int64_t index[CN_MAX_NDIM];
    int64_t n, stride;     /* elements in a line, bytes between them */
} cn__lines;

static inline void cn__lines_begin(cn__lines *l, const cn_tensor *x, int axis)
{
    *l = (cn__lines){.x = x, .outer = cn__tensor_outline(x), .n = x->shape[axis], .stride = x->strides[axis]};
    l->outer.shape[axis] = 1;
    l->outer.size = l->n ? x->size / l->n : 0;
}

/* The line, converted to dtype and without gaps. */
static inline void cn__lines_read(const cn__lines *l, cn_dtype dtype, void *out)
{
    cn__convert_row(l->x->dtype, l->x->scale, cn__tensor_element(&l->outer, l->index), l->stride, l->n, dtype, out);
}

/* Where the line begins in another tensor of that shape, in bytes. */
static inline int64_t cn__lines_offset(const cn__lines *l, const cn_tensor *other)
{
    int64_t offset = 0;
    for (int i = 0; i < other->ndim; i++) offset += l->index[i] * other->strides[i];
    return offset;
}

/* 0 after the last line. */
static inline int cn__lines_next(cn__lines *l)
{
    return cn__next_index(&l->outer, l->outer.ndim, l->index);
}

#endif
