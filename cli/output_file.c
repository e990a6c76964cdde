#define _POSIX_C_SOURCE 200809L /* stat, open, getpid */
#include "output_file.h"

#include "complain.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Permissions, read-only disks and missing folders are best asked of the system: by making a file beside the target,
 * which is how it will be written in the end. */
static int try_beside(const char *option, const char *path)
{
    size_t size = strlen(path) + 32;
    char *beside = malloc(size);
    if (beside == NULL) {
        return complain("out of memory");
    }
    snprintf(beside, size, "%s.tmp-%ld", path, (long)getpid());
    int file = open(beside, O_WRONLY | O_CREAT | O_EXCL, 0600), reason = errno;
    if (file >= 0) {
        close(file);
        unlink(beside);
    }
    free(beside);
    return file >= 0 ? STATUS_OK
                     : complain("%s %s cannot be written: %s; nothing was done", option, path, strerror(reason));
}

int output_file_check(const char *option, const char *path)
{
    struct stat there;
    if (stat(path, &there) != 0) {
        return try_beside(option, path);
    }
    if (S_ISDIR(there.st_mode)) {
        return complain("%s %s is a folder; give the name of a file in it; nothing was done", option, path);
    }
    if (S_ISREG(there.st_mode)) {
        return access(path, W_OK) == 0
                   ? try_beside(option, path)
                   : complain("%s %s cannot be written: %s; nothing was done", option, path, strerror(errno));
    }
    return STATUS_OK; /* a device or a pipe is opened only once, when there is something to write */
}

int output_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
