/* Failing: every internal function that can fail returns what cn__fail returns, or NULL through cn__fail_null. */
#ifndef CN_BASE_ERROR_H
#define CN_BASE_ERROR_H

#include <cornu/error.h>

/* Stores the sentence for this thread and returns `status`. The sentence says what, where and what to do; it is cut at
 * 1023 bytes. */
int cn__fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for functions that return a pointer: always NULL. */
void *cn__fail_null(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts text in front of the stored sentence: the caller knows the layer or the file, the callee knows the reason.
 * Returns the stored status. */
int cn__fail_prefix(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Passes a failure on. */
#define CN_TRY(call)                                                                                                \
    do {                                                                                                            \
        int cn__status = (call);                                                                                    \
        if (cn__status < 0) return cn__status;                                                                      \
    } while (0)

#endif
