#include "base/error.h"
#include "base/memory.h"
#include "model/inspect_parts.h"

#include <string.h>

/* Less than this part of the test rows is taken for chance: many data sets have a few twins. */
#define REPORT_FROM 0.01

/* A table of the different test rows. Equal ones are kept once and counted. */
typedef struct entry {
    uint64_t hash;
    int64_t row;   /* -1: free */
    int64_t count; /* how many test rows are equal to this one */
    int64_t twin;  /* the first training row equal to it, -1: none */
} entry;

typedef struct table {
    entry *entries;
    uint64_t mask; /* a power of two less 1 */
    const unsigned char *bytes;
    size_t row_bytes;
} table;

static inline uint64_t mix(uint64_t h, const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    h = (h ^ word) * 0x9e3779b97f4a7c15u; /* 2^64 divided by the golden ratio, odd */
    return h ^ h >> 29;
}

/* Four chains, so that a multiplication need not wait for the one before; written out, because compilers would make
 * (slow) vectors of an array. memcmp has the last word, so the hash only has to spread. */
static uint64_t hash_row(const unsigned char *bytes, size_t size)
{
    uint64_t a = size, b = 1, c = 2, d = 3;
    for (; size >= 32; bytes += 32, size -= 32) {
        a = mix(a, bytes);
        b = mix(b, bytes + 8);
        c = mix(c, bytes + 16);
        d = mix(d, bytes + 24);
    }
    unsigned char rest[32] = {0};
    memcpy(rest, bytes, size);
    a = mix(a, rest) ^ mix(b, rest + 8) << 1;
    c = mix(c, rest + 16) ^ mix(d, rest + 24) << 1;
    return (a ^ c >> 32) * 0x9e3779b97f4a7c15u ^ c;
}

/* The entry of an equal row, or the free one where it belongs. */
static entry *find(const table *t, uint64_t hash, const unsigned char *row)
{
    for (uint64_t i = hash & t->mask;; i = (i + 1) & t->mask) {
        entry *e = &t->entries[i];
        if (e->row < 0) return e;
        if (e->hash == hash && memcmp(t->bytes + (size_t)e->row * t->row_bytes, row, t->row_bytes) == 0) return e;
    }
}

static int fill_table(table *t, const cn__rows *test)
{
    uint64_t size = 16;
    while (size < 2 * (uint64_t)test->n) size *= 2;
    t->entries = cn__alloc_raw(size, sizeof(entry), "the hashes of the test rows");
    if (!t->entries) return CN_ENOMEM;
    t->mask = size - 1;
    t->bytes = test->data;
    for (uint64_t i = 0; i < size; i++) t->entries[i].row = -1;
    for (int64_t row = 0; row < test->n; row++) {
        const unsigned char *bytes = t->bytes + (size_t)row * t->row_bytes;
        uint64_t hash = hash_row(bytes, t->row_bytes);
        entry *e = find(t, hash, bytes);
        if (e->row < 0) *e = (entry){hash, row, 0, -1};
        e->count++;
    }
    return CN_OK;
}

/* Returns how many test rows have a twin; *example is one of the entries. */
static int64_t count_twins(const table *t, const cn__rows *train, entry *example)
{
    int64_t found = 0;
    for (int64_t row = 0; row < train->n; row++) {
        const unsigned char *bytes = (const unsigned char *)train->data + (size_t)row * t->row_bytes;
        entry *e = find(t, hash_row(bytes, t->row_bytes), bytes);
        if (e->row < 0 || e->twin >= 0) continue;
        e->twin = row;
        if (found == 0) *example = *e;
        found += e->count;
    }
    return found;
}

int cn__inspect_test_in_train(const cn__rows *train, const cn__rows *test, cn__findings *findings)
{
    if (train->dtype != test->dtype || train->scale != test->scale || train->features != test->features) return CN_OK;
    table t = {.row_bytes = (size_t)train->features * cn_dtype_size(train->dtype)};
    CN_TRY(fill_table(&t, test));
    entry example = {0};
    int64_t found = count_twins(&t, train, &example);
    cn__free(t.entries);
    double part = (double)found / (double)test->n;
    if (part > REPORT_FROM)
        cn__findings_add(findings, CN_FINDING_TEST_IN_TRAIN, "%lld of the %lld test inputs (%.1f %%) also stand among "
                         "the inputs to train on (test row %lld is training row %lld), so the test would flatter the "
                         "network; keep them apart", (long long)found, (long long)test->n, 100 * part,
                         (long long)example.row, (long long)example.twin);
    return CN_OK;
}
