/* Whole files: reading them into memory, and writing them so that nothing half-written is ever seen. */
#ifndef CN_BASE_FILE_H
#define CN_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Reads a regular file of at most max_bytes into memory that the caller gives back with cn__free. A zero byte stands
 * behind the end (not counted in *size). Errors: CN_ENOTFOUND, CN_EIO (also: a folder), CN_EFORMAT (too large),
 * CN_ENOMEM. */
int cn__file_read(const char *path, size_t max_bytes, unsigned char **bytes, size_t *size);

/* Length of a regular file. Errors: CN_ENOTFOUND, CN_EIO (also: a folder). */
int cn__file_size(const char *path, uint64_t *bytes);

/* 1 if a regular file (following links) stands there. */
int cn__file_exists(const char *path);

/* 1 if a folder (following links) stands there. */
int cn__folder_exists(const char *path);

/* Makes a folder and its missing parents, like mkdir -p. Error: CN_EIO. */
int cn__folder_make(const char *path);

/* Waits until no other thread or process holds the lock of a folder that exists, and takes it. Returns a handle for
 * cn__folder_unlock. Error: CN_EIO. The lock ends with the process. */
int cn__folder_lock(const char *path);
void cn__folder_unlock(int handle);

/* Removes a file; none there is no failure. Error: CN_EIO. */
int cn__file_remove(const char *path);

/* Gives a file another name in the same folder; one that has it already is gone. Error: CN_EIO. */
int cn__file_rename(const char *from, const char *to);

/* A file being written under the name `path`.tmp-<pid>-<number>, next to its final place. A path that exists and is no
 * regular file (/dev/full, a pipe) is written directly. */
typedef struct cn__output {
    FILE *stream;
    char *path, *temporary; /* temporary is NULL when written directly */
} cn__output;

/* Opens. Error: CN_EIO with the reason and the path. */
int cn__output_open(cn__output *output, const char *path);

/* Flushes, syncs, closes and renames; on failure removes the temporary file. Error: CN_EIO (disk full, ...). */
int cn__output_commit(cn__output *output);

/* Closes and removes the temporary file. Accepts an output that was never opened (all zero). */
void cn__output_discard(cn__output *output);

/* Removes the temporary files next to `path` whose processes are gone: what a killed one has left. */
void cn__output_sweep(const char *path);

#endif
