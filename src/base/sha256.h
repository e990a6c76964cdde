/* SHA-256. Source: FIPS 180-4. */
#ifndef CN_BASE_SHA256_H
#define CN_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct cn__sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64];
} cn__sha256;

void cn__sha256_begin(cn__sha256 *hash);
void cn__sha256_add(cn__sha256 *hash, const void *data, size_t size);
/* 64 hex digits and a 0. */
void cn__sha256_end(cn__sha256 *hash, char digest[65]);

#endif
