#define _POSIX_C_SOURCE 200809L
#include "base/log_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_writing(const char *path, int reason)
{
    return cn__fail(CN_EIO, "cannot write '%s': %s", path, strerror(reason));
}

static int make_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return CN_OK;
    char *folder = cn__strdup(path, "the name of a folder");
    if (!folder) return CN_ENOMEM;
    folder[slash - path] = '\0';
    int status = cn__folder_exists(folder) ? CN_OK : cn__folder_make(folder);
    cn__free(folder);
    return status;
}

/* Behind the first `keep` bytes of an open file; -1 with errno. */
static int64_t cut(int fd, int64_t keep)
{
    struct stat info;
    if (fstat(fd, &info) < 0) return -1;
    if (!S_ISREG(info.st_mode)) return 0;
    if (keep > info.st_size) keep = info.st_size;
    if (keep < info.st_size && ftruncate(fd, (off_t)keep) < 0) return -1;
    return lseek(fd, (off_t)keep, SEEK_SET) < 0 ? -1 : keep;
}

int cn__log_file_open(cn__log_file *file, const char *path, int64_t keep)
{
    *file = (cn__log_file){0};
    CN_TRY(make_folder_of(path));
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return fail_writing(path, errno);
    file->length = cut(fd, keep);
    int reason = errno;
    if (file->length >= 0) {
        file->path = cn__strdup(path, "the name of a file");
        file->stream = file->path ? fdopen(fd, "wb") : NULL;
    }
    if (file->stream) return CN_OK;
    int status = file->length < 0 ? fail_writing(path, reason)
                                  : cn__fail(CN_ENOMEM, "out of memory while opening '%s'", path);
    close(fd);
    cn__log_file_close(file);
    return status;
}

int cn__log_file_try(const char *path)
{
    cn__log_file file;
    CN_TRY(cn__log_file_open(&file, path, INT64_MAX));
    cn__log_file_close(&file);
    return CN_OK;
}

int cn__log_file_flush(cn__log_file *file)
{
    errno = 0;
    int failed = ferror(file->stream);
    if (fflush(file->stream) != 0 || failed) return fail_writing(file->path, errno ? errno : EIO);
    off_t at = ftello(file->stream);
    file->length = at < 0 ? 0 : (int64_t)at;
    return CN_OK;
}

void cn__log_file_close(cn__log_file *file)
{
    if (file->stream) fclose(file->stream);
    cn__free(file->path);
    *file = (cn__log_file){0};
}
