/* One batch of inputs that are bytes, for first layers: value = code * scale. Either as lists of the non-zeros, which
 * are few (19 % of MNIST's pixels), or as tiles for the CPU's tile instructions. Both give the same bits
 * (kernels/exact.h).
 *
 * Lists exist twice, in ascending order, always for two terms of a product at once, as CPUs multiply and add pairs:
 *
 *   by samples   for sample b the pairs of columns 2q, 2q+1 of which one has ink: its list begins at
 *                b * cn__list_stride(pairs of columns) and has sample_ends[b].all entries, of which the first
 *                sample_ends[b].half belong to columns below cn__half_of(columns)
 *   by columns   for column k the pairs of samples 2p, 2p+1 of which one has ink there: its list begins at
 *                k * cn__list_stride(pairs of samples) and has column_count[k] entries
 *
 * Neighbouring pixels mostly have ink together; two samples share 47 % of theirs.
 *
 * Tiles are 16 lines of 64 bytes, zeros where the batch ends:
 *
 *   by samples   line: a sample, bytes: 64 columns. Tile (sample / 16, column / 64) of cn__tile_steps(columns) a row
 *   by columns   line: a column, bytes: 64 samples. Tile (column / 16, sample / 64) of cn__tile_steps(rows) a row
 *
 * Tiles need not hold all columns: those that seldom have ink may be left out (kernels/gather.h, cn__frequent), and
 * tiles are made as if there were no others. The rest then stands in lists by column, as below, where a column without
 * ink may have an empty list if its neighbour (2q, 2q+1) has one.
 *
 * Where non-zeros are so few that two samples hardly share any (words of a text), there is one list for each column
 * that has any, and none for the others: `used` columns in ascending order, each with its samples in ascending order.
 * For kernels of few outputs there is no list at all: they read those of the data set (`lists`), row by row.
 *
 * For mixed_bfloat16 on tiles the codes stand in them as bfloat16 numbers, which hold 0 ... 255 exactly: 16 lines of
 * 32, tile (sample / 16, column / 32) of cn__half_steps(columns) a row, and so on; besides these there are lists of
 * rare columns only, as for tiles of bytes.
 */
#ifndef CN_KERNELS_BATCH_H
#define CN_KERNELS_BATCH_H

#include <stdint.h>

#define CN__BATCH_MOST_ROWS 8192
#define CN__BATCH_MOST_COLUMNS 32768
#define CN__LIGHT_SUM 255
/* Outputs for which lists by two are summed at a time, whose numbers have one digit or two (kernels/exact.h). */
#define CN__LIST_COLUMNS(digits) (64 / (digits))
#define CN__SPARSE_NARROW 32 /* outputs of a kernel that reads very few non-zeros row by row, at most */

/* Small fields that are loaded one by one: taking a word apart would cost the units that also multiply. */
typedef struct cn__ink {
    uint16_t index;   /* the column or the sample, or a pair of them */
    uint8_t codes[2]; /* of it, or of both */
} cn__ink;

/* Lists are as long as there are pairs and a cache line more, so that their ends do not fall into the same few cache
 * sets. */
static inline int64_t cn__list_stride(int64_t pairs)
{
    return (pairs + 15) / 16 * 16 + 16;
}

/* How many entries a list by samples has. */
typedef struct cn__list_ends {
    int32_t half, all;
} cn__list_ends;

/* Whole steps of 16 columns. */
static inline int64_t cn__half_of(int64_t columns)
{
    return columns / 32 * 16;
}

/* A column with ink: entries first ... first+count-1 of `entries`, each a sample and, in codes[0], its code. */
typedef struct cn__column {
    int32_t index, count;
    uint32_t first;
} cn__column;

/* Entries first ... first+count-1. */
typedef struct cn__span {
    uint32_t first, count;
} cn__span;

#define CN__TILE_BYTES 1024
#define CN__TILE_LINES 16
#define CN__TILE_STEP 64

static inline int64_t cn__tile_steps(int64_t n)
{
    return (n + CN__TILE_STEP - 1) / CN__TILE_STEP;
}

/* The same for tiles of bfloat16. */
#define CN__HALF_STEP 32

static inline int64_t cn__half_steps(int64_t n)
{
    return (n + CN__HALF_STEP - 1) / CN__HALF_STEP;
}

/* Tiles of n lines, counted up to whole steps, so that they can be made in squares of 64 by 64. */
static inline int64_t cn__tile_lines(int64_t n)
{
    return cn__tile_steps(n) * (CN__TILE_STEP / CN__TILE_LINES);
}

/* The weights of a kernel as whole numbers (kernels/exact.h), three digits of 8 bits each, for forward products with
 * tiles while the kernel stays as it is. For each 32 outputs the tiles of the first sixteen, digit by digit, and of the
 * others: cn__tile_steps(inputs) a digit, with four inputs of an output side by side. */
typedef struct cn__digits {
    int64_t terms, n_rare; /* of so many inputs, */
    const uint16_t *index; /* which are these; */
    const uint16_t *rare;  /* the others count for the scales only */
    uint8_t *tiles;  /* cn__digits_bytes of them; NULL: there is no room */
    uint32_t *peaks; /* of each 16 outputs, and 0 for what is missing in the last 32 */
} cn__digits;

static inline int64_t cn__digits_bytes(int64_t inputs, int64_t outputs)
{
    return (outputs + 31) / 32 * 2 * 3 * cn__tile_steps(inputs) * CN__TILE_BYTES;
}

/* Sums for each column of such a kernel, filled up to whole vectors. */
static inline int64_t cn__sparse_lanes(int64_t outputs)
{
    return (outputs + 15) / 16 * 16;
}

/* Scales are those of all rows of a kernel (kernels/exact.h). Of the rows of rare columns, few change in a step, so
 * that what matters of the others is kept: for each group of 16 outputs and each rare column the exponent bits of the
 * largest weight, exponents[group * n_rare + i]. The first forward product fills them in. */
typedef struct cn__rare_exponents {
    uint8_t *exponents; /* n_rare for each of cn__exponent_groups */
    int are_known;
} cn__rare_exponents;

static inline int64_t cn__exponent_groups(int64_t outputs)
{
    return (outputs + 31) / 32 * 2;
}

typedef struct cn__batch {
    int64_t rows, columns; /* with tiles: those that stand in tiles */
    double scale;
    const cn__digits *digits; /* with tiles: of the kernel; NULL: nobody has made them */
    int mostly_blank; /* 1: a scale is that of the rows of the kernel in use, not of all (kernels/exact.h) */
    const cn__ink *by_samples;
    const cn__list_ends *sample_ends;
    const cn__ink *by_columns;
    const int32_t *column_count;
    const uint8_t *sample_tiles; /* NULL: lists */
    const uint8_t *sample_filled; /* for each tile by samples: 0 if it is blank */
    const uint8_t *column_tiles;
    const uint64_t *inked; /* bit c % 64 of inked[s * steps + c / 64]: column c has ink in a sample of step s */
    const uint16_t *index; /* with tiles: which column of the data each of `columns` is, ascending */
    const uint16_t *rare;  /* with tiles: the n_rare other ones, ascending; those with ink are `used` */
    int64_t n_rare;
    cn__rare_exponents *rare_exponents; /* NULL: weights are moved by others, too */
    const cn__column *used; /* NULL: lists by two, or tiles that hold all columns */
    int64_t n_used, n_entries;
    const cn__ink *entries;
    const struct cn__sparse_rows *lists; /* NULL: columns, lists by two, or tiles */
    const struct cn__choice *choice;     /* of the rows of these lists */
    uint32_t *sums;                      /* with lists: as in cn__batch_memory */
    const cn__span *spans;    /* with tiles that lack columns: where in `in_spans` a sample's rare non-zeros stand, */
    const cn__ink *in_spans;  /* each a column and, in codes[0], its code; NULL: tiles hold all columns */
    const uint8_t *is_heavy;  /* of each sample: 1 if its codes add up to more than CN__LIGHT_SUM */
    const uint16_t *sample_lines, *column_lines; /* with bfloat16, for each tile: bit l is 0 where line l is blank */
    const uint8_t *all_codes; /* of the data set, and the `rows` rows of it that come next, to be fetched in advance; */
    const uint32_t *next;     /* NULL: not known */
    const char *soon;      /* memory that is read after the forward product, to be fetched in advance; NULL: nothing
                            * known */
    int64_t soon_bytes;
    uint32_t *last_peaks;  /* of each group of outputs: what the last batch found, or anything (kernels/exact.h) */
} cn__batch;

#endif
