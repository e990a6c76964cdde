/* All memory of the library comes from here, so tests can count it and make the n-th allocation fail. */
#ifndef CN_BASE_MEMORY_H
#define CN_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define CN_ALIGNMENT 64 /* bytes: a cache line and the widest vector */

/* `count` elements of `size` bytes, aligned to CN_ALIGNMENT, zeroed. NULL with CN_ENOMEM and a sentence naming `what`
 * when there is none or the product overflows. A count or size of 0 gives a valid pointer. Blocks of 2 MiB and more
 * ask for huge pages. Released with cn__free. */
void *cn__alloc(size_t count, size_t size, const char *what);

/* The same without zeroing. */
void *cn__alloc_raw(size_t count, size_t size, const char *what);

/* Grows or shrinks a block, keeping its beginning; the new part is not zeroed. On failure the old block stays valid. */
void *cn__realloc(void *block, size_t count, size_t size, const char *what);

/* A copy of a string; NULL for NULL. */
char *cn__strdup(const char *text, const char *what);

/* Accepts NULL. */
void cn__free(void *block);

/* The largest memory this process has had, everything in it counted; 0 where the system does not say. */
int64_t cn__memory_peak_bytes(void);

/* For tests. Number of allocations so far, over all threads, and of blocks not yet freed. */
uint64_t cn__memory_allocations(void);
int64_t cn__memory_live_blocks(void);

/* For tests: the n-th allocation from now (1: the next one) fails, and all after it; 0 switches this off. */
void cn__memory_fail_after(uint64_t n);

#endif
