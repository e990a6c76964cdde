/* How elements are folded into results, and in which order. */
#include "tensor/reduce.h"

#include "tensor/broadcast.h"

#include <math.h>
#include <string.h>

#define LANES 8
#define BLOCK 256 /* elements; a multiple of LANES */

/* Row: element i of the run, which is number `first + i` of its result, goes to lane (first + i) mod LANES.
 * Columns: element i of the run goes to result i, of which LANES lanes lie BLOCK apart. */
typedef void (*fold_row)(void *lanes, int64_t first, int64_t n, const void *x);
typedef void (*fold_columns)(void *lane, int64_t n, const void *x);
typedef void (*fold_lanes)(const void *lanes, int64_t apart, int64_t n, void *out);

typedef struct folder {
    fold_row row;
    fold_columns columns;
    fold_lanes lanes;
    void (*begin)(void *lanes, int64_t n);
} folder;

#define DEFINE_FOLD(name, type, identity, combine)                                                                  \
    static void name##_row(void *lanes, int64_t first, int64_t n, const void *x)                                    \
    {                                                                                                               \
        type *lane = lanes;                                                                                         \
        const type *element = x;                                                                                    \
        int64_t i = 0;                                                                                              \
        for (; i < n && (first + i) % LANES; i++) {                                                                 \
            type a = lane[(first + i) % LANES], b = element[i];                                                     \
            lane[(first + i) % LANES] = combine;                                                                    \
        }                                                                                                           \
        for (; i + LANES <= n; i += LANES)                                                                          \
            for (int k = 0; k < LANES; k++) {                                                                       \
                type a = lane[k], b = element[i + k];                                                               \
                lane[k] = combine;                                                                                  \
            }                                                                                                       \
        for (int k = 0; i < n; i++, k++) {                                                                          \
            type a = lane[k], b = element[i];                                                                       \
            lane[k] = combine;                                                                                      \
        }                                                                                                           \
    }                                                                                                               \
    static void name##_columns(void *lane, int64_t n, const void *x)                                                \
    {                                                                                                               \
        type *result = lane;                                                                                        \
        const type *element = x;                                                                                    \
        for (int64_t i = 0; i < n; i++) {                                                                           \
            type a = result[i], b = element[i];                                                                     \
            result[i] = combine;                                                                                    \
        }                                                                                                           \
    }                                                                                                               \
    static type name##_pair(type a, type b)                                                                         \
    {                                                                                                               \
        return combine;                                                                                             \
    }                                                                                                               \
    static void name##_lanes(const void *lanes, int64_t apart, int64_t n, void *out)                                \
    {                                                                                                               \
        const type *lane = lanes;                                                                                   \
        type *result = out;                                                                                         \
        for (int64_t i = 0; i < n; i++, lane++) {                                                                   \
            type low = name##_pair(name##_pair(lane[0], lane[apart]), name##_pair(lane[2 * apart], lane[3 * apart])); \
            type high = name##_pair(name##_pair(lane[4 * apart], lane[5 * apart]),                                  \
                                    name##_pair(lane[6 * apart], lane[7 * apart]));                                 \
            result[i] = name##_pair(low, high);                                                                     \
        }                                                                                                           \
    }                                                                                                               \
    static void name##_begin(void *lanes, int64_t n)                                                                \
    {                                                                                                               \
        type *lane = lanes;                                                                                         \
        for (int64_t i = 0; i < n; i++) lane[i] = identity;                                                         \
    }

/* int64 wraps round through uint64. A NaN among the numbers is the largest and the smallest. */
DEFINE_FOLD(sum_u64, uint64_t, 0, a + b)
DEFINE_FOLD(sum_f64, double, 0, a + b)
DEFINE_FOLD(prod_u64, uint64_t, 1, a * b)
DEFINE_FOLD(prod_f64, double, 1, a * b)
DEFINE_FOLD(max_i64, int64_t, INT64_MIN, a > b ? a : b)
DEFINE_FOLD(max_u64, uint64_t, 0, a > b ? a : b)
DEFINE_FOLD(max_f64, double, -INFINITY, a >= b || a != a ? a : b)
DEFINE_FOLD(min_i64, int64_t, INT64_MAX, a < b ? a : b)
DEFINE_FOLD(min_u64, uint64_t, UINT64_MAX, a < b ? a : b)
DEFINE_FOLD(min_f64, double, INFINITY, a <= b || a != a ? a : b)

#define FOLDER(name) {name##_row, name##_columns, name##_lanes, name##_begin}
static const folder folders[4][3] = { /* int64, uint64, float64 */
    [CN__FOLD_SUM] = {FOLDER(sum_u64), FOLDER(sum_u64), FOLDER(sum_f64)},
    [CN__FOLD_PROD] = {FOLDER(prod_u64), FOLDER(prod_u64), FOLDER(prod_f64)},
    [CN__FOLD_MAX] = {FOLDER(max_i64), FOLDER(max_u64), FOLDER(max_f64)},
    [CN__FOLD_MIN] = {FOLDER(min_i64), FOLDER(min_u64), FOLDER(min_f64)},
};

/* --- one walk over the results, inside it one over the elements that go into them --- */

typedef struct job {
    const cn_tensor *x;
    const folder *fold;
    cn_dtype computed;
    int n_kept, n_folded;
    int64_t kept_shape[CN_MAX_NDIM], folded_shape[CN_MAX_NDIM];
    int64_t kept_strides[1][CN_MAX_NDIM], folded_strides[1][CN_MAX_NDIM];
} job;

static void fold_rows(const job *j, char *first, char *out)
{
    double lanes[LANES], block[BLOCK]; /* 8 bytes of any type */
    cn__walk walk;
    int64_t done = 0;
    j->fold->begin(lanes, LANES);
    if (cn__walk_begin(&walk, 1, j->n_folded, j->folded_shape, &first,
                       (const int64_t(*)[CN_MAX_NDIM])j->folded_strides)) {
        do {
            for (int64_t i = 0; i < walk.length; i += BLOCK) {
                int64_t n = walk.length - i < BLOCK ? walk.length - i : BLOCK;
                cn__convert_row(j->x->dtype, j->x->scale, walk.at[0] + i * walk.step[0], walk.step[0], n, j->computed,
                                block);
                j->fold->row(lanes, done, n, block);
                done += n;
            }
        } while (cn__walk_next(&walk));
    }
    j->fold->lanes(lanes, 1, 1, out);
}

static void fold_block_of_columns(const job *j, char *first, int64_t stride, int64_t n, char *out)
{
    double lanes[LANES * BLOCK], block[BLOCK];
    cn__walk walk;
    int64_t done = 0;
    j->fold->begin(lanes, LANES * BLOCK);
    if (cn__walk_begin(&walk, 1, j->n_folded, j->folded_shape, &first,
                       (const int64_t(*)[CN_MAX_NDIM])j->folded_strides)) {
        do {
            for (int64_t i = 0; i < walk.length; i++, done++) {
                cn__convert_row(j->x->dtype, j->x->scale, walk.at[0] + i * walk.step[0], stride, n, j->computed, block);
                j->fold->columns(lanes + done % LANES * BLOCK, n, block);
            }
        } while (cn__walk_next(&walk));
    }
    j->fold->lanes(lanes, BLOCK, n, out);
}

static int64_t magnitude(int64_t stride)
{
    return stride < 0 ? -stride : stride;
}

/* Numbers are read in the order in which they lie in memory, as far as that is easy to have. */
static int by_columns(const job *j)
{
    if (j->n_kept == 0 || j->n_folded == 0 || j->kept_shape[j->n_kept - 1] < 8) return 0;
    return magnitude(j->kept_strides[0][j->n_kept - 1]) < magnitude(j->folded_strides[0][j->n_folded - 1]);
}

void cn__fold_axes(cn__fold fold, const cn_tensor *x, const cn__axes *axes, cn_dtype computed, void *out)
{
    job j = {.x = x, .computed = computed};
    j.fold = &folders[fold][computed == CN_INT64 ? 0 : computed == CN_UINT64 ? 1 : 2];
    for (int i = 0; i < x->ndim; i++) {
        int *n = axes->named[i] ? &j.n_folded : &j.n_kept;
        (axes->named[i] ? j.folded_shape : j.kept_shape)[*n] = x->shape[i];
        (axes->named[i] ? j.folded_strides : j.kept_strides)[0][*n] = x->strides[i];
        ++*n;
    }
    cn__walk walk;
    char *data = x->data, *to = out;
    if (!cn__walk_begin(&walk, 1, j.n_kept, j.kept_shape, &data, (const int64_t(*)[CN_MAX_NDIM])j.kept_strides)) return;
    do {
        int64_t piece = by_columns(&j) ? BLOCK : 1;
        for (int64_t i = 0; i < walk.length; i += piece) {
            char *first = walk.at[0] + i * walk.step[0];
            int64_t n = walk.length - i < piece ? walk.length - i : piece;
            if (piece > 1) fold_block_of_columns(&j, first, walk.step[0], n, to);
            else fold_rows(&j, first, to);
            to += n * (int64_t)sizeof(double);
        }
    } while (cn__walk_next(&walk));
}
