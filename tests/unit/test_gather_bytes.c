/* Batches of bytes (src/kernels/batch.h): tiles of bytes and of bfloat16, lists and sparse lists say what the rows say,
 * in every engine, at odd sizes and for any number of threads; and which numbers become bytes at all. */
#define _GNU_SOURCE
#include "base/pool.h"
#include "engines.h"
#include "guarded.h"
#include "kernels/bf16.h"
#include "frequent_rows.h"
#include "sparse_rows.h"

#include <float.h>
#include <stdio.h>

enum { SOURCE_ROWS = 150 };
typedef enum reading { LISTS, TILES, ENCODED_TILES, FREQUENT, CHOSEN, HALVES, FREQUENT_HALVES, SPARSE } reading_kind;
static const char *const reading_names[] = {"lists", "tiles", "tiles of numbers", "tiles of frequent columns",
                                            "tiles of chosen columns", "tiles of bfloat16",
                                            "tiles of bfloat16 of frequent columns", "sparse lists"};

typedef struct batch {
    cn__batch_memory memory;
    cn__batch view;
    guarded pieces[16];
    int n_pieces;
} batch;

static void *piece(batch *b, int64_t bytes, int at_end)
{
    b->pieces[b->n_pieces] = guard((bytes + 3) / 4, at_end);
    return b->pieces[b->n_pieces++].numbers;
}

static const uint16_t *in_order(batch *b, int64_t columns, int at_end)
{
    uint16_t *numbers = piece(b, columns * 2, at_end);
    for (int64_t c = 0; c < columns; c++) numbers[c] = (uint16_t)c;
    return numbers;
}

static void open_batch(batch *b, int64_t rows, int64_t columns, int at_end)
{
    int64_t sample_tiles = cn__tile_lines(rows) * cn__tile_steps(columns);
    *b = (batch){.n_pieces = 0};
    b->memory = (cn__batch_memory){
        .rows = rows,
        .columns = columns,
        .by_samples = piece(b, rows * cn__list_stride((columns + 1) / 2) * (int64_t)sizeof(cn__ink), at_end),
        .sample_ends = piece(b, rows * (int64_t)sizeof(cn__list_ends), at_end),
        .by_columns = piece(b, columns * cn__list_stride((rows + 1) / 2) * (int64_t)sizeof(cn__ink), at_end),
        .column_count = piece(b, columns * 4, at_end),
        .sample_tiles = piece(b, sample_tiles * CN__TILE_BYTES, at_end),
        .sample_filled = piece(b, sample_tiles, at_end),
        .column_tiles = piece(b, cn__tile_lines(columns) * cn__tile_steps(rows) * CN__TILE_BYTES, at_end),
        .inked = piece(b, cn__tile_steps(rows) * cn__tile_steps(columns) * 8, at_end),
        .in_order = in_order(b, columns, at_end),
        .entries = piece(b, rows * columns * (int64_t)sizeof(cn__ink), at_end),
        .used = piece(b, columns * (int64_t)sizeof(cn__column), at_end),
        .places = piece(b, columns * 4, at_end),
        .is_heavy = piece(b, rows, at_end),
        .spans = piece(b, rows * (int64_t)sizeof(cn__span), at_end)};
}

/* The places of tiles are other ones for bfloat16. */
static void open_halves(batch *b, int64_t rows, int64_t columns, int at_end)
{
    int64_t by_samples = cn__tile_lines(rows) * cn__half_steps(columns);
    int64_t by_columns = cn__tile_lines(columns) * cn__half_steps(rows);
    *b = (batch){.n_pieces = 0};
    b->memory = (cn__batch_memory){.rows = rows,
                                   .columns = columns,
                                   .sample_tiles = piece(b, by_samples * CN__TILE_BYTES, at_end),
                                   .column_tiles = piece(b, by_columns * CN__TILE_BYTES, at_end),
                                   .sample_lines = piece(b, by_samples * 2, at_end),
                                   .column_lines = piece(b, by_columns * 2, at_end),
                                   .in_order = in_order(b, columns, at_end),
                                   .spans = piece(b, rows * (int64_t)sizeof(cn__span), at_end),
                                   .entries = piece(b, rows * columns * (int64_t)sizeof(cn__ink), at_end),
                                   .used = piece(b, columns * (int64_t)sizeof(cn__column), at_end),
                                   .places = piece(b, columns * 4, at_end)};
}

static int close_batch(batch *b)
{
    int untouched = 1;
    for (int i = 0; i < b->n_pieces; i++) {
        untouched &= untouched_around(&b->pieces[i]);
        unguard(&b->pieces[i]);
    }
    return untouched;
}

/* The code of a sample of the batch; 0 behind its ends. */
typedef struct rows_of {
    const uint8_t *codes;
    const cn__choice *choice;
    int64_t columns;
} rows_of;

static uint8_t code_at(const rows_of *r, int64_t sample, int64_t column)
{
    if (sample >= r->choice->n || column >= r->columns) return 0;
    int64_t row = r->choice->picks ? (int64_t)r->choice->picks[sample] : r->choice->first + sample;
    return r->codes[row * r->columns + column];
}

static const char *check_tiles(const rows_of *r, const cn__batch *b, int with_columns)
{
    int64_t rows = r->choice->n, steps = cn__tile_steps(r->columns), row_steps = cn__tile_steps(rows);
    for (int64_t line = 0; line < cn__tile_lines(rows); line++) {
        for (int64_t step = 0; step < steps; step++) {
            int filled = 0;
            for (int64_t i = 0; i < CN__TILE_BYTES; i++) {
                uint8_t code = code_at(r, line * 16 + i / 64, step * 64 + i % 64);
                filled |= code;
                if (b->sample_tiles[(line * steps + step) * CN__TILE_BYTES + i] != code) return "a tile by samples";
            }
            if ((b->sample_filled[line * steps + step] != 0) != (filled != 0)) return "whether a tile is blank";
        }
    }
    for (int64_t s = 0; s < row_steps; s++) {
        for (int64_t c = 0; c < steps * 64; c++) {
            int ink = 0;
            for (int64_t sample = s * 64; sample < s * 64 + 64; sample++) ink |= code_at(r, sample, c);
            if ((b->inked[s * steps + c / 64] >> c % 64 & 1) != (ink != 0)) return "an inked bit";
        }
    }
    for (int64_t line = 0; with_columns && line < cn__tile_lines(r->columns); line++)
        for (int64_t step = 0; step < row_steps; step++)
            for (int64_t i = 0; i < CN__TILE_BYTES; i++)
                if (b->column_tiles[(line * row_steps + step) * CN__TILE_BYTES + i] !=
                    code_at(r, step * 64 + i % 64, line * 16 + i / 64))
                    return "a tile by columns";
    return NULL;
}

/* Tiles of 32 numbers a line, `steps` tiles for each sixteen lines, and which of their lines are blank. */
static const char *check_half_tiles(const rows_of *r, const uint8_t *tiles, const uint16_t *filled, int64_t lines,
                                    int64_t steps, int by_columns)
{
    for (int64_t at = 0; at < lines * steps; at++) {
        for (int64_t row = 0; row < CN__TILE_LINES; row++) {
            int64_t line = at / steps * CN__TILE_LINES + row, ink = 0;
            uint16_t numbers[CN__HALF_STEP];
            memcpy(numbers, tiles + at * CN__TILE_BYTES + row * 64, sizeof numbers);
            for (int64_t i = 0; i < CN__HALF_STEP; i++) {
                int64_t k = at % steps * CN__HALF_STEP + i;
                uint8_t code = by_columns ? code_at(r, k, line) : code_at(r, line, k);
                ink |= code;
                if (numbers[i] != cn__bf16_from(code)) return by_columns ? "a tile by columns" : "a tile by samples";
            }
            if ((filled[at] >> row & 1) != (ink != 0)) return "whether a line is blank";
        }
    }
    return NULL;
}

static const char *check_halves(const rows_of *r, const cn__batch *b, int with_columns)
{
    const char *wrong = check_half_tiles(r, b->sample_tiles, b->sample_lines, cn__tile_lines(r->choice->n),
                                         cn__half_steps(r->columns), 0);
    if (wrong || !with_columns) return wrong;
    return check_half_tiles(r, b->column_tiles, b->column_lines, cn__tile_lines(r->columns),
                            cn__half_steps(r->choice->n), 1);
}

/* One list against what a line of the batch says, whose numbers 2i and 2i+1 are the codes a and b. */
static const char *check_list(const rows_of *r, const cn__ink *entries, int64_t n, int64_t list, int by_columns)
{
    int64_t length = by_columns ? r->choice->n : r->columns, at = 0;
    for (int64_t i = 0; 2 * i < length; i++) {
        uint8_t a = by_columns ? code_at(r, 2 * i, list) : code_at(r, list, 2 * i);
        uint8_t b = by_columns ? code_at(r, 2 * i + 1, list) : code_at(r, list, 2 * i + 1);
        if (!a && !b) continue;
        if (at >= n) return "a list is short";
        if (entries[at].index != i || entries[at].codes[0] != a || entries[at].codes[1] != b) return "an entry";
        at++;
    }
    return at == n ? NULL : "a list is long";
}

/* Entries of the first half are those of columns below it. */
static const char *check_half(const cn__ink *entries, cn__list_ends ends, int64_t columns)
{
    const int64_t half = cn__half_of(columns) / 2;
    if (ends.half < 0 || ends.half > ends.all) return "where a list's second half begins";
    if (ends.half > 0 && !(entries[ends.half - 1].index < half)) return "the first half of a list";
    return ends.half == ends.all || entries[ends.half].index >= half ? NULL : "the second half of a list";
}

static const char *check_lists(const rows_of *r, const cn__batch *b, int with_columns)
{
    const char *wrong = NULL;
    const int64_t samples_apart = cn__list_stride((r->columns + 1) / 2);
    const int64_t columns_apart = cn__list_stride((r->choice->n + 1) / 2);
    for (int64_t i = 0; i < r->choice->n && !wrong; i++) {
        const cn__ink *entries = b->by_samples + i * samples_apart;
        wrong = check_list(r, entries, b->sample_ends[i].all, i, 0);
        if (!wrong) wrong = check_half(entries, b->sample_ends[i], r->columns);
    }
    for (int64_t c = 0; with_columns && c < r->columns && !wrong; c++)
        wrong = check_list(r, b->by_columns + c * columns_apart, b->column_count[c], c, 1);
    return wrong;
}

static const char *check_sparse(const rows_of *r, const cn__batch *b)
{
    int64_t u = 0, entries = 0;
    for (int64_t c = 0; c < r->columns; c++) {
        const cn__column *column = u < b->n_used && b->used[u].index == c ? &b->used[u++] : NULL;
        int32_t at = 0;
        for (int64_t i = 0; i < r->choice->n; i++) {
            uint8_t code = code_at(r, i, c);
            if (!code) continue;
            if (!column || at >= column->count) return "a column is short";
            const cn__ink *entry = &b->entries[column->first + (uint32_t)at++];
            if (entry->index != i || entry->codes[0] != code) return "an entry";
        }
        if (column && (at == 0 || at != column->count)) return "a column is long";
        entries += at;
    }
    for (int64_t i = 0; i < r->choice->n; i++) {
        int64_t sum = 0;
        for (int64_t c = 0; c < r->columns; c++) sum += code_at(r, i, c);
        if (b->is_heavy[i] != (sum > CN__LIGHT_SUM)) return "whether a sample is heavy";
    }
    return u == b->n_used && entries == b->n_entries ? NULL : "the number of columns";
}

/* Lists of rare columns: as sparse ones, but a column without ink has one, too, if its partner has ink. */
static const char *check_rare(const rows_of *r, const cn__batch *b, const cn__frequent *f)
{
    int64_t u = 0, entries = 0;
    for (int64_t i = 0; i < f->n_rare; i++) {
        int64_t column = f->rare[i], partner = column ^ 1;
        int32_t at = 0, partner_has_ink = 0;
        const cn__column *list = u < b->n_used && b->used[u].index == column ? &b->used[u++] : NULL;
        for (int64_t s = 0; s < r->choice->n; s++) {
            uint8_t code = code_at(r, s, column);
            partner_has_ink |= code_at(r, s, partner);
            if (!code) continue;
            if (!list || at >= list->count) return "a rare column is short";
            const cn__ink *entry = &b->entries[list->first + (uint32_t)at++];
            if (entry->index != s || entry->codes[0] != code) return "a rare entry";
        }
        if ((list != NULL) != (at > 0 || partner_has_ink)) return "which rare columns there are";
        if (list && at != list->count) return "a rare column is long";
        entries += at;
    }
    if (b->n_rare != f->n_rare || (f->n_rare && b->rare != f->rare) || b->index != f->index)
        return "an index of columns";
    return u == b->n_used && entries == b->n_entries ? NULL : "the number of rare columns";
}

/* The same entries as lists by sample. */
static const char *check_spans(const rows_of *r, const cn__batch *b, const frequent_copy *c)
{
    for (int64_t i = 0; i < r->choice->n; i++) {
        const int64_t row = cn__choice_row(r->choice, i);
        if (b->spans[i].count != c->count[row]) return "a sample's number of rare entries";
        if (memcmp(b->in_spans + b->spans[i].first, c->entries + c->first[row], c->count[row] * sizeof(cn__ink)) != 0)
            return "a sample's rare entry";
    }
    return NULL;
}

/* The engine's own division of the data set, in tasks with just as much room as is needed, and with less. */
static const char *check_division(const cn__engine *engine, cn__pool *pool, const cn__source *source,
                                  const frequent_copy *c)
{
    const int64_t rows = source->rows, columns = c->f.columns;
    int64_t most = 0, in_task = 0;
    for (int64_t r = 0, task = 0; r < rows; r++) {
        if (r >= rows * (task + 1) / 3) task++, in_task = 0;
        in_task += c->count[r];
        most = in_task > most ? in_task : most;
    }
    guarded codes = guard((rows * columns + 3) / 4, 1), entries = guard(3 * most + 1, 1), first = guard(rows, 1);
    guarded count = guard((rows + 1) / 2, 1);
    cn__division d = {.is_frequent = c->is_frequent, .words = (source->columns + 7) / 8, .columns = columns, .tasks = 3,
                      .room = most, .codes = (uint8_t *)codes.numbers, .entries = (cn__ink *)(void *)entries.numbers,
                      .first = (uint32_t *)(void *)first.numbers, .count = (uint16_t *)(void *)count.numbers};
    const char *wrong = engine->gather->divide(pool, source, &d) ? NULL : "the verdict on the division";
    if (memcmp(d.codes, c->codes, (size_t)(rows * columns)) != 0) wrong = "a frequent code";
    for (int64_t r = 0; r < rows && !wrong; r++) {
        if (d.count[r] != c->count[r]) wrong = "the number of rare entries";
        else if (memcmp(d.entries + d.first[r], c->entries + c->first[r], c->count[r] * sizeof(cn__ink)) != 0)
            wrong = "a rare entry of the data set";
    }
    d.room--;
    if (most > 0 && engine->gather->divide(pool, source, &d)) wrong = "the verdict on a division without room";
    guarded *const all[] = {&codes, &entries, &first, &count};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!untouched_around(all[i])) wrong = "a sentinel of the division";
        unguard(all[i]);
    }
    return wrong;
}

static const char *check_frequent(const cn__engine *engine, cn__pool *pool, const rows_of *r, cn__source *source,
                                  int with_columns, int halves, batch *b)
{
    static int kind;
    kind = (kind + 1) % 3;
    frequent_copy copy = open_frequent(r->codes, SOURCE_ROWS, r->columns, kind);
    const rows_of frequent = {.codes = copy.codes, .choice = r->choice, .columns = copy.f.columns};
    const char *wrong = check_division(engine, pool, source, &copy);
    source->frequent = &copy.f;
    (halves ? engine->gather->halves : engine->gather->tiles)(pool, source, r->choice, with_columns, &b->memory,
                                                              &b->view);
    if (!wrong) wrong = (halves ? check_halves : check_tiles)(&frequent, &b->view, with_columns);
    if (!wrong) wrong = check_rare(r, &b->view, &copy.f);
    if (!wrong) wrong = check_spans(r, &b->view, &copy);
    if (!wrong && b->view.n_used > 0) { /* and the check looks at the lists */
        b->memory.used[0].count--;
        if (!check_rare(r, &b->view, &copy.f)) wrong = "the check";
        b->memory.used[0].count++;
    }
    if (b->view.columns != copy.f.columns) wrong = "the number of frequent columns";
    b->view.columns = r->columns;
    close_frequent(&copy);
    return wrong;
}

/* Rows that are divided on their way into tiles: numbers or codes. */
static const char *check_chosen(const cn__engine *engine, cn__pool *pool, const rows_of *r, cn__source *source,
                                batch *b)
{
    static int kind;
    kind = (kind + 1) % 3;
    frequent_copy copy = open_frequent(r->codes, SOURCE_ROWS, r->columns, FOURS + kind);
    const rows_of frequent = {.codes = copy.codes, .choice = r->choice, .columns = copy.f.columns};
    const cn__frequent chosen = {.columns = copy.f.columns, .n_rare = copy.f.n_rare, .index = copy.index,
                                 .rare = copy.rare, .is_frequent = copy.is_frequent};
    const char *wrong = NULL;
    source->frequent = &chosen;
    if (source->codes) engine->gather->tiles(pool, source, r->choice, 0, &b->memory, &b->view);
    else if (!engine->gather->encoded_tiles(pool, source, r->choice, &b->memory, &b->view)) wrong = "the verdict";
    if (!wrong) wrong = check_tiles(&frequent, &b->view, 0);
    if (!wrong) wrong = check_spans(r, &b->view, &copy);
    if (!wrong) { /* and the check looks at the spans */
        b->memory.spans[0].count++;
        if (!check_spans(r, &b->view, &copy)) wrong = "the check";
    }
    if (b->view.n_rare != copy.f.n_rare || b->view.rare != copy.rare || b->view.index != copy.index)
        wrong = "an index of columns";
    if (b->view.columns != copy.f.columns) wrong = "the number of chosen columns";
    b->view.columns = r->columns;
    close_frequent(&copy);
    return wrong;
}

static const char *check_tiles_noticed(const rows_of *r, batch *b, int with_columns)
{
    const char *wrong = NULL;
    b->memory.sample_tiles[0] ^= 1;
    if (!check_tiles(r, &b->view, with_columns)) wrong = "the check";
    b->memory.sample_tiles[0] ^= 1;
    b->memory.inked[0] ^= 1;
    if (!check_tiles(r, &b->view, with_columns)) wrong = "the check";
    return wrong;
}

static const char *check_halves_noticed(const rows_of *r, batch *b, int with_columns)
{
    const char *wrong = NULL;
    uint16_t *const lines[] = {b->memory.sample_lines, b->memory.column_lines};
    uint8_t *const tiles[] = {b->memory.sample_tiles, b->memory.column_tiles};
    for (int i = 0; i < 1 + with_columns; i++) {
        lines[i][0] ^= 1;
        if (!check_halves(r, &b->view, with_columns)) wrong = "the check";
        lines[i][0] ^= 1;
        tiles[i][1] ^= 1;
        if (!check_halves(r, &b->view, with_columns)) wrong = "the check";
        tiles[i][1] ^= 1;
    }
    return wrong;
}

static const char *check_sparse_noticed(const rows_of *r, batch *b)
{
    const char *wrong = NULL;
    b->memory.is_heavy[0] ^= 1;
    if (!check_sparse(r, &b->view)) wrong = "the check";
    b->memory.is_heavy[0] ^= 1;
    if (b->view.n_used == 0) return wrong;
    b->memory.used[0].count--;
    if (!check_sparse(r, &b->view)) wrong = "the check";
    b->memory.used[0].count++;
    b->memory.entries[b->memory.used[0].first].codes[0] ^= 1;
    if (!check_sparse(r, &b->view)) wrong = "the check";
    return wrong;
}

static const char *check(const cn__engine *engine, cn__pool *pool, const rows_of *r, reading_kind reading,
                         int with_columns, int at_end)
{
    sparse_copy sparse = open_sparse(r->codes, SOURCE_ROWS, r->columns, cn__pool_threads(pool));
    cn__source source = {.data = r->codes, .stored = CN__STORED_U8, .rows = SOURCE_ROWS, .columns = r->columns,
                         .scale = 0.5, .codes = r->codes, .code_scale = 0.5, .sparse = &sparse.rows};
    const char *wrong = NULL;
    batch b;
    if (reading == HALVES || reading == FREQUENT_HALVES) open_halves(&b, r->choice->n, r->columns, at_end);
    else open_batch(&b, r->choice->n, r->columns, at_end);
    guarded numbers = guard(SOURCE_ROWS * r->columns, 1);
    for (int64_t i = 0; i < SOURCE_ROWS * r->columns; i++) numbers.numbers[i] = r->codes[i] * 0.5f;
    if (reading == ENCODED_TILES || (reading == CHOSEN && with_columns)) {
        source.data = numbers.numbers;
        source.codes = NULL;
        source.stored = CN__STORED_F32;
        source.scale = 1;
    }
    if (reading == ENCODED_TILES) {
        if (!engine->gather->encoded_tiles(pool, &source, r->choice, &b.memory, &b.view)) wrong = "the verdict";
        else wrong = check_tiles(r, &b.view, 0);
    } else if (reading == FREQUENT || reading == FREQUENT_HALVES) {
        wrong = check_frequent(engine, pool, r, &source, with_columns, reading == FREQUENT_HALVES, &b);
    } else if (reading == CHOSEN) {
        wrong = check_chosen(engine, pool, r, &source, &b);
    } else if (reading == SPARSE) {
        engine->gather->sparse(pool, &source, r->choice, &b.memory, &b.view);
        wrong = check_sparse(r, &b.view);
    } else if (reading == HALVES) {
        engine->gather->halves(pool, &source, r->choice, with_columns, &b.memory, &b.view);
        wrong = check_halves(r, &b.view, with_columns);
    } else if (reading == TILES) {
        engine->gather->tiles(pool, &source, r->choice, with_columns, &b.memory, &b.view);
        wrong = check_tiles(r, &b.view, with_columns);
    } else {
        engine->gather->lists(pool, &source, r->choice, with_columns, &b.memory, &b.view);
        wrong = check_lists(r, &b.view, with_columns);
    }
    if (b.view.rows != r->choice->n || b.view.columns != r->columns || b.view.scale != 0.5) wrong = "the head";
    /* and the check looks at all of it */
    if (!wrong && (reading == TILES || reading == ENCODED_TILES))
        wrong = check_tiles_noticed(r, &b, with_columns && reading == TILES);
    if (!wrong && reading == HALVES) wrong = check_halves_noticed(r, &b, with_columns);
    if (!wrong && reading == SPARSE) wrong = check_sparse_noticed(r, &b);
    if (!close_batch(&b) || !untouched_around(&numbers)) wrong = "a sentinel";
    unguard(&numbers);
    close_sparse(&sparse);
    return wrong;
}

static void every_size(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{1, 1}, {2, 15}, {3, 16}, {15, 17}, {17, 63}, {63, 64}, {64, 65}, {65, 128},
                                       {128, 193}, {129, 784}, {127, 1100}};
    static const double densities[] = {0.3, 0.01, 1};
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines), turn = 0;
    cn__pool *pools[] = {cn__pool_create(1), cn__pool_create(3)};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t n = sizes[i][0], columns = sizes[i][1];
        guarded memory = guard((SOURCE_ROWS * columns + 3) / 4, 1);
        size_t gap = memory.bytes - (size_t)(SOURCE_ROWS * columns);
        uint8_t *codes = (uint8_t *)memory.numbers + gap; /* up to the page */
        cn__random random;
        cn__random_begin(&random, 3, CN__FOR_USER, (uint32_t)i);
        for (int64_t k = 0; k < SOURCE_ROWS * columns; k++)
            codes[k] = cn__random_uniform(&random) < densities[i % 3] ? (uint8_t)cn__random_below(&random, 256) : 0;
        uint32_t picks[SOURCE_ROWS];
        for (int64_t k = 0; k < SOURCE_ROWS; k++) picks[k] = (uint32_t)(SOURCE_ROWS - 1 - k);
        const cn__choice choices[] = {{.first = SOURCE_ROWS - n, .n = n}, {.picks = picks, .n = n}};
        for (int e = 0; e < n_engines; e++) {
            for (reading_kind reading = LISTS; reading <= SPARSE; reading++) {
                int tiles = reading == TILES || reading == ENCODED_TILES || reading == FREQUENT || reading == CHOSEN;
                if (tiles && !engines[e]->gather->tiles) continue;
                int halves = reading == HALVES || reading == FREQUENT_HALVES;
                if (columns < (reading == FREQUENT || reading == FREQUENT_HALVES ? 2 : reading == CHOSEN ? 4 : 0))
                    continue;
                if (halves && (!engines[e]->gather->halves || !cn__cpu_avx512_bf16())) continue;
                for (int k = 0; k < 4; k++, turn++) {
                    const rows_of r = {.codes = codes, .choice = &choices[k % 2], .columns = columns};
                    const char *wrong = check(engines[e], pools[turn % 2], &r, reading, k != 2, turn / 2 % 2);
                    if (wrong)
                        print_message("%s, %s, %lld rows of %lld: %s is wrong\n", cn__isa_name(engines[e]->isa),
                                      reading_names[reading], (long long)n, (long long)columns, wrong);
                    assert_null(wrong);
                }
            }
        }
        unguard(&memory);
    }
    cn__pool_destroy(&pools[0]);
    cn__pool_destroy(&pools[1]);
}

/* --- which numbers are bytes --- */

enum { ROWS = 3, COLUMNS = 1500 };

/* The same verdict and, if there are codes, all that are not zero, row by row. Room for one too few must be noticed. */
static void check_listing(const cn__gather_math *gather, cn__pool *pool, const cn__source *source, double scale,
                          int found, const uint8_t *codes)
{
    static cn__ink entries[ROWS * COLUMNS];
    static int32_t counts[ROWS];
    static uint8_t is_heavy[ROWS];
    cn__sparse_listing lists = {.tasks = 2, .entries = entries, .counts = counts, .is_heavy = is_heavy};
    gather->count_nonzeros(pool, source, &lists);
    const int64_t in_first = lists.end[0], in_all = in_first + lists.end[1];
    lists.begin[1] = in_first;
    lists.begin[2] = in_all;
    cn__sparse_outcome outcome = gather->list_nonzeros(pool, source, scale, &lists);
    assert_int_equal(outcome, found ? CN__SPARSE_LISTED : CN__SPARSE_NO_CODE);
    if (!found) return;
    int64_t n = 0;
    for (int64_t row = 0; row < ROWS; row++) {
        int64_t sum = 0, before = n;
        for (int64_t c = 0; c < COLUMNS; c++) {
            if (!codes[row * COLUMNS + c]) continue;
            assert_int_equal(entries[n].index, c);
            assert_int_equal(entries[n++].codes[0], codes[row * COLUMNS + c]);
            sum += codes[row * COLUMNS + c];
        }
        assert_int_equal(counts[row], n - before);
        assert_int_equal(is_heavy[row], sum > CN__LIGHT_SUM);
    }
    assert_int_equal(n, in_all);
    lists.begin[2]--;
    if (n) assert_int_equal(gather->list_nonzeros(pool, source, scale, &lists), CN__SPARSE_NO_ROOM);
}

/* Tiles straight from the numbers come to the same verdict; on scales that people do not use they may refuse more. */
static void check_encoded_tiles(const cn__gather_math *gather, cn__pool *pool, cn__source source, double scale,
                                int found)
{
    enum { STEPS = (COLUMNS + 63) / 64 };
    static _Alignas(64) uint8_t tiles[4 * STEPS * CN__TILE_BYTES], filled[4 * STEPS];
    static uint64_t inked[STEPS];
    static uint32_t peaks[1];
    const cn__batch_memory memory = {.rows = ROWS, .columns = COLUMNS, .sample_tiles = tiles, .sample_filled = filled,
                                     .inked = inked, .last_peaks = peaks};
    cn__batch view;
    source.code_scale = scale;
    int tiled = gather->encoded_tiles(pool, &source, &(cn__choice){.n = ROWS}, &memory, &view);
    if (found && (scale == 1 || scale == 1.0 / 255)) assert_true(tiled);
    if (!found) assert_false(tiled);
}

/* 1 if every engine finds the codes of `numbers`, 0 if every engine refuses them. */
static int encodes(const void *numbers, cn__stored stored, double source_scale, double scale, const uint8_t *codes)
{
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines), found[CN__ISA_COUNT] = {0};
    static uint8_t got[ROWS * COLUMNS];
    cn__pool *pool = cn__pool_create(2);
    const cn__source source = {.data = numbers, .stored = stored, .rows = ROWS, .columns = COLUMNS,
                               .scale = source_scale};
    for (int e = 0; e < n_engines; e++) {
        memset(got, 77, sizeof got);
        found[e] = engines[e]->gather->encode(e % 2 ? pool : NULL, &source, scale, got);
        assert_int_equal(found[e], found[0]);
        if (found[e]) assert_memory_equal(got, codes, sizeof got);
        check_listing(engines[e]->gather, e % 2 ? pool : NULL, &source, scale, found[e], codes);
        if (engines[e]->gather->encoded_tiles && stored == CN__STORED_F32 && source_scale == 1)
            check_encoded_tiles(engines[e]->gather, pool, source, scale, found[e]);
    }
    cn__pool_destroy(&pool);
    return found[0];
}

static uint8_t codes[ROWS * COLUMNS];
static float floats[ROWS * COLUMNS];

static void fill(double scale)
{
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        codes[i] = (uint8_t)(i * 31 % 256);
        floats[i] = (float)(codes[i] * scale);
    }
}

static void bytes_are_found(void **state)
{
    (void)state;
    static const double scales[] = {1.0 / 255, 1, 0.1, 1.0 / 3, 1e-30, 1e30, 0.007};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        fill(scales[i]);
        assert_int_equal(encodes(floats, CN__STORED_F32, 1, scales[i], codes), 1);
    }
    fill(1);
    floats[5] = -0.0f;
    codes[5] = 0;
    assert_int_equal(encodes(floats, CN__STORED_F32, 1, 1, codes), 1);
    /* divided in float32, as Keras users do */
    fill(1);
    for (int i = 0; i < ROWS * COLUMNS; i++) floats[i] /= 255.0f;
    assert_int_equal(encodes(floats, CN__STORED_F32, 1, 1.0 / 255, codes), 1);
}

static void other_types_of_numbers(void **state)
{
    (void)state;
    static int32_t small[ROWS * COLUMNS];
    static int64_t whole[ROWS * COLUMNS];
    static double wide[ROWS * COLUMNS];
    fill(1.0 / 255);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        small[i] = codes[i];
        whole[i] = codes[i];
        wide[i] = codes[i] / 255.0;
    }
    assert_int_equal(encodes(small, CN__STORED_I32, 1.0 / 255, 1.0 / 255, codes), 1);
    assert_int_equal(encodes(whole, CN__STORED_I64, 1, 1, codes), 1);
    assert_int_equal(encodes(wide, CN__STORED_F64, 1, 1.0 / 255, codes), 1);
    assert_int_equal(encodes(floats, CN__STORED_F32, 2, 2.0 / 255, codes), 1);
    small[ROWS * COLUMNS - 1] = 256;
    assert_int_equal(encodes(small, CN__STORED_I32, 1.0 / 255, 1.0 / 255, codes), 0);
    whole[7] = -1;
    assert_int_equal(encodes(whole, CN__STORED_I64, 1, 1, codes), 0);
    wide[COLUMNS] = 0.5 / 255;
    assert_int_equal(encodes(wide, CN__STORED_F64, 1, 1.0 / 255, codes), 0);
}

static void one_number_that_is_no_byte(void **state)
{
    (void)state;
    static const float strangers[] = {NAN, INFINITY, -INFINITY, -1, 256, 0.5f, 254.99998f, FLT_MIN, FLT_MAX, 1e-45f};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        static const int places[] = {0, 1023, 1024, COLUMNS, ROWS * COLUMNS - 1};
        for (int k = 0; k < 5; k++) {
            fill(1);
            floats[places[k]] = strangers[i];
            assert_int_equal(encodes(floats, CN__STORED_F32, 1, 1, codes), 0);
        }
    }
    fill(1);
    assert_int_equal(encodes(floats, CN__STORED_F32, 1, 1.5, codes), 0);
    assert_int_equal(encodes(floats, CN__STORED_F32, 1, 0, codes), 0);
    assert_int_equal(encodes(floats, CN__STORED_F32, 1, NAN, codes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
        cmocka_unit_test(bytes_are_found),
        cmocka_unit_test(other_types_of_numbers),
        cmocka_unit_test(one_number_that_is_no_byte),
    };
    return cmocka_run_group_tests_name("gather_bytes", tests, NULL, NULL);
}
