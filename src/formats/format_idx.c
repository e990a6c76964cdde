/* IDX, the format of MNIST: big-endian 00 00 type ndim, ndim sizes of 32 bits, then the numbers. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "formats/format_gzip.h"
#include "tensor/tensor.h"

#include <cornu/dataset.h>
#include <stdio.h>

#define UNSIGNED_BYTES 0x08
#define LONGEST_HEADER (4 + 4 * CN_MAX_NDIM)
#define LARGEST_GZIP ((size_t)1 << 31)

/* Unpacked images start behind a header of 16 bytes. With 48 bytes in front of it they start at a cache line, where
 * they can stay: nothing is moved. */
#define FRONT (CN_ALIGNMENT - 16)

typedef struct idx_header {
    int ndim;
    int64_t shape[CN_MAX_NDIM];
    size_t header_bytes, data_bytes;
} idx_header;

static const char *type_name(unsigned char type)
{
    switch (type) {
    case 0x08: return "unsigned bytes";
    case 0x09: return "signed bytes";
    case 0x0b: return "16-bit integers";
    case 0x0c: return "32-bit integers";
    case 0x0d: return "32-bit floats";
    case 0x0e: return "64-bit floats";
    default: return "no known type of number";
    }
}

/* Checks everything that the first bytes say, except whether the data behind them are there. */
static int parse_header(const char *path, const unsigned char *bytes, size_t size, idx_header *header)
{
    if (size == 0) return cn__fail(CN_EFORMAT, "'%s' is empty: an IDX file was expected", path);
    if (size < 4 || bytes[0] != 0 || bytes[1] != 0)
        return cn__fail(CN_EFORMAT, "'%s' is not an IDX file: it must begin with 00 00 08, but begins with %02x %02x "
                        "%02x", path, bytes[0], size > 1 ? bytes[1] : 0, size > 2 ? bytes[2] : 0);
    if (bytes[2] != UNSIGNED_BYTES)
        return cn__fail(CN_EFORMAT, "'%s' holds %s (IDX type %02x); only unsigned bytes (08) can be read", path,
                        type_name(bytes[2]), bytes[2]);
    int ndim = bytes[3];
    if (ndim < 1 || ndim > CN_MAX_NDIM)
        return cn__fail(CN_EFORMAT, "'%s' promises %d axes; 1 to %d are possible", path, ndim, CN_MAX_NDIM);
    header->ndim = ndim;
    header->header_bytes = 4 + 4 * (size_t)ndim;
    if (size < header->header_bytes)
        return cn__fail(CN_EFORMAT, "'%s' is cut off: its header has %zu bytes, but the file only %zu; fetch it again",
                        path, header->header_bytes, size);
    for (int i = 0; i < ndim; i++) {
        const unsigned char *p = bytes + 4 + 4 * i;
        header->shape[i] = (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
    }
    int64_t count = cn__shape_size(CN_UINT8, ndim, header->shape);
    if (count < 0) {
        char text[CN_SHAPE_TEXT_BYTES];
        return cn__fail(CN_EFORMAT, "'%s' is damaged: its header promises the shape %s, which no memory can hold", path,
                        cn__shape_text(text, ndim, header->shape));
    }
    header->data_bytes = (size_t)count;
    return CN_OK;
}

static int check_length(const char *path, const idx_header *header, uint64_t data_bytes)
{
    if (data_bytes == header->data_bytes) return CN_OK;
    char text[CN_SHAPE_TEXT_BYTES];
    return cn__fail(CN_EFORMAT, "'%s' is damaged: its header promises %s, which is %zu bytes, but %llu follow", path,
                    cn__shape_text(text, header->ndim, header->shape), header->data_bytes,
                    (unsigned long long)data_bytes);
}

/* The first bytes of a file and how long it is, so that a plain file that lies is refused before it is read. */
static int peek(const char *path, unsigned char first[LONGEST_HEADER], size_t *n_first, uint64_t *file_bytes)
{
    CN_TRY(cn__file_size(path, file_bytes));
    FILE *stream = fopen(path, "rb");
    if (!stream) return cn__fail(CN_EIO, "cannot read '%s'", path);
    *n_first = fread(first, 1, LONGEST_HEADER, stream);
    fclose(stream);
    return CN_OK;
}

/* On success *block owns header and data, and the header starts at *begin. */
static int read_block(const char *path, unsigned char **block, size_t *begin, idx_header *header)
{
    unsigned char first[LONGEST_HEADER] = {0}, *packed;
    size_t n_first = 0, size;
    uint64_t file_bytes;
    CN_TRY(peek(path, first, &n_first, &file_bytes));

    if (!cn__is_gzip(first, n_first)) {
        CN_TRY(parse_header(path, first, n_first, header));
        CN_TRY(check_length(path, header, file_bytes - header->header_bytes));
        *begin = 0;
        CN_TRY(cn__file_read(path, (size_t)file_bytes, block, &size));
    } else {
        CN_TRY(cn__file_read(path, LARGEST_GZIP, &packed, &size));
        int status = cn__gzip_unpack(path, packed, size, FRONT, block, &size);
        cn__free(packed);
        CN_TRY(status);
        *begin = FRONT;
    }
    /* Parsed (again, for a plain file): what counts is what was read, should somebody have changed the file since. */
    int status = parse_header(path, *block + *begin, size, header);
    if (status == CN_OK) status = check_length(path, header, size - header->header_bytes);
    if (status < 0) cn__free(*block);
    return status;
}

cn_tensor *cn_idx_read(const char *path)
{
    if (!path) return cn__fail_null(CN_EINVAL, "cn_idx_read needs a path");
    unsigned char *block;
    size_t begin;
    idx_header header;
    if (read_block(path, &block, &begin, &header) < 0) return NULL;
    cn_tensor *tensor = cn_tensor_wrap(CN_UINT8, header.ndim, header.shape, block + begin + header.header_bytes);
    if (tensor)
        tensor->memory = block;
    else
        cn__free(block);
    return tensor;
}
