/* libcurl, opened when something is downloaded. It brings thirty libraries with it, and linking them made every start
 * of the tool 8 ms longer (1.3 ms without). */
#ifndef CN_FORMATS_LAZY_CURL_H
#define CN_FORMATS_LAZY_CURL_H

#include "base/lazy_library.h"

#define CURL_DISABLE_TYPECHECK /* its macros are for direct calls */
#include <curl/curl.h>

#define CN_CURL_LIBRARY "libcurl.so.4"
#define CN_CURL_LIST(X)                                                                                             \
    X(global_init) X(easy_init) X(easy_cleanup) X(easy_reset) X(easy_setopt) X(easy_perform) X(easy_strerror)

typedef struct cn__curl {
#define CN_CURL_MEMBER(name) __typeof__(&curl_##name) name;
    CN_CURL_LIST(CN_CURL_MEMBER)
#undef CN_CURL_MEMBER
} cn__curl;

/* Error: CN_ENOTSUP. */
static inline int cn__curl_open(cn__curl *curl)
{
#define CN_CURL_NAME(name) "curl_" #name,
#define CN_CURL_PLACE(name) &curl->name,
    static const char *const names[] = {CN_CURL_LIST(CN_CURL_NAME)};
    void *const places[] = {CN_CURL_LIST(CN_CURL_PLACE)};
    return cn__lazy_library_open(CN_CURL_LIBRARY, (int)(sizeof names / sizeof names[0]), names, places);
#undef CN_CURL_NAME
#undef CN_CURL_PLACE
}

#endif
