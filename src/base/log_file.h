/* A text file that grows line by line while a program runs. Each line is handed to the system at once, so that it is
 * there when the program is killed. */
#ifndef CN_BASE_LOG_FILE_H
#define CN_BASE_LOG_FILE_H

#include <stdint.h>
#include <stdio.h>

typedef struct cn__log_file {
    FILE *stream; /* NULL while closed */
    char *path;
    int64_t length; /* bytes up to the last whole line */
} cn__log_file;

/* Opens for writing behind the first `keep` bytes; what follows them is cut off. keep beyond the end, such as
 * INT64_MAX: behind all there is. A path that is no regular file (/dev/stdout, a pipe) is written as it comes. Missing
 * folders are made. Errors: CN_EIO, CN_ENOMEM. */
int cn__log_file_open(cn__log_file *file, const char *path, int64_t keep);

/* Opens and closes, so that a file that cannot be written is known before there is anything to write. What it holds
 * stays. */
int cn__log_file_try(const char *path);

/* Ends a line or a record: hands on what was written to the stream. Error: CN_EIO (disk full, ...). */
int cn__log_file_flush(cn__log_file *file);

/* Accepts a file that was never opened (all zero). */
void cn__log_file_close(cn__log_file *file);

#endif
