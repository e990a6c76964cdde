/* gzip: whole files unpacked in one go. Source: RFC 1952. */
#ifndef CN_FORMATS_FORMAT_GZIP_H
#define CN_FORMATS_FORMAT_GZIP_H

#include <stddef.h>

/* 1 if the bytes begin as a gzip file does. */
int cn__is_gzip(const unsigned char *bytes, size_t size);

/* Unpacks a file of one gzip member. *block gets `front` unused bytes and then *unpacked_size unpacked ones, so that a
 * caller can choose where they lie; it is given back with cn__free. The CRC and the length are checked, and no more
 * memory is taken than so many packed bytes can fill. `path` is for the sentence.
 * Errors: CN_EFORMAT (damaged, cut off, bytes behind the end), CN_ENOMEM. */
int cn__gzip_unpack(const char *path, const unsigned char *bytes, size_t size, size_t front, unsigned char **block,
                    size_t *unpacked_size);

#endif
