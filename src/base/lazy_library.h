/* Shared libraries that are opened when they are first needed instead of at every start. */
#ifndef CN_BASE_LAZY_LIBRARY_H
#define CN_BASE_LAZY_LIBRARY_H

#include <pthread.h>

/* Runs `start` at the first call with this flag; a thread that comes meanwhile waits until it is through. */
typedef pthread_once_t cn__lazy_library_once;
#define CN_LAZY_LIBRARY_ONCE PTHREAD_ONCE_INIT
void cn__lazy_library_start(cn__lazy_library_once *once, void (*start)(void));

/* Opens `file` and stores the address of each of the n functions into the pointer to function at functions[i]. The
 * library stays open. Error: CN_ENOTSUP (not installed, or without one of the functions). */
int cn__lazy_library_open(const char *file, int n, const char *const *names, void *const *functions);

#endif
