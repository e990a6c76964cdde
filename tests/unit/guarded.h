/* Memory whose neighbours may not be touched: numbers that end at a page that cannot be touched (at_end) or begin
 * behind one; the other side holds sentinels. The including file defines _GNU_SOURCE and includes cmocka.h. */
#ifndef CN_TEST_GUARDED_H
#define CN_TEST_GUARDED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct guarded {
    unsigned char *pages;
    size_t bytes, room;
    int at_end;
    float *numbers;
} guarded;

#define SENTINEL 0xa5

static inline guarded guard(int64_t count, int at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded g = {.bytes = (size_t)count * sizeof(float), .at_end = at_end};
    g.room = (g.bytes + page) / page * page;
    g.pages = mmap(NULL, g.room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.pages != MAP_FAILED);
    memset(g.pages, SENTINEL, g.room + 2 * page);
    assert_int_equal(mprotect(g.pages, page, PROT_NONE), 0);
    assert_int_equal(mprotect(g.pages + page + g.room, page, PROT_NONE), 0);
    g.numbers = (float *)(void *)(g.pages + page + (at_end ? g.room - g.bytes : 0));
    return g;
}

static inline int untouched_around(const guarded *g)
{
    const unsigned char *begin = (const unsigned char *)g->numbers, *rest = g->at_end ? begin - (g->room - g->bytes)
                                                                                      : begin + g->bytes;
    for (size_t i = 0; i < g->room - g->bytes; i++)
        if (rest[i] != SENTINEL) return 0;
    return 1;
}

static inline void unguard(guarded *g)
{
    munmap(g->pages, g->room + 2 * (size_t)sysconf(_SC_PAGESIZE));
}

#endif
