#include "tensor/record.h"

#include <stddef.h>

static _Thread_local cn__recorder *innermost;

void cn__record_begin(cn__recorder *recorder)
{
    recorder->outer = innermost;
    innermost = recorder;
}

void cn__record_end(cn__recorder *recorder)
{
    cn__recorder **at = &innermost;
    while (*at && *at != recorder) at = &(*at)->outer;
    if (*at) *at = recorder->outer;
}

cn__recorder *cn__record_pause(void)
{
    cn__recorder *paused = innermost;
    innermost = NULL;
    return paused;
}

void cn__record_resume(cn__recorder *paused)
{
    innermost = paused;
}

cn_tensor *cn__record(cn_tensor *output, const cn__operation *operation)
{
    if (!output || !innermost) return output;
    cn__record_made(output); /* it may have been made during a pause */
    for (cn__recorder *r = innermost; r; r = r->outer) {
        if (!r->records || r->write(r, output, operation) == 0) continue;
        cn_tensor_destroy(&output);
        return NULL;
    }
    return output;
}

int cn__is_recording(void)
{
    for (cn__recorder *r = innermost; r; r = r->outer)
        if (r->records) return 1;
    return 0;
}

/* --- whose a tensor is --- */

void cn__record_made(cn_tensor *tensor)
{
    if (!innermost || tensor->maker) return;
    tensor->maker = innermost;
    tensor->made_next = innermost->made;
    if (tensor->made_next) tensor->made_next->made_previous = tensor;
    innermost->made = tensor;
}

void cn__record_disown(cn_tensor *tensor)
{
    if (!tensor->maker) return;
    if (tensor->made_previous) tensor->made_previous->made_next = tensor->made_next;
    else tensor->maker->made = tensor->made_next;
    if (tensor->made_next) tensor->made_next->made_previous = tensor->made_previous;
    tensor->maker = NULL;
    tensor->made_next = tensor->made_previous = NULL;
}

int cn__record_forget(cn_tensor *tensor)
{
    cn__record_disown(tensor);
    if (atomic_load(&tensor->holds) == 0) return 0;
    tensor->is_doomed = 1;
    return 1;
}

void cn__record_hold(const cn_tensor *tensor)
{
    /* Counting who needs a tensor changes no number of it. */
    for (cn_tensor *t = (cn_tensor *)tensor; t; t = t->owner) atomic_fetch_add(&t->holds, 1);
}

void cn__record_let_go(const cn_tensor *tensor)
{
    cn_tensor *owner;
    for (cn_tensor *t = (cn_tensor *)tensor; t; t = owner) {
        owner = t->owner;
        if (atomic_fetch_sub(&t->holds, 1) > 1 || !t->is_doomed) continue;
        cn_tensor_destroy(&t);
    }
}
