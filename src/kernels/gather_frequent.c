#include "kernels/gather_tiles.h"

#if CN__GATHER_TILES
#include <immintrin.h>
#include <stdatomic.h>
#include <string.h>

/* --- the data set, once ------------------------------------------------------------------------------------------- */

typedef struct dividing {
    const cn__source *source;
    const cn__division *to;
    atomic_int failed;
} dividing;

/* The non-zeros among eight rare codes become entries; returns how many there are then, or -1 for lack of room. */
static int64_t add_entries(uint64_t rare, int64_t column, cn__ink *entries, int64_t n, int64_t room)
{
    while (rare) {
        const int byte = __builtin_ctzll(rare) / 8;
        if (n == room) return -1;
        entries[n++] = (cn__ink){(uint16_t)(column + byte), {(uint8_t)(rare >> 8 * byte), 0}};
        rare &= ~(UINT64_C(0xff) << 8 * byte);
    }
    return n;
}

/* Eight codes at a time, the frequent ones of which are moved together; returns the rare ones. */
static inline uint64_t divide_word(uint64_t word, uint64_t mask, uint8_t **frequent)
{
    const uint64_t kept = _pext_u64(word, mask);
    memcpy(*frequent, &kept, sizeof kept);
    *frequent += _mm_popcnt_u64(mask) / 8;
    return word & ~mask;
}

/* So many words are looked at once: mostly none of them has a rare non-zero. */
#define WORDS_AT_ONCE 8

/* Returns how many entries, or -1 for lack of room. */
static int64_t divide_row(const cn__division *to, const uint8_t *codes, int64_t columns, uint8_t *frequent,
                          cn__ink *entries, int64_t room)
{
    const uint64_t *masks = to->is_frequent;
    const int64_t whole = columns / 8;
    uint64_t rare[WORDS_AT_ONCE], word;
    int64_t n = 0, w = 0;
    for (; w + WORDS_AT_ONCE <= whole; w += WORDS_AT_ONCE) {
        uint64_t any = 0;
        for (int i = 0; i < WORDS_AT_ONCE; i++) {
            memcpy(&word, codes + (w + i) * 8, sizeof word);
            any |= rare[i] = divide_word(word, masks[w + i], &frequent);
        }
        for (int i = 0; any && n >= 0 && i < WORDS_AT_ONCE; i++)
            n = add_entries(rare[i], (w + i) * 8, entries, n, room);
        if (n < 0) return -1;
    }
    for (; w < to->words && n >= 0; w++) {
        const int64_t left = columns - w * 8;
        word = 0;
        memcpy(&word, codes + w * 8, (size_t)(left < 8 ? left : 8));
        n = add_entries(divide_word(word, masks[w], &frequent), w * 8, entries, n, room);
    }
    return n;
}

static void divide_rows(void *context, int thread, int64_t begin, int64_t end)
{
    dividing *d = context;
    const cn__division *to = d->to;
    const int64_t rows = d->source->rows, columns = d->source->columns;
    uint8_t frequent[CN__BATCH_MOST_COLUMNS + 8];
    (void)thread;
    for (int64_t task = begin; task < end && !atomic_load_explicit(&d->failed, memory_order_relaxed); task++) {
        int64_t next = task * to->room, last = next + to->room;
        for (int64_t row = rows * task / to->tasks; row < rows * (task + 1) / to->tasks; row++) {
            int64_t n = divide_row(to, d->source->codes + row * columns, columns, frequent, to->entries + next,
                                   last - next);
            if (n < 0) {
                atomic_store_explicit(&d->failed, 1, memory_order_relaxed);
                return;
            }
            memcpy(to->codes + row * to->columns, frequent, (size_t)to->columns);
            to->first[row] = (uint32_t)next;
            to->count[row] = (uint16_t)n;
            next += n;
        }
    }
}

int cn__gather_divide(cn__pool *pool, const cn__source *source, const cn__division *division)
{
    dividing d = {.source = source, .to = division};
    if (pool) cn__parallel(pool, division->tasks, divide_rows, &d);
    else divide_rows(&d, 0, 0, division->tasks);
    return !atomic_load(&d.failed);
}

/* --- a batch ------------------------------------------------------------------------------------------------------ */

/* Sorts the rare entries of a batch by column: counts them, gives each column its place, puts them there. */
void cn__gather_rare(const cn__frequent *from, const cn__choice *choice, const cn__batch_memory *memory,
                     cn__batch *batch)
{
    uint32_t *places = memory->places, place = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < from->n_rare; i++) places[from->rare[i]] = 0;
    for (int64_t b = 0; b < choice->n; b++) {
        const int64_t row = cn__choice_row(choice, b);
        const cn__ink *entry = from->entries + from->first[row];
        memory->spans[b] = (cn__span){from->first[row], from->count[row]};
        for (const cn__ink *end = entry + from->count[row]; entry < end; entry++) places[entry->index]++;
    }
    for (int64_t i = 0; i < from->n_rare; i++) {
        const uint16_t column = from->rare[i], partner = column ^ 1;
        const uint32_t count = places[column];
        const int has_partner = i > 0 && from->rare[i - 1] == partner ? n > 0 && memory->used[n - 1].index == partner
                              : i + 1 < from->n_rare && from->rare[i + 1] == partner && places[partner] > 0;
        if (!count && !has_partner) continue;
        memory->used[n++] = (cn__column){column, (int32_t)count, place};
        places[column] = place;
        place += count;
    }
    for (int64_t b = 0; b < choice->n; b++) {
        const int64_t row = cn__choice_row(choice, b);
        const cn__ink *entry = from->entries + from->first[row];
        for (const cn__ink *end = entry + from->count[row]; entry < end; entry++)
            memory->entries[places[entry->index]++] = (cn__ink){(uint16_t)b, {entry->codes[0], 0}};
    }
    batch->spans = memory->spans;
    batch->in_spans = from->entries;
    batch->used = memory->used;
    batch->n_used = n;
    batch->n_entries = place;
    batch->entries = memory->entries;
    batch->rare = from->rare;
    batch->n_rare = from->n_rare;
}

#else
typedef int no_frequent_columns_in_this_engine;
#endif
