/* Shared libraries that are opened when they are first needed instead of at every start. */
#ifndef CN_BASE_LAZY_LIBRARY_H
#define CN_BASE_LAZY_LIBRARY_H

/* Opens `file` and stores the address of each of the n functions into the pointer to function at functions[i]. The
 * library stays open. Error: CN_ENOTSUP (not installed, or without one of the functions). */
int cn__lazy_library_open(const char *file, int n, const char *const *names, void *const *functions);

#endif
