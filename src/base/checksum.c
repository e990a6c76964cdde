#include "base/checksum.h"

#include <libdeflate.h>

uint32_t cn__checksum(uint32_t sum, const void *bytes, size_t size)
{
    return size ? libdeflate_crc32(sum, bytes, size) : sum;
}
