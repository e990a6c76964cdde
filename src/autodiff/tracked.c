#include "autodiff/tape.h"

#include "base/error.h"
#include "base/memory.h"

#include <limits.h>

/* Tensors lie 64 bytes apart, so the low bits of their addresses say nothing. */
static size_t first_slot(const cn__tracked *tracked, const cn_tensor *tensor)
{
    uint64_t mixed = (uint64_t)(uintptr_t)tensor * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32) & (2 * (size_t)tracked->capacity - 1);
}

/* The slot that holds the tensor, or the empty one where it belongs. */
static size_t find_slot(const cn__tracked *tracked, const cn_tensor *tensor)
{
    size_t at = first_slot(tracked, tensor), last = 2 * (size_t)tracked->capacity - 1;
    while (tracked->slots[at] && tracked->tensors[tracked->slots[at] - 1] != tensor) at = (at + 1) & last;
    return at;
}

int cn__tracked_find(const cn__tracked *tracked, const cn_tensor *tensor)
{
    return tracked->n ? tracked->slots[find_slot(tracked, tensor)] - 1 : -1;
}

static int grow(cn__tracked *tracked)
{
    int capacity = tracked->capacity ? 2 * tracked->capacity : 64;
    if (capacity > INT_MAX / 4) return cn__fail(CN_ENOMEM, "a tape cannot follow more than %d tensors", tracked->n);
    int32_t *slots = cn__alloc(2 * (size_t)capacity, sizeof *slots, "the list of tensors on a tape");
    if (!slots) return CN_ENOMEM;
    const cn_tensor **tensors =
        cn__realloc(tracked->tensors, (size_t)capacity, sizeof *tensors, "the list of tensors on a tape");
    if (!tensors) {
        cn__free(slots);
        return CN_ENOMEM;
    }
    cn__free(tracked->slots);
    tracked->slots = slots;
    tracked->tensors = tensors;
    tracked->capacity = capacity;
    for (int i = 0; i < tracked->n; i++) slots[find_slot(tracked, tensors[i])] = i + 1;
    return CN_OK;
}

int cn__tracked_add(cn__tracked *tracked, const cn_tensor *tensor)
{
    int number = cn__tracked_find(tracked, tensor);
    if (number >= 0) return number;
    if (tracked->n == tracked->capacity) CN_TRY(grow(tracked));
    tracked->slots[find_slot(tracked, tensor)] = tracked->n + 1;
    tracked->tensors[tracked->n] = tensor;
    cn__record_hold(tensor);
    return tracked->n++;
}

void cn__tracked_clear(cn__tracked *tracked)
{
    for (int i = 0; i < tracked->n; i++) cn__record_let_go(tracked->tensors[i]);
    cn__free(tracked->slots);
    cn__free(tracked->tensors);
    *tracked = (cn__tracked){.n = 0};
}
