/* What the programs of this folder share: each is called by libFuzzer with one input after another and must neither
 * crash nor leak nor refuse anything without saying why. */
#ifndef CN_TEST_FUZZ_H
#define CN_TEST_FUZZ_H

#include <cornu/cornu.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What has failed must have left a sentence. */
static inline void expect_sentence(int has_failed)
{
    if (has_failed && (cn_error_status() >= 0 || !*cn_error_message())) abort();
    cn_error_clear();
}

/* Bytes as a file for functions that take a path: in memory, gone when it is closed. */
typedef struct fuzz_file {
    int handle;
    char path[32];
} fuzz_file;

static inline fuzz_file fuzz_file_open(void)
{
    fuzz_file file = {.handle = memfd_create("input", 0)};
    if (file.handle < 0) abort();
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.handle);
    return file;
}

static inline void fuzz_file_add(const fuzz_file *file, const void *bytes, size_t size)
{
    if (size && write(file->handle, bytes, size) != (ssize_t)size) abort();
}

/* Input for a model file: a header, a zero and the numbers. The length in front of the header is made to fit, so that
 * what the header says is looked at. */
static inline void fuzz_file_add_model(const fuzz_file *file, const uint8_t *bytes, size_t size)
{
    const uint8_t *zero = size ? memchr(bytes, 0, size) : NULL;
    const uint64_t length = zero ? (uint64_t)(zero - bytes) : size;
    fuzz_file_add(file, &length, sizeof length);
    fuzz_file_add(file, bytes, length);
    if (zero) fuzz_file_add(file, zero + 1, size - length - 1);
}

static inline void fuzz_file_close(const fuzz_file *file)
{
    close(file->handle);
}

#endif
