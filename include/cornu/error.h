/* Errors: every function that can fail returns 0 or a negative cn_status, or NULL where it returns a pointer.
 *
 * The sentence behind the last failure is kept per thread. It says what went wrong, where, and what to do, and it
 * names the layer and the shapes where there are any. The library never prints, exits or aborts because of data. */
#ifndef CORNU_ERROR_H
#define CORNU_ERROR_H

#include <cornu/export.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* name, value, what kind of failure it is */
#define CN_STATUS_LIST(X)                                                                                           \
    X(CN_OK, 0, "success")                                                                                          \
    X(CN_EINVAL, -1, "an argument is out of range or contradicts another")                                          \
    X(CN_ENOMEM, -2, "out of memory")                                                                               \
    X(CN_ESHAPE, -3, "shapes do not fit together")                                                                  \
    X(CN_EDTYPE, -4, "this data type is not accepted here")                                                         \
    X(CN_ENAME, -5, "an unknown name")                                                                              \
    X(CN_EFORMAT, -6, "a file is damaged or of another format")                                                     \
    X(CN_EIO, -7, "reading or writing failed")                                                                      \
    X(CN_ENOTFOUND, -8, "a file or data set is not there")                                                          \
    X(CN_ENOTSUP, -9, "left out of this build, or not possible on this machine")                                    \
    X(CN_ESTATE, -10, "called in the wrong order")                                                                  \
    X(CN_ENETWORK, -11, "a download failed")                                                                        \
    X(CN_ESTOPPED, -12, "a callback asked to stop with an error")

typedef enum cn_status {
#define CN_STATUS_ENUM(name, value, text) name = value,
    CN_STATUS_LIST(CN_STATUS_ENUM)
#undef CN_STATUS_ENUM
} cn_status;

/* The sentence of the last failure in this thread, "" if there was none. Borrowed: valid until the next failure in
 * this thread. */
CN_API const char *cn_error_message(void);

/* The code of the last failure in this thread, CN_OK if there was none. */
CN_API int cn_error_status(void);

/* Forgets the last failure of this thread. */
CN_API void cn_error_clear(void);

/* "CN_EINVAL" for CN_EINVAL, "unknown status" for a number that is none. Static storage. */
CN_API const char *cn_status_name(int status);

/* The third column of CN_STATUS_LIST. Static storage. */
CN_API const char *cn_status_text(int status);

/* The one of n_names `names` that `word` most likely stands for, for a sentence such as: did you mean "..."? The
 * nearest by letters inserted, left out, replaced or swapped, whatever their case; of two letters and more, the
 * beginning of a name is near as well. NULL if none is near. Borrowed from `names`. */
CN_API const char *cn_suggest(const char *word, const char *const *names, int n_names);

/* For short programs: if the call failed, writes the sentence to stderr and leaves the calling function with 1. */
#define CN_CHECK(call)                                                                                              \
    do {                                                                                                            \
        if ((call) < 0) {                                                                                           \
            fprintf(stderr, "%s\n", cn_error_message());                                                            \
            return 1;                                                                                               \
        }                                                                                                           \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
