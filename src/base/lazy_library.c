#include "base/lazy_library.h"

#include "base/error.h"

#include <dlfcn.h>
#include <string.h>

void cn__lazy_library_start(cn__lazy_library_once *once, void (*start)(void))
{
    pthread_once(once, start);
}

int cn__lazy_library_open(const char *file, int n, const char *const *names, void *const *functions)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) return cn__fail(CN_ENOTSUP, "%s cannot be opened: %s", file, dlerror());
    for (int i = 0; i < n; i++) {
        void *address = dlsym(library, names[i]);
        if (!address) return cn__fail(CN_ENOTSUP, "%s has no function %s", file, names[i]);
        memcpy(functions[i], &address, sizeof address); /* ISO C has no cast from an object to a function */
    }
    return CN_OK;
}
