/* A call that must return NULL with this status and a sentence that has `part` in it. After cmocka.h. */
#ifndef CN_TEST_REFUSED_H
#define CN_TEST_REFUSED_H

#include <cornu/error.h>
#include <string.h>

#define assert_refused(call, status, part)                                                                          \
    do {                                                                                                            \
        cn_error_clear();                                                                                           \
        assert_null(call);                                                                                          \
        assert_int_equal(cn_error_status(), status);                                                                \
        if (!strstr(cn_error_message(), part)) fail_msg("no \"%s\" in: %s", part, cn_error_message());              \
    } while (0)

#endif
