#define _GNU_SOURCE
#include "base/file.h"

#include "base/error.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- reading --------------------------------------------------------------------------------------------------- */

static int fail_errno(const char *doing, const char *path)
{
    int status = errno == ENOENT || errno == ENOTDIR ? CN_ENOTFOUND : CN_EIO;
    return cn__fail(status, "cannot %s '%s': %s", doing, path, strerror(errno));
}

/* read() until `size` bytes are there or the file ends. Returns how many, or -1. */
static ptrdiff_t read_fully(int fd, unsigned char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, bytes + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        done += (size_t)n;
    }
    return (ptrdiff_t)done;
}

static int check_regular(const struct stat *info, const char *path)
{
    if (S_ISREG(info->st_mode)) return CN_OK;
    return cn__fail(CN_EIO, "cannot read '%s': it is a %s, not a file", path,
                    S_ISDIR(info->st_mode) ? "folder" : "device or pipe");
}

static int read_open_file(int fd, const char *path, size_t max_bytes, unsigned char **bytes, size_t *size)
{
    struct stat info;
    if (fstat(fd, &info) < 0) return fail_errno("read", path);
    CN_TRY(check_regular(&info, path));
    if ((uintmax_t)info.st_size > max_bytes)
        return cn__fail(CN_EFORMAT, "'%s' has %jd bytes, but at most %zu make sense here", path,
                        (intmax_t)info.st_size, max_bytes);
    size_t expected = (size_t)info.st_size;
    unsigned char *block = cn__alloc_raw(expected + 1, 1, "the contents of a file");
    if (!block) return cn__fail_prefix("reading '%s': ", path);
    ptrdiff_t got = read_fully(fd, block, expected);
    if (got < 0) {
        int status = fail_errno("read", path);
        cn__free(block);
        return status;
    }
    block[got] = 0; /* the file may have become shorter since fstat: what was read counts */
    *bytes = block;
    *size = (size_t)got;
    return CN_OK;
}

int cn__file_read(const char *path, size_t max_bytes, unsigned char **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer must not make us wait */
    if (fd < 0) return fail_errno("open", path);
    int status = read_open_file(fd, path, max_bytes, bytes, size);
    close(fd);
    return status;
}

int cn__file_size(const char *path, uint64_t *bytes)
{
    struct stat info;
    if (stat(path, &info) < 0) return fail_errno("read", path);
    CN_TRY(check_regular(&info, path));
    *bytes = (uint64_t)info.st_size;
    return CN_OK;
}

int cn__file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

int cn__folder_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int make_one_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && cn__folder_exists(path))) return CN_OK;
    return cn__fail(CN_EIO, "cannot make the folder '%s': %s", path, strerror(errno));
}

int cn__folder_make(const char *path)
{
    char *part = cn__strdup(path, "the name of a folder");
    if (!part) return CN_ENOMEM;
    int status = CN_OK;
    for (char *p = part; *p && status == CN_OK; p++) {
        if (*p != '/' || p == part) continue;
        *p = '\0';
        if (!cn__folder_exists(part)) status = make_one_folder(part);
        *p = '/';
    }
    if (status == CN_OK) status = make_one_folder(part);
    cn__free(part);
    return status;
}

int cn__folder_lock(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = -1;
    if (fd >= 0) do result = flock(fd, LOCK_EX); while (result < 0 && errno == EINTR);
    if (result == 0) return fd;
    int reason = errno;
    if (fd >= 0) close(fd);
    return cn__fail(CN_EIO, "cannot lock the folder '%s': %s", path, strerror(reason));
}

void cn__folder_unlock(int handle)
{
    close(handle);
}

int cn__file_remove(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT) return CN_OK;
    return cn__fail(CN_EIO, "cannot remove '%s': %s", path, strerror(errno));
}

int cn__file_rename(const char *from, const char *to)
{
    if (rename(from, to) == 0) return CN_OK;
    return cn__fail(CN_EIO, "cannot rename '%s' to '%s': %s", from, to, strerror(errno));
}

/* --- writing --------------------------------------------------------------------------------------------------- */

static int fail_writing(const char *path, int reason)
{
    return cn__fail(CN_EIO, "cannot write '%s': %s", path, strerror(reason));
}

/* The temporary file stands next to its final place, because rename() works only inside one file system. A symbolic
 * link stays a link: what it points at is replaced. */
static int open_temporary(cn__output *output)
{
    static atomic_uint counter;
    size_t room = strlen(output->path) + 48;
    output->temporary = cn__alloc_raw(room, 1, "the name of a temporary file");
    if (!output->temporary) return CN_ENOMEM;
    snprintf(output->temporary, room, "%s.tmp-%ld-%u", output->path, (long)getpid(),
             atomic_fetch_add(&counter, 1));
    int fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        int reason = errno;
        cn__free(output->temporary);
        output->temporary = NULL;
        return fail_writing(output->path, reason);
    }
    output->stream = fdopen(fd, "wb");
    if (output->stream) return CN_OK;
    close(fd);
    return cn__fail(CN_ENOMEM, "out of memory while opening '%s'", output->path);
}

static int open_output(cn__output *output, const char *path)
{
    char *resolved = realpath(path, NULL); /* NULL when nothing stands there yet */
    output->path = cn__strdup(resolved ? resolved : path, "the name of a file");
    free(resolved);
    if (!output->path) return CN_ENOMEM;
    struct stat info;
    if (stat(path, &info) < 0 || S_ISREG(info.st_mode)) return open_temporary(output);
    if (S_ISDIR(info.st_mode)) return fail_writing(path, EISDIR);
    output->stream = fopen(path, "wb");
    return output->stream ? CN_OK : fail_writing(path, errno);
}

int cn__output_open(cn__output *output, const char *path)
{
    *output = (cn__output){0};
    int status = open_output(output, path);
    if (status < 0) cn__output_discard(output);
    return status;
}

int cn__output_commit(cn__output *output)
{
    errno = 0;
    /* An earlier fwrite that failed has left its mark in ferror, but errno may be gone by now. */
    int failed = ferror(output->stream), reason = failed ? EIO : 0;
    if (fflush(output->stream) != 0) failed = 1, reason = errno;
    if (!failed && output->temporary && fsync(fileno(output->stream)) < 0) failed = 1, reason = errno;
    if (fclose(output->stream) != 0 && !failed) failed = 1, reason = errno;
    output->stream = NULL;
    if (!failed && output->temporary && rename(output->temporary, output->path) < 0) failed = 1, reason = errno;
    int status = failed ? fail_writing(output->path, reason) : CN_OK;
    if (!failed) {
        cn__free(output->temporary);
        output->temporary = NULL;
    }
    cn__output_discard(output);
    return status;
}

void cn__output_discard(cn__output *output)
{
    if (!output) return;
    if (output->stream) fclose(output->stream);
    if (output->temporary) unlink(output->temporary);
    cn__free(output->temporary);
    cn__free(output->path);
    *output = (cn__output){0};
}

static void sweep_one(const char *folder, const char *name, const char *final_name)
{
    size_t length = strlen(final_name);
    int used = 0;
    long pid;
    unsigned number;
    char path[PATH_MAX];
    if (strncmp(name, final_name, length) || sscanf(name + length, ".tmp-%ld-%u%n", &pid, &number, &used) != 2) return;
    if (name[length + (size_t)used] || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH) return;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path) unlink(path);
}

void cn__output_sweep(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + (slash == path) : 1, slash ? path : ".");
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        sweep_one(folder, entry->d_name, slash ? slash + 1 : path);
    if (entries) closedir(entries);
}
