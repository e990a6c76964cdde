/* sort and argsort, line by line. What is sorted are keys: unsigned integers that grow with the numbers, NaN the
 * largest. Long lines go through a radix sort, byte by byte from the lowest; short ones through insertion and merging.
 * All of them leave equal keys in their order. */
#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/dtype_rules.h"
#include "tensor/lines.h"
#include "tensor/record.h"
#include "tensor/reduce.h"

#include <string.h>

/* --- sorting keys --- */

typedef struct place32 {
    uint32_t key, position;
} place32;

typedef struct place64 {
    uint64_t key;
    int64_t position;
} place64;

#define RUN 12
#define RADIX_FROM 400 /* items; below, counting bytes costs more than it saves (measured) */

/* Sorts n items, which end up in `from` or in `to`, of the same length: returns where. */
#define DEFINE_SORT(name, item, KEY)                                                                                \
    static void name##_insert(item *p, int64_t n)                                                                   \
    {                                                                                                               \
        for (int64_t i = 1; i < n; i++) {                                                                           \
            item moved = p[i];                                                                                      \
            int64_t k = i;                                                                                          \
            for (; k > 0 && KEY(p[k - 1]) > KEY(moved); k--) p[k] = p[k - 1];                                       \
            p[k] = moved;                                                                                           \
        }                                                                                                           \
    }                                                                                                               \
    static void name##_merge(const item *left, int64_t n_left, const item *right, int64_t n_right, item *out)       \
    {                                                                                                               \
        const item *end_left = left + n_left, *end_right = right + n_right;                                         \
        while (left < end_left && right < end_right) {                                                              \
            int take_right = KEY(*right) < KEY(*left); /* of equals the left run's comes first */                   \
            *out++ = take_right ? *right : *left;                                                                   \
            right += take_right;                                                                                    \
            left += !take_right;                                                                                    \
        }                                                                                                           \
        while (left < end_left) *out++ = *left++;                                                                   \
        while (right < end_right) *out++ = *right++;                                                                \
    }                                                                                                               \
    static item *name##_by_merging(item *from, item *to, int64_t n)                                                 \
    {                                                                                                               \
        for (int64_t i = 0; i < n; i += RUN) name##_insert(from + i, n - i < RUN ? n - i : RUN);                    \
        for (int64_t run = RUN; run < n; run *= 2) {                                                                \
            for (int64_t i = 0; i < n; i += 2 * run) {                                                              \
                int64_t n_left = n - i < run ? n - i : run, n_right = n - i - n_left;                               \
                name##_merge(from + i, n_left, from + i + n_left, n_right < run ? n_right : run, to + i);           \
            }                                                                                                       \
            item *swap = from;                                                                                      \
            from = to;                                                                                              \
            to = swap;                                                                                              \
        }                                                                                                           \
        return from;                                                                                                \
    }                                                                                                               \
    static item *name(item *from, item *to, int64_t n)                                                              \
    {                                                                                                               \
        enum { BYTES = sizeof(KEY(*from)) };                                                                        \
        if (n < RADIX_FROM) return name##_by_merging(from, to, n);                                                  \
        int64_t counts[BYTES][256] = {{0}};                                                                         \
        for (int64_t i = 0; i < n; i++)                                                                             \
            for (int b = 0; b < BYTES; b++) counts[b][KEY(from[i]) >> 8 * b & 255]++;                               \
        for (int b = 0; b < BYTES; b++) {                                                                           \
            if (counts[b][KEY(from[0]) >> 8 * b & 255] == n) continue; /* all have the same byte */                 \
            int64_t next[256], sum = 0;                                                                             \
            for (int v = 0; v < 256; v++) {                                                                         \
                next[v] = sum;                                                                                      \
                sum += counts[b][v];                                                                                \
            }                                                                                                       \
            for (int64_t i = 0; i < n; i++) to[next[KEY(from[i]) >> 8 * b & 255]++] = from[i];                      \
            item *swap = from;                                                                                      \
            from = to;                                                                                              \
            to = swap;                                                                                              \
        }                                                                                                           \
        return from;                                                                                                \
    }
#define ITSELF(item) (item)
#define KEY_OF(item) ((item).key)
DEFINE_SORT(sort_keys32, uint32_t, ITSELF)
DEFINE_SORT(sort_keys64, uint64_t, ITSELF)
DEFINE_SORT(sort_places32, place32, KEY_OF)
DEFINE_SORT(sort_places64, place64, KEY_OF)

/* --- keys --- */

#define TOP32 0x80000000u
#define TOP64 0x8000000000000000u

/* Of floats, read as bits: negative ones backwards. -0 comes before 0, or counts as 0 where `zeros` is 0. */
static inline uint32_t float_key(uint32_t bits, int zeros)
{
    if ((bits & ~TOP32) > 0x7f800000u) return UINT32_MAX;
    if (!zeros && bits == TOP32) bits = 0;
    return bits & TOP32 ? ~bits : bits | TOP32;
}

static inline uint64_t double_key(uint64_t bits, int zeros)
{
    if ((bits & ~TOP64) > 0x7ff0000000000000u) return UINT64_MAX;
    if (!zeros && bits == TOP64) bits = 0;
    return bits & TOP64 ? ~bits : bits | TOP64;
}

static inline uint32_t float_bits(uint32_t key)
{
    return key & TOP32 ? key & ~TOP32 : ~key;
}

static inline uint64_t double_bits(uint64_t key)
{
    return key & TOP64 ? key & ~TOP64 : ~key;
}

/* How the numbers of a line are read, so that their keys are simple. */
static cn_dtype read_as(cn_dtype dtype)
{
    switch (dtype) {
    case CN_INT64:
    case CN_UINT64:
    case CN_UINT32:
    case CN_FLOAT64: return dtype == CN_UINT32 ? CN_UINT64 : dtype;
    case CN_FLOAT16:
    case CN_FLOAT32: return CN_FLOAT32;
    default: return CN_INT32;
    }
}

static int is_narrow(cn_dtype read)
{
    return read == CN_FLOAT32 || read == CN_INT32;
}

/* The numbers were written as floats or signed integers, hence memcpy. */
static inline uint32_t key32(cn_dtype read, const void *line, int64_t i, int zeros)
{
    uint32_t bits;
    memcpy(&bits, (const char *)line + i * 4, sizeof bits);
    return read == CN_FLOAT32 ? float_key(bits, zeros) : bits ^ TOP32;
}

static inline uint64_t key64(cn_dtype read, const void *line, int64_t i, int zeros)
{
    uint64_t bits;
    memcpy(&bits, (const char *)line + i * 8, sizeof bits);
    return read == CN_FLOAT64 ? double_key(bits, zeros) : read == CN_INT64 ? bits ^ TOP64 : bits;
}

static void sort_narrow(cn_dtype read, int64_t n, uint32_t *line, uint32_t *room)
{
    for (int64_t i = 0; i < n; i++) line[i] = key32(read, line, i, 1);
    const uint32_t *keys = sort_keys32(line, room, n);
    for (int64_t i = 0; i < n; i++) line[i] = read == CN_FLOAT32 ? float_bits(keys[i]) : keys[i] ^ TOP32;
}

static void sort_wide(cn_dtype read, int64_t n, uint64_t *line, uint64_t *room)
{
    for (int64_t i = 0; i < n; i++) line[i] = key64(read, line, i, 1);
    const uint64_t *keys = sort_keys64(line, room, n);
    for (int64_t i = 0; i < n; i++)
        line[i] = read == CN_FLOAT64 ? double_bits(keys[i]) : read == CN_INT64 ? keys[i] ^ TOP64 : keys[i];
}

static void places_narrow(cn_dtype read, int64_t n, const void *line, place32 *room, int64_t *positions)
{
    for (int64_t i = 0; i < n; i++) room[i] = (place32){key32(read, line, i, 0), (uint32_t)i};
    const place32 *places = sort_places32(room, room + n, n);
    for (int64_t i = 0; i < n; i++) positions[i] = places[i].position;
}

static void places_wide(cn_dtype read, int64_t n, const void *line, place64 *room, int64_t *positions)
{
    for (int64_t i = 0; i < n; i++)
        room[i] = (place64){is_narrow(read) ? key32(read, line, i, 0) : key64(read, line, i, 0), i};
    const place64 *places = sort_places64(room, room + n, n);
    for (int64_t i = 0; i < n; i++) positions[i] = places[i].position;
}

/* --- lines --- */

/* One line in place: memory holds it and room for as many keys. Or its positions, behind 8 n bytes for the line and in
 * front of room for twice as many places. */
static void sort_line(cn_dtype read, int64_t n, int gives_positions, char *memory)
{
    int64_t *positions = (int64_t *)(void *)(memory + n * 8);
    void *room = memory + n * 16;
    if (!gives_positions && is_narrow(read))
        sort_narrow(read, n, (uint32_t *)(void *)memory, (uint32_t *)(void *)memory + n);
    else if (!gives_positions) sort_wide(read, n, (uint64_t *)(void *)memory, (uint64_t *)(void *)memory + n);
    else if (is_narrow(read) && n <= UINT32_MAX) places_narrow(read, n, memory, room, positions);
    else places_wide(read, n, memory, room, positions);
}

static cn_tensor *sort_lines(const char *function, const cn_tensor *x, int axis, int gives_positions)
{
    cn_dtype dtype = gives_positions ? CN_INT64 : cn__value_dtype(x);
    cn_tensor *output = cn__tensor_create_raw(dtype, x->ndim, x->shape);
    if (!output || output->size == 0) return output;
    cn__lines l;
    cn_dtype read = read_as(cn__value_dtype(x));
    cn__lines_begin(&l, x, axis);
    size_t each = gives_positions ? is_narrow(read) && l.n <= UINT32_MAX ? 32 : 48 : is_narrow(read) ? 8 : 16;
    char *memory = cn__alloc_raw((size_t)l.n, each, function);
    if (!memory) {
        cn_tensor_destroy(&output);
        return NULL;
    }
    do {
        cn__lines_read(&l, read, memory);
        sort_line(read, l.n, gives_positions, memory);
        cn__scatter_row(gives_positions ? CN_INT64 : read, gives_positions ? memory + l.n * 8 : memory, l.n, dtype,
                        output->data + cn__lines_offset(&l, output), output->strides[axis]);
    } while (cn__lines_next(&l));
    cn__free(memory);
    return output;
}

static cn_tensor *apply(const char *function, const cn_tensor *x, int axis, int gives_positions)
{
    int flattened = x && axis == CN_NO_AXIS;
    if (!x) return cn__pass_null(function);
    const cn_tensor *seen = flattened ? cn_tensor_reshape(x, 1, (const int64_t[]){-1}) : x;
    if (!seen) return NULL;
    axis = cn__axis_of(function, seen, flattened ? 0 : axis);
    cn_tensor *output = axis >= 0 ? sort_lines(function, seen, axis, gives_positions) : NULL;
    if (!gives_positions)
        output = cn__record(output, &(cn__operation){.op = CN__OP_sort, .n_inputs = 1, .inputs = &seen, .n_axes = 1,
                                                     .axes = {axis}});
    if (flattened) cn_tensor_destroy((cn_tensor **)&seen);
    return output;
}

cn_tensor *cn_tensor_sort(const cn_tensor *x, int axis)
{
    return apply("cn_tensor_sort", x, axis, 0);
}

cn_tensor *cn_tensor_argsort(const cn_tensor *x, int axis)
{
    return apply("cn_tensor_argsort", x, axis, 1);
}
