/* PNG pictures through libpng. Errors leave libpng by longjmp, so everything that must survive one lives in a struct
 * of the caller, and the functions that call setjmp change no variable of their own. */
#include <cornu/image.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#ifdef CN_WITH_PNG
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>

#define MAX_PIXELS ((uint64_t)1 << 28)
#define MAX_FILE ((size_t)1 << 31) /* what MAX_PIXELS of the deepest kind can take */
#define WHITE 255

/* One picture on its way in or out. */
typedef struct job {
    const char *path;
    png_structp png;
    png_infop info;
    int status;         /* what the failure was, where libpng does not know it */
    char sentence[128]; /* libpng's own */

    unsigned char *bytes; /* reading: the file */
    size_t size, position;
    unsigned char *rows; /* as libpng gives them: one, or all of an interlaced picture */
    cn_tensor *image;

    cn__output output; /* writing */
} job;

/* --- what libpng calls -------------------------------------------------------------------------------------------- */

static void on_error(png_structp png, const char *sentence)
{
    job *j = png_get_error_ptr(png);
    snprintf(j->sentence, sizeof j->sentence, "%s", sentence);
    png_longjmp(png, 1);
}

/* Warnings concern what we do not use: colour profiles, dates, texts. */
static void on_warning(png_structp png, const char *sentence)
{
    (void)png;
    (void)sentence;
}

static void *take_memory(png_structp png, png_alloc_size_t bytes)
{
    void *block = cn__alloc_raw(bytes, 1, "a PNG picture");
    job *j = png_get_mem_ptr(png);
    if (!block) j->status = CN_ENOMEM;
    return block;
}

static void give_memory(png_structp png, void *block)
{
    (void)png;
    cn__free(block);
}

static void read_bytes(png_structp png, unsigned char *to, size_t count)
{
    job *j = png_get_io_ptr(png);
    if (count > j->size - j->position) png_error(png, "it ends too early");
    memcpy(to, j->bytes + j->position, count);
    j->position += count;
}

static void write_bytes(png_structp png, unsigned char *from, size_t count)
{
    job *j = png_get_io_ptr(png);
    if (fwrite(from, 1, count, j->output.stream) == count) return;
    j->status = CN_EIO;
    png_error(png, strerror(errno));
}

static void flush_nothing(png_structp png) /* cn__output_commit does it */
{
    (void)png;
}

/* The sentence for a failure that libpng reported; `status` where nobody knew better. */
static int explain(const job *j, int status)
{
    if (j->status == CN_ENOMEM) return cn__fail_prefix("%s: ", j->path); /* the allocator has said the rest */
    if (j->status) status = j->status;
    if (status == CN_EFORMAT) return cn__fail(status, "%s: the PNG picture is damaged: %s", j->path, j->sentence);
    return cn__fail(status, "%s: writing failed: %s; free some space or choose another place", j->path, j->sentence);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* One row of grey, grey and alpha, RGB or RGBA bytes as grey on white. The sum is exact and rounded once. */
static void row_to_grey(unsigned char *grey, const unsigned char *row, size_t width, int channels)
{
    const int coloured = channels >= 3, transparent = channels % 2 == 0;
    for (size_t x = 0; x < width; x++, row += channels) {
        uint32_t luma = coloured ? 299u * row[0] + 587u * row[1] + 114u * row[2] : 1000u * row[0];
        uint32_t alpha = transparent ? row[channels - 1] : 255u;
        grey[x] = (unsigned char)((luma * alpha + 1000u * WHITE * (255u - alpha) + 127500u) / 255000u);
    }
}

/* Every kind of PNG becomes 1 to 4 channels of a byte each; the number of passes over the rows comes back. */
static int prepare(job *j)
{
    png_set_expand(j->png); /* palettes, 1 to 4 bits, transparent colours */
    png_set_scale_16(j->png);
    int passes = png_set_interlace_handling(j->png);
    png_read_update_info(j->png, j->info);
    return passes;
}

static int decode_pixels(job *j, size_t width, size_t height)
{
    if (setjmp(png_jmpbuf(j->png))) return explain(j, CN_EFORMAT);
    const int passes = prepare(j), channels = png_get_channels(j->png, j->info);
    const size_t stride = png_get_rowbytes(j->png, j->info), kept = passes > 1 ? height : 1;
    j->image = cn_zeros(CN_UINT8, (int64_t)height, (int64_t)width);
    j->rows = cn__alloc(kept, stride, "a PNG picture");
    if (!j->image || !j->rows) return cn_error_status();
    unsigned char *grey = cn_data(j->image);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++) {
            unsigned char *row = j->rows + y % kept * stride;
            png_read_row(j->png, row, NULL);
            if (pass == passes - 1) row_to_grey(grey + y * width, row, width, channels);
        }
    png_read_end(j->png, NULL);
    return 0;
}

static int decode(job *j)
{
    if (setjmp(png_jmpbuf(j->png))) return explain(j, CN_EFORMAT);
    png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours is below, and it counts pixels */
    png_set_read_fn(j->png, j, read_bytes);
    png_read_info(j->png, j->info);
    const uint64_t width = png_get_image_width(j->png, j->info), height = png_get_image_height(j->png, j->info);
    if (width > MAX_PIXELS / height)
        return cn__fail(CN_EINVAL, "%s: %llu x %llu pixels are more than 2^28; make the picture smaller", j->path,
                        (unsigned long long)width, (unsigned long long)height);
    return decode_pixels(j, (size_t)width, (size_t)height);
}

static int read_picture(job *j)
{
    CN_TRY(cn__file_read(j->path, MAX_FILE, &j->bytes, &j->size));
    if (j->size < 8 || png_sig_cmp(j->bytes, 0, 8) != 0)
        return cn__fail(CN_EFORMAT, "%s: this is no PNG picture; convert it to PNG first", j->path);
    j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, on_error, on_warning, j, take_memory, give_memory);
    if (j->png) j->info = png_create_info_struct(j->png);
    if (!j->info) return cn__fail(CN_ENOMEM, "%s: out of memory for libpng", j->path);
    return decode(j);
}

cn_tensor *cn_image_read(const char *path)
{
    if (!path) return cn__fail_null(CN_EINVAL, "cn_image_read needs a path");
    job j = {.path = path};
    if (read_picture(&j) < 0) cn_tensor_destroy(&j.image);
    png_destroy_read_struct(&j.png, &j.info, NULL);
    cn__free(j.rows);
    cn__free(j.bytes);
    return j.image;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static int encode(job *j, const unsigned char *pixels, png_uint_32 width, png_uint_32 height, int colour)
{
    if (setjmp(png_jmpbuf(j->png))) return explain(j, CN_EIO);
    const size_t stride = (size_t)width * (colour ? 3 : 1);
    png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_write_fn(j->png, j, write_bytes, flush_nothing);
    png_set_IHDR(j->png, j->info, width, height, 8, colour ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(j->png, j->info);
    for (size_t y = 0; y < height; y++) png_write_row(j->png, pixels + y * stride);
    png_write_end(j->png, NULL);
    return 0;
}

static int write_picture(job *j, const unsigned char *pixels, png_uint_32 width, png_uint_32 height, int colour)
{
    j->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, j, on_error, on_warning, j, take_memory, give_memory);
    if (j->png) j->info = png_create_info_struct(j->png);
    if (!j->info) return cn__fail(CN_ENOMEM, "%s: out of memory for libpng", j->path);
    CN_TRY(cn__output_open(&j->output, j->path));
    int status = encode(j, pixels, width, height, colour);
    if (status == 0) return cn__output_commit(&j->output);
    cn__output_discard(&j->output);
    return status;
}

static int check_picture(const char *path, const cn_tensor *image)
{
    const int ndim = cn_ndim(image);
    const int64_t *shape = cn_shape(image);
    if (cn_dtype_of(image) != CN_UINT8 || cn_scale_of(image) != 1)
        return cn__fail(CN_EDTYPE, "%s: a picture is written from plain uint8, not from %s%s; use cn_astype", path,
                        cn_dtype_name(cn_dtype_of(image)), cn_scale_of(image) != 1 ? " with a scale" : "");
    if (!(ndim == 2 || (ndim == 3 && shape[2] == 3)))
        return cn__fail(CN_ESHAPE, "%s: a picture has shape (height, width) or (height, width, 3), not %d axes%s", path,
                        ndim, ndim == 3 ? " with another last size" : "");
    for (int axis = 0; axis < 2; axis++)
        if (shape[axis] < 1 || shape[axis] > (int64_t)PNG_UINT_31_MAX)
            return cn__fail(CN_ESHAPE, "%s: a picture cannot be %lld pixels %s", path, (long long)shape[axis],
                            axis ? "wide" : "high");
    return 0;
}

int cn_image_write(const char *path, const cn_tensor *image)
{
    if (!path) return cn__fail(CN_EINVAL, "cn_image_write needs a path");
    if (!image) return cn_error_status() < 0 ? cn_error_status() : cn__fail(CN_EINVAL, "%s: no picture given", path);
    CN_TRY(check_picture(path, image));
    cn_tensor *copy = cn_is_contiguous(image) ? NULL : cn_copy(image);
    if (!copy && !cn_is_contiguous(image)) return cn_error_status();
    const int64_t *shape = cn_shape(image);
    job j = {.path = path};
    int status = write_picture(&j, cn_data(copy ? copy : image), (png_uint_32)shape[1], (png_uint_32)shape[0],
                               cn_ndim(image) == 3);
    png_destroy_write_struct(&j.png, &j.info);
    cn_tensor_destroy(&copy);
    return status;
}

#else /* without libpng */

cn_tensor *cn_image_read(const char *path)
{
    return cn__fail_null(CN_ENOTSUP, "%s: this build cannot read pictures; install libpng-dev and build again",
                         path ? path : "(no path)");
}

int cn_image_write(const char *path, const cn_tensor *image)
{
    (void)image;
    return cn__fail(CN_ENOTSUP, "%s: this build cannot write pictures; install libpng-dev and build again",
                    path ? path : "(no path)");
}

#endif
