#ifndef CN_BASE_CHECKSUM_H
#define CN_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 (that of gzip) of bytes that follow those whose checksum is `sum`; 0 at the beginning. bytes may be NULL if
 * size is 0. It finds accidents, not intentions. */
uint32_t cn__checksum(uint32_t sum, const void *bytes, size_t size);

#endif
