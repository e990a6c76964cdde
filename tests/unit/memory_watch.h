/* cmocka_unit_test_setup_teardown(test, remember_memory, expect_no_leak): a test that leaves memory behind fails. */
#ifndef CN_TEST_MEMORY_WATCH_H
#define CN_TEST_MEMORY_WATCH_H

#include "base/memory.h"

#include <cornu/error.h>
#include <stdint.h>

static int64_t live_at_start;

static int remember_memory(void **state)
{
    (void)state;
    live_at_start = cn__memory_live_blocks();
    cn_error_clear();
    return 0;
}

static int expect_no_leak(void **state)
{
    (void)state;
    return cn__memory_live_blocks() != live_at_start;
}

#endif
