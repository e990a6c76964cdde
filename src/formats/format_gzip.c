#include "formats/format_gzip.h"

#include "base/error.h"
#include "base/memory.h"

#include <libdeflate.h>

#define SMALLEST_FILE 18 /* ten bytes of header, an empty block of two (rounded up), eight bytes of trailer */
#define HIGHEST_RATIO 1032 /* deflate: 258 bytes from two bits at best */

int cn__is_gzip(const unsigned char *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

static int check_result(const char *path, enum libdeflate_result result, size_t size, size_t used)
{
    if (result == LIBDEFLATE_BAD_DATA)
        return cn__fail(CN_EFORMAT, "'%s' is damaged or cut off: its gzip data cannot be unpacked; fetch it again",
                        path);
    if (result != LIBDEFLATE_SUCCESS || used != size)
        return cn__fail(CN_EFORMAT, "'%s' is damaged: its gzip data do not end where the file ends (bytes were cut "
                        "off or added); fetch it again", path);
    return CN_OK;
}

int cn__gzip_unpack(const char *path, const unsigned char *bytes, size_t size, size_t front, unsigned char **block,
                    size_t *unpacked_size)
{
    *block = NULL;
    *unpacked_size = 0;
    if (size < SMALLEST_FILE)
        return cn__fail(CN_EFORMAT, "'%s' is cut off: %zu bytes are too few for a gzip file; fetch it again", path,
                        size);

    /* The last four bytes say how long the content is. They may lie, so they are believed only as far as the packed
     * bytes could fill it. */
    const unsigned char *end = bytes + size;
    size_t promised = (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
    if (promised / HIGHEST_RATIO > size)
        return cn__fail(CN_EFORMAT, "'%s' is damaged: %zu gzip bytes cannot hold the %zu bytes they promise (bytes "
                        "were cut off or added); fetch it again", path, size, promised);

    unsigned char *out = cn__alloc_raw(front + promised, 1, "an unpacked file");
    if (!out) return cn__fail_prefix("unpacking '%s': ", path);
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!decompressor) {
        cn__free(out);
        return cn__fail(CN_ENOMEM, "out of memory while unpacking '%s'", path);
    }
    size_t used = 0;
    enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(decompressor, bytes, size, out + front, promised, &used, NULL);
    libdeflate_free_decompressor(decompressor);
    int status = check_result(path, result, size, used);
    if (status < 0) {
        cn__free(out);
        return status;
    }
    *block = out;
    *unpacked_size = promised;
    return CN_OK;
}
