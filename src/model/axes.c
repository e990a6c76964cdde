#include "model/axes.h"

#include "base/error.h"

#include <string.h>

int cn__axes_resolve(cn__axes *axes, const char *owner, const cn__axis_list *list, int all_are_plain, int ndim,
                     const int64_t *shape)
{
    int taken[CN__MOST_AXES] = {0};
    *axes = (cn__axes){.ndim = ndim};
    if (list->n == 0) return CN_OK;
    if (ndim > CN__MOST_AXES) return cn__fail(CN_EINVAL, "%s: axis goes with at most %d axes", owner, CN__MOST_AXES);
    for (int i = 0; i < list->n; i++) {
        int axis = list->at[i] < 0 ? list->at[i] + ndim : list->at[i];
        if (axis < 0 || axis >= ndim)
            return cn__fail(CN_EINVAL,
                            "%s: the outputs have %d axes, batch included, so axis must lie in %d ... %d, got %d",
                            owner, ndim, -ndim, ndim - 1, list->at[i]);
        if (taken[axis]++) return cn__fail(CN_EINVAL, "%s: axis %d is given twice", owner, axis);
    }
    for (int a = 0; a < ndim; a++)
        if (!taken[a]) axes->order[axes->n_kept++] = a;
    for (int a = 0, n = axes->n_kept; a < ndim; a++)
        if (taken[a]) axes->order[n++] = a;
    memcpy(axes->shape, shape, (size_t)ndim * sizeof *shape);
    axes->across_samples = taken[0];
    axes->moves = all_are_plain ? axes->n_kept > 0 : list->n > 1 || !taken[ndim - 1];
    return CN_OK;
}

int cn__axes_kept(const cn__axes *axes, int skip, int64_t shape[CN__MOST_AXES])
{
    for (int i = skip; i < axes->n_kept; i++) shape[i - skip] = axes->shape[axes->order[i]];
    return axes->n_kept > skip ? axes->n_kept - skip : 0;
}

/* Walks the moved array in order; `place` is where each of its numbers stands in the array as it was. */
static void walk(const cn__axes *axes, int64_t samples, size_t bytes, const char *from, char *to, int back)
{
    int64_t step[CN__MOST_AXES], at[CN__MOST_AXES] = {0}, size[CN__MOST_AXES], all = 1, place = 0;
    for (int a = axes->ndim - 1; a >= 0; a--) {
        step[a] = all;
        size[a] = a == 0 ? samples : axes->shape[a];
        all *= size[a];
    }
    for (int64_t i = 0; i < all; i++) {
        size_t moved = (size_t)i * bytes, original = (size_t)place * bytes;
        memcpy(to + (back ? original : moved), from + (back ? moved : original), bytes);
        for (int k = axes->ndim - 1; k >= 0; k--) {
            int a = axes->order[k];
            place += step[a];
            if (++at[a] < size[a]) break;
            place -= at[a] * step[a];
            at[a] = 0;
        }
    }
}

cn__scores cn__axes_move(const cn__axes *axes, const cn__scores *scores, int64_t samples, size_t bytes,
                         const cn__axes_room *room)
{
    cn__scores s = *scores;
    int64_t all = s.rows * s.columns, each = samples ? s.rows / samples : 1;
    s.classes = s.columns;
    s.columns = 1;
    for (int i = axes->n_kept; i < axes->ndim; i++)
        s.columns *= axes->order[i] == 0 ? samples : axes->shape[axes->order[i]];
    s.rows = s.columns ? all / s.columns : 0;
    s.moved = 1;
    walk(axes, samples, bytes, scores->output, room->output, 0);
    s.output = room->output;
    if (scores->target) walk(axes, samples, bytes, scores->target, room->target, 0);
    s.target = scores->target ? room->target : NULL;
    s.gradient = scores->gradient ? room->gradient : NULL;
    /* a moved row belongs to one sample, and all rows of a sample weigh the same */
    s.weights = scores->weights && !axes->across_samples ? room->weights : NULL;
    for (int64_t r = 0; s.weights && r < s.rows; r++)
        room->weights[r] = scores->weights[r / (s.rows / samples) * each];
    return s;
}

void cn__axes_move_back(const cn__axes *axes, int64_t samples, size_t bytes, const void *moved, void *gradient)
{
    walk(axes, samples, bytes, moved, gradient, 1);
}
