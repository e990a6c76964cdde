#define _GNU_SOURCE
#include "base/memory.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* In front of every block: its size, and what free() wants back. */
typedef struct header {
    size_t bytes;
    void *allocation;
} header;

static atomic_uint_fast64_t n_allocations;
static atomic_int_fast64_t n_live;
static atomic_uint_fast64_t fail_countdown;

/* Counts down to 1 and stays there: from the n-th allocation on, all fail. */
static int must_fail(void)
{
    uint_fast64_t left = atomic_load(&fail_countdown);
    if (left > 1) atomic_store(&fail_countdown, left - 1);
    return left == 1;
}

void *cn__alloc_raw(size_t count, size_t size, const char *what)
{
    size_t bytes, total;
    atomic_fetch_add(&n_allocations, 1);
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - 4 * HUGE_PAGE || must_fail())
        return cn__fail_null(CN_ENOMEM, "out of memory: %zu x %zu bytes for %s; use a smaller size or free memory",
                             count, size, what);
    size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : CN_ALIGNMENT;
    total = bytes + alignment + sizeof(header);
    char *allocation = malloc(total);
    if (!allocation)
        return cn__fail_null(CN_ENOMEM, "out of memory: %zu bytes for %s; use a smaller size or free memory", bytes,
                             what);
    uintptr_t start = ((uintptr_t)allocation + sizeof(header) + alignment - 1) & ~(uintptr_t)(alignment - 1);
    char *block = allocation + (start - (uintptr_t)allocation);
    header head = {bytes, allocation};
    memcpy(block - sizeof head, &head, sizeof head);
#ifdef MADV_HUGEPAGE
    if (bytes >= HUGE_PAGE) madvise(block, bytes & ~(HUGE_PAGE - 1), MADV_HUGEPAGE);
#endif
    atomic_fetch_add(&n_live, 1);
    return block;
}

void *cn__alloc(size_t count, size_t size, const char *what)
{
    void *block = cn__alloc_raw(count, size, what);
    if (block) memset(block, 0, count * size);
    return block;
}

void *cn__realloc(void *block, size_t count, size_t size, const char *what)
{
    void *grown = cn__alloc_raw(count, size, what);
    if (!grown || !block) return grown;
    header head;
    memcpy(&head, (char *)block - sizeof head, sizeof head);
    size_t bytes = count * size;
    memcpy(grown, block, head.bytes < bytes ? head.bytes : bytes);
    cn__free(block);
    return grown;
}

char *cn__strdup(const char *text, const char *what)
{
    if (!text) return NULL;
    size_t bytes = strlen(text) + 1;
    char *copy = cn__alloc_raw(bytes, 1, what);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

void cn__free(void *block)
{
    if (!block) return;
    header head;
    memcpy(&head, (char *)block - sizeof head, sizeof head);
    free(head.allocation);
    atomic_fetch_sub(&n_live, 1);
}

uint64_t cn__memory_allocations(void)
{
    return atomic_load(&n_allocations);
}

int64_t cn__memory_live_blocks(void)
{
    return atomic_load(&n_live);
}

void cn__memory_fail_after(uint64_t n)
{
    atomic_store(&fail_countdown, n);
}

int64_t cn__memory_peak_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (int64_t)usage.ru_maxrss * 1024;
}
