/* A folder for one test program, and small files in it. */
#ifndef CN_TEST_SCRATCH_H
#define CN_TEST_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <libdeflate.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_folder[64];

static inline int scratch_setup(void **state)
{
    (void)state;
    snprintf(scratch_folder, sizeof scratch_folder, "/tmp/cornu-test-XXXXXX");
    return mkdtemp(scratch_folder) ? 0 : -1;
}

static inline void scratch_remove(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char below[1024];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(below, sizeof below, "%.500s/%.500s", path, entry->d_name);
        struct stat info;
        if (lstat(below, &info) == 0 && S_ISDIR(info.st_mode))
            scratch_remove(below);
        else
            unlink(below);
    }
    if (folder) closedir(folder);
    rmdir(path);
}

static inline int scratch_teardown(void **state)
{
    (void)state;
    scratch_remove(scratch_folder);
    return 0;
}

/* The path of a name in the folder; 64 of them can be in use at a time. */
static inline const char *scratch_path(const char *name)
{
    static char paths[64][512];
    static unsigned next;
    char *path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s/%.400s", scratch_folder, name);
    return path;
}

static inline const char *scratch_make(const char *name)
{
    const char *path = scratch_path(name);
    mkdir(path, 0777);
    return path;
}

static inline const char *scratch_write(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch_path(name);
    FILE *stream = fopen(path, "wb");
    if (!stream || fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0) abort();
    return path;
}

/* How many entries the folder has. */
static inline int scratch_count(const char *path)
{
    int count = -2; /* "." and ".." */
    DIR *folder = opendir(path);
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count;
}

/* Packs into `out`, which has room for `room` bytes. Returns the packed size. */
static inline size_t scratch_gzip(const void *bytes, size_t size, void *out, size_t room)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(9);
    size_t packed = libdeflate_gzip_compress(compressor, bytes, size, out, room);
    libdeflate_free_compressor(compressor);
    if (packed == 0) abort();
    return packed;
}

/* An IDX file of unsigned bytes counting 0, 1, 2, ... modulo `modulus`. Returns its size. */
static inline size_t scratch_idx(unsigned char *out, int ndim, const unsigned *shape, unsigned modulus)
{
    size_t used = 0, count = 1;
    out[used++] = 0;
    out[used++] = 0;
    out[used++] = 8;
    out[used++] = (unsigned char)ndim;
    for (int i = 0; i < ndim; i++) {
        for (int shift = 24; shift >= 0; shift -= 8) out[used++] = (unsigned char)(shape[i] >> shift);
        count *= shape[i];
    }
    for (size_t i = 0; i < count; i++) out[used++] = (unsigned char)(i % modulus);
    return used;
}

#endif
