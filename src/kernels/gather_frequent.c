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

static uint64_t eight_codes(const uint8_t *codes, int64_t left)
{
    uint64_t word = 0;
    memcpy(&word, codes, (size_t)(left < 8 ? left : 8));
    return word;
}

/* Returns how many entries, or -1 for lack of room. */
static int64_t divide_row(const cn__division *to, const uint8_t *codes, int64_t columns, uint8_t *frequent,
                          cn__ink *entries, int64_t room)
{
    int64_t n = 0;
    for (int64_t w = 0; w < to->words; w++) {
        const uint64_t mask = to->is_frequent[w], word = eight_codes(codes + w * 8, columns - w * 8);
        const uint64_t kept = _pext_u64(word, mask);
        memcpy(frequent, &kept, sizeof kept);
        frequent += _mm_popcnt_u64(mask) / 8;
        for (uint64_t rare = word & ~mask; rare;) {
            const int byte = __builtin_ctzll(rare) / 8;
            if (n == room) return -1;
            entries[n++] = (cn__ink){(uint16_t)(w * 8 + byte), {(uint8_t)(word >> 8 * byte), 0}};
            rare &= ~(UINT64_C(0xff) << 8 * byte);
        }
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
