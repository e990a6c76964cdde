/* Exact sums over bytes: the products of Dense in every engine, over lists of non-zeros and over tiles, against a naive
 * one in whole numbers (exact_problem.h). Equal bits at odd sizes, for any number of threads, with the kernel in rows
 * and in panels, between guard pages. First of all, wrong kernels must each be noticed. */
#define _GNU_SOURCE
#include "base/pool.h"
#include "exact_problem.h"
#include "frequent_rows.h"
#include "kernels/bf16.h"
#include "sparse_rows.h"
#include "guarded.h"
#include "model/model.h"

#include <stdio.h>

/* Moving is what waiting is, too, with RMSprop's update, which some kernels have themselves. */
typedef enum sink_kind { GRADIENT, UPDATE, WAITING, MOVING } sink_kind;

/* How a case is computed; none of it may change a bit. */
typedef enum reading { LISTS, TILES, FREQUENT, SPARSE, SPARSE_ROWS } reading_kind;
static const char *const reading_names[] = {"lists", "tiles", "tiles of frequent columns", "sparse lists",
                                            "sparse lists row by row"};

typedef struct way {
    const cn__engine *engine;
    reading_kind reading;
    int threads, panels, at_end, of_used, digits_first; /* of_used: scales are those of the rows in use */
    int rounds; /* y, as hidden layers of mixed_bfloat16 do */
    sink_kind sink;
} way;

static cn__pool *pools[4];
static const int thread_counts[] = {1, 2, 3, 8};

/* --- memory --- */

enum {
    BY_SAMPLES, SAMPLE_ENDS, BY_COLUMNS, COUNT, SAMPLE_TILES, FILLED, COLUMN_TILES, INKED, IN_ORDER, PEAKS, ENTRIES,
    USED, PLACES, HEAVY, SPANS, SUMS, N_BATCH_PIECES
};

typedef struct batch_pieces {
    guarded memory[N_BATCH_PIECES];
    sparse_copy lists;
    frequent_copy frequent;
    cn__choice all;
    cn__batch batch;
} batch_pieces;

static void open_batch(const problem *p, const way *w, batch_pieces *b)
{
    int64_t rows = p->c->rows, columns = p->c->inputs, sample_tiles = cn__tile_lines(rows) * cn__tile_steps(columns);
    int64_t by_samples = rows * cn__list_stride((columns + 1) / 2);
    int64_t by_columns = columns * cn__list_stride((rows + 1) / 2);
    const int64_t words[N_BATCH_PIECES] = { /* of four bytes */
        by_samples, 2 * rows, by_columns, columns,
        sample_tiles * CN__TILE_BYTES / 4, sample_tiles / 4,
        cn__tile_lines(columns) * cn__tile_steps(rows) * CN__TILE_BYTES / 4,
        cn__tile_steps(rows) * cn__tile_steps(columns) * 2, (columns + 1) / 2, (p->c->outputs + 15) / 16 + 1,
        rows * columns, columns * (int64_t)sizeof(cn__column) / 4, columns, (rows + 3) / 4,
        2 * rows, w->reading == SPARSE_ROWS ? columns * cn__sparse_lanes(p->c->outputs) * 2 : 2};
    void *at[N_BATCH_PIECES];
    for (int i = 0; i < N_BATCH_PIECES; i++) {
        b->memory[i] = guard(words[i], w->at_end);
        at[i] = b->memory[i].numbers;
    }
    cn__batch_memory memory = {.rows = rows, .columns = columns, .by_samples = at[BY_SAMPLES],
                               .sample_ends = at[SAMPLE_ENDS],
                               .by_columns = at[BY_COLUMNS], .column_count = at[COUNT],
                               .sample_tiles = at[SAMPLE_TILES], .sample_filled = at[FILLED],
                               .column_tiles = at[COLUMN_TILES], .inked = at[INKED], .in_order = at[IN_ORDER],
                               .last_peaks = at[PEAKS], .entries = at[ENTRIES], .used = at[USED], .places = at[PLACES],
                               .is_heavy = at[HEAVY], .spans = at[SPANS]};
    cn__source source = {.data = p->codes, .stored = CN__STORED_U8, .rows = rows, .columns = columns,
                         .scale = p->scale, .codes = p->codes, .code_scale = p->scale,
                         .mostly_blank = w->of_used};
    const cn__gather_math *gather = w->engine->gather;
    b->all = (cn__choice){.n = rows};
    b->lists = open_sparse(p->codes, rows, columns, w->threads + 1);
    source.sparse = &b->lists.rows;
    for (int64_t c = 0; c < columns; c++) ((uint16_t *)at[IN_ORDER])[c] = (uint16_t)c;
    b->frequent = open_frequent(p->codes, rows, columns, w->threads % 3);
    if (w->reading == FREQUENT) source.frequent = &b->frequent.f;
    memset(b->memory[SUMS].numbers, 0, b->memory[SUMS].bytes);
    if (w->reading == SPARSE_ROWS) memory.sums = at[SUMS];
    if (w->reading >= SPARSE) gather->sparse(pools[w->threads], &source, &b->all, &memory, &b->batch);
    else (w->reading == LISTS ? gather->lists : gather->tiles)(pools[w->threads], &source, &b->all, 1, &memory,
                                                               &b->batch);
}

static int close_batch(batch_pieces *b)
{
    int untouched = 1;
    for (size_t i = 0; i < b->memory[SUMS].bytes / 4; i++) untouched &= b->memory[SUMS].numbers[i] == 0;
    close_sparse(&b->lists);
    close_frequent(&b->frequent);
    for (int i = 0; i < N_BATCH_PIECES; i++) {
        untouched &= untouched_around(&b->memory[i]);
        unguard(&b->memory[i]);
    }
    return untouched;
}

/* The kernel and what is laid out like it, in rows or in panels. */
typedef struct layout {
    int64_t inputs, outputs, stride, panel;
} layout;

static int64_t place(const layout *l, int64_t i, int64_t o)
{
    if (!l->panel) return i * l->stride + o;
    return o / CN__IDLE_COLUMNS * l->panel + i * CN__IDLE_COLUMNS + o % CN__IDLE_COLUMNS;
}

/* What lies between the columns of the matrix is NaN, which would be seen in every sum. */
static guarded lay_out(const layout *l, const float *numbers, int at_end)
{
    int64_t panels = (l->outputs + CN__IDLE_COLUMNS - 1) / CN__IDLE_COLUMNS;
    guarded g = guard(l->panel ? panels * l->panel : l->inputs * l->stride, at_end);
    for (int64_t k = 0; k < (int64_t)(g.bytes / sizeof(float)); k++) g.numbers[k] = NAN;
    for (int64_t i = 0; i < l->inputs; i++)
        for (int64_t o = 0; o < l->outputs; o++) g.numbers[place(l, i, o)] = numbers[i * l->outputs + o];
    return g;
}

static int same_number(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* 1 if the matrix is as expected, and nothing lies between its columns. */
static int lies_there(const layout *l, const guarded *g, const float *expected)
{
    int64_t seen = 0, numbers = 0;
    for (int64_t i = 0; i < l->inputs; i++)
        for (int64_t o = 0; o < l->outputs; o++) {
            if (!same_number(g->numbers[place(l, i, o)], expected[i * l->outputs + o])) return 0;
            numbers += !isnan(expected[i * l->outputs + o]);
        }
    for (int64_t k = 0; k < (int64_t)(g->bytes / sizeof(float)); k++) seen += !isnan(g->numbers[k]);
    return seen == numbers && untouched_around(g);
}

/* --- an update that everybody can repeat, and rows that wait for it --- */

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    float *w = weight, *slot = slots[0];
    const float *g = gradient;
    (void)step;
    for (int64_t i = 0; i < n; i++) {
        slot[i] = slot[i] * 0.5f + g[i];
        w[i] -= g[i] * 0.25f;
    }
}

static void idle(const cn__step *step, int64_t n, void *const slots[CN__MAX_SLOTS], int64_t steps)
{
    float *slot = slots[0];
    (void)step;
    for (int64_t i = 0; i < n; i++) slot[i] = ldexpf(slot[i], (int)-steps);
}

static const cn__step rmsprop_step = {.coefficients = {0.001, 0.9, 0.1, 0, 1e-7}, .is_plain_rmsprop = 1};
static const cn__step other_step = {.decay = 0};

static cn__update update_of(const way *w, const cn__engine *engine)
{
    return w->sink == MOVING ? *engine->updates[CN__OPTIMIZER_rmsprop] : update;
}

static cn__idle idle_of(const way *w, const cn__engine *engine)
{
    return w->sink == MOVING ? *engine->idles[CN__OPTIMIZER_rmsprop] : idle;
}

/* RMSprop's are averages of squares, some of which become so small that they count as 0. */
static float *slots_before(const problem *p, const way *w)
{
    int64_t n = p->c->inputs * p->c->outputs;
    float *slots = malloc((size_t)n * sizeof *slots);
    memcpy(slots, p->slot, (size_t)n * sizeof *slots);
    for (int64_t i = 0; w->sink == MOVING && i < n; i++) slots[i] = i % 7 ? fabsf(slots[i]) : 1.3e-30f;
    return slots;
}

enum { DONE = 5 };

static uint32_t settled_before(int64_t piece, int64_t row)
{
    return (uint32_t)((piece * 3 + row) % (DONE + 1));
}

static int has_gradient(const problem *p, int64_t row)
{
    int has = 0;
    for (int64_t o = 0; o < p->c->outputs; o++) has |= p->gradient[row * p->c->outputs + o] != 0;
    return has;
}

static int has_nan(const problem *p, int64_t piece, int64_t row)
{
    int has = 0;
    for (int64_t o = piece * CN__IDLE_COLUMNS; o < p->c->outputs && o < (piece + 1) * CN__IDLE_COLUMNS; o++)
        has |= isnan(p->gradient[row * p->c->outputs + o]) != 0;
    return has;
}

/* Rows wait two by two, see kernels/batch.h: nobody knows better from lists. From sparse lists one does, but keeps to
 * it where a gradient is NaN, so that the same rows become NaN. Those of rare columns are sparse, too, and only NaNs of
 * the same piece count. Whoever has sums by columns lets those wait that are 0; others too may come to 0 as float32, so
 * the account says which it were. */
static int waits(const problem *p, const way *w, int64_t piece, int64_t row, const uint32_t *counts)
{
    const int is_rare = w->reading == FREQUENT && !is_frequent(row, p->c->inputs, w->threads % 3);
    if (is_rare && !p->inked[row] && !has_nan(p, piece, row)) return 1;
    if (w->reading >= SPARSE && !p->inked[row] && !p->gradient_has_nan) return 1;
    if (w->reading == SPARSE_ROWS && !p->gradient_has_nan && !has_gradient(p, row))
        return counts[row] == settled_before(0, row);
    return !p->inked[row] && !(row % 2 ? p->inked[row - 1] : row + 1 < p->c->inputs && p->inked[row + 1]);
}

/* The weight after the update, and the slot, which is given as it was before. */
static void update_naively(const problem *p, const way *w, const uint32_t *counts, float *weight, float *slot)
{
    const cn__engine *plain = cn__engine_find(32, CN__ISA_C);
    const cn__step *step = w->sink == MOVING ? &rmsprop_step : &other_step;
    int64_t outputs = p->c->outputs;
    memcpy(weight, p->kernel, (size_t)(p->c->inputs * outputs) * sizeof(float));
    for (int64_t i = 0; i < p->c->inputs * outputs; i++) {
        int64_t row = i / outputs, missed = DONE - settled_before(i % outputs / CN__IDLE_COLUMNS, row);
        void *slots[CN__MAX_SLOTS] = {&slot[i]};
        if (w->sink >= WAITING && waits(p, w, i % outputs / CN__IDLE_COLUMNS, row, counts)) continue;
        if (w->sink >= WAITING) idle_of(w, plain)(step, 1, slots, missed);
        update_of(w, plain)(step, 1, &weight[i], slots, &p->gradient[i]);
    }
}

/* The exponents of the largest of each sixteen weights of rare rows (cn__rare_exponents). */
static void find_exponents(const problem *p, const cn__batch *batch, const float *weight, uint8_t *exponents)
{
    for (int64_t o = 0; o < p->c->outputs; o++)
        for (int64_t i = 0; i < batch->n_rare; i++) {
            uint8_t *to = &exponents[o / 16 * batch->n_rare + i];
            uint32_t bits;
            memcpy(&bits, &weight[batch->rare[i] * p->c->outputs + o], sizeof bits);
            if (o % 16 == 0 || (uint8_t)(bits << 1 >> 24) > *to) *to = (uint8_t)(bits << 1 >> 24);
        }
}

static const char *check_backward(const problem *p, const way *w, cn__pass *pass, const layout *l)
{
    const one_case *c = p->c;
    int64_t pieces = (c->outputs + CN__IDLE_COLUMNS - 1) / CN__IDLE_COLUMNS, numbers = c->inputs * c->outputs;
    const char *wrong = NULL;
    float *weight = malloc((size_t)numbers * sizeof(float)), *slot = slots_before(p, w);
    guarded kernel = lay_out(l, p->kernel, w->at_end), slots = lay_out(l, slot, w->at_end);
    guarded gradient = lay_out(l, p->slot, w->at_end), settled = guard(pieces * c->inputs, w->at_end);
    guarded dy = guard(c->rows * c->outputs, w->at_end);
    uint32_t *counts = (uint32_t *)(void *)settled.numbers;
    memcpy(dy.numbers, p->dy, dy.bytes);
    for (int64_t k = 0; k < pieces * c->inputs; k++) counts[k] = settled_before(k / c->inputs, k % c->inputs);
    const cn__batch *given = pass->bytes;
    const size_t n_exponents = (size_t)(cn__exponent_groups(c->outputs) * given->n_rare);
    guarded exponents = guard((int64_t)n_exponents / 4 + 1, w->at_end);
    uint8_t *expected = calloc(n_exponents + 1, 1);
    cn__rare_exponents kept = {.exponents = (uint8_t *)exponents.numbers, .are_known = 1};
    cn__batch batch = *given;
    if (w->reading == FREQUENT && w->sink == MOVING) batch.rare_exponents = &kept;
    memset(exponents.numbers, 0, exponents.bytes);
    find_exponents(p, given, p->kernel, kept.exponents);
    const cn__accounts accounts = {.idle = idle_of(w, w->engine), .settled = counts, .done = DONE, .rows = c->inputs};
    cn__sink sinks[2] = {{.gradient = gradient.numbers, .stride = l->stride}};
    if (w->sink != GRADIENT)
        sinks[0] = (cn__sink){.update = update_of(w, w->engine),
                              .step = w->sink == MOVING ? &rmsprop_step : &other_step,
                              .weight = kernel.numbers,
                              .slots = {slots.numbers},
                              .stride = l->stride,
                              .panel = l->panel,
                              .accounts = w->sink >= WAITING ? &accounts : NULL};
    pass->bytes = &batch;
    pass->weights = (void *const[]){kernel.numbers, NULL};
    pass->sinks = sinks;
    pass->dy = dy.numbers;
    w->engine->layers[CN__LAYER_dense]->backward(pass);
    pass->bytes = given;
    update_naively(p, w, counts, weight, slot);
    if (w->sink == GRADIENT && !lies_there(l, &gradient, p->gradient)) wrong = "the gradient";
    if (w->sink != GRADIENT && !lies_there(l, &kernel, weight)) wrong = "the updated kernel";
    if (w->sink != GRADIENT && !lies_there(l, &slots, slot)) wrong = "the slot";
    if (batch.rare_exponents) {
        find_exponents(p, given, weight, expected);
        if (memcmp(kept.exponents, expected, n_exponents) != 0) wrong = "an exponent of a rare row";
    }
    for (int64_t k = 0; w->sink >= WAITING && k < pieces * c->inputs; k++)
        if (counts[k] != (waits(p, w, k / c->inputs, k % c->inputs, counts)
                              ? settled_before(k / c->inputs, k % c->inputs) : DONE + 1))
            wrong = "the account of a row";
    if (!untouched_around(&exponents) || !untouched_around(&settled) || !untouched_around(&dy) ||
        memcmp(dy.numbers, p->dy, dy.bytes) != 0)
        wrong = "what stands beside";
    guarded *const all[] = {&kernel, &slots, &gradient, &settled, &dy, &exponents};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) unguard(all[i]);
    free(weight);
    free(slot);
    free(expected);
    return wrong;
}

static const char *check_forward(const problem *p, const way *w, cn__pass *pass, const layout *l)
{
    const char *wrong = NULL;
    const float *expected = w->of_used ? p->y_of_used : p->y;
    guarded kernel = lay_out(l, p->kernel, w->at_end), bias = guard(p->c->outputs, w->at_end);
    guarded y = guard(p->c->rows * p->c->outputs, w->at_end);
    memcpy(bias.numbers, p->bias, bias.bytes);
    pass->weights = (void *const[]){kernel.numbers, bias.numbers};
    pass->y = y.numbers;
    int64_t words = cn__digits_bytes(p->c->inputs, p->c->outputs) / 4, groups = (p->c->outputs + 31) / 32 * 2;
    guarded tiles = guard(words, w->at_end), peaks = guard(groups, w->at_end);
    const cn__batch *given = pass->bytes;
    cn__batch batch = *given;
    const cn__digits digits = {.terms = given->columns, .index = given->index, .rare = given->rare,
                               .n_rare = given->n_rare, .tiles = (uint8_t *)tiles.numbers,
                               .peaks = (uint32_t *)(void *)peaks.numbers};
    if (w->digits_first) {
        memset(digits.peaks, 0x3f, (size_t)groups * sizeof *digits.peaks);
        w->engine->gather->digits(pools[w->threads], kernel.numbers, l->inputs, l->outputs, l->stride, &digits);
        batch.digits = &digits;
        batch.soon = (const char *)p->kernel; /* anything */
        batch.soon_bytes = 4 * p->c->inputs * p->c->outputs;
        pass->bytes = &batch;
    }
    w->engine->layers[CN__LAYER_dense]->forward(pass);
    pass->bytes = given;
    for (int64_t i = 0; i < p->c->rows * p->c->outputs && !wrong; i++)
        if (!same_number(y.numbers[i], w->rounds ? cn__bf16_round(expected[i]) : expected[i])) wrong = "y";
    if (!untouched_around(&y)) wrong = "a sentinel beside y";
    if (!untouched_around(&tiles) || !untouched_around(&peaks)) wrong = "a sentinel beside the digits";
    guarded *const all[] = {&kernel, &bias, &y, &tiles, &peaks};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) unguard(all[i]);
    return wrong;
}

static cn_layer *make_layer(const one_case *c, int forward)
{
    cn_layer *layer = cn_dense(c->outputs, .use_bias = forward && c->has_bias,
                               .activation = forward && c->relu ? "relu" : "linear");
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, 1, &c->inputs), CN_OK);
    return layer;
}

/* NULL if everything is as it should be, otherwise what is wrong. */
static const char *check(const problem *p, const way *w)
{
    const one_case *c = p->c;
    cn_layer *above = make_layer(c, 1), *plain = make_layer(c, 0); /* relu's own derivative is tested elsewhere */
    const layout l = {.inputs = c->inputs, .outputs = c->outputs,
                      .stride = w->panels ? CN__IDLE_COLUMNS : above->weights[0].stride,
                      .panel = w->panels ? c->inputs * CN__IDLE_COLUMNS : 0};
    batch_pieces b;
    open_batch(p, w, &b);
    uint32_t garbage = 0x9e3779b9u;
    for (size_t i = 0; i < b.memory[PEAKS].bytes / 4; i++, garbage = garbage * 1664525u + 1013904223u)
        memcpy(&b.memory[PEAKS].numbers[i], &garbage, 4);
    cn__pass pass = {.layer = above, .pool = pools[w->threads], .batch = c->rows, .training = 1, .bytes = &b.batch,
                     .kernel_panel = l.panel, .is_last = !w->rounds,
                     .bf16 = c->is_short || w->rounds ? &(cn__bf16){.way = CN__BF16_ROUNDED} : NULL};
    const char *wrong = check_forward(p, w, &pass, &l);
    pass.layer = plain;
    if (!wrong) wrong = check_backward(p, w, &pass, &l);
    if (!close_batch(&b)) wrong = "a sentinel beside the batch";
    cn_layer_destroy(&above);
    cn_layer_destroy(&plain);
    return wrong;
}

static void complain(const one_case *c, const way *w, const char *wrong)
{
    print_message("%s, %s%s, %d threads, %s, sink %d: batch %lld, %lld -> %lld, density %g, numbers %d: %s is wrong\n",
                  cn__isa_name(w->engine->isa), c->is_short ? "short " : "", reading_names[w->reading],
                  thread_counts[w->threads],
                  w->panels ? "panels" : "rows", w->sink, (long long)c->rows, (long long)c->inputs,
                  (long long)c->outputs, c->density, c->kind, wrong);
}

/* All engines and ways of reading; the other choices take turns, so that a few cases see them all. */
static void check_ways(const one_case *c, reading_kind last)
{
    static int turn;
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    problem p;
    open_problem(&p, c);
    for (int e = 0; e < n_engines; e++) {
        for (reading_kind reading = LISTS; reading <= last; reading++) {
            int tiles = reading == TILES || reading == FREQUENT;
            if (tiles && !(engines[e]->gather->tiles && cn__cpu_amx_int8())) continue;
            if (reading == FREQUENT && c->inputs < 2) continue;
            if (reading == SPARSE_ROWS && c->outputs > CN__SPARSE_NARROW) continue;
            for (int sink = GRADIENT; sink <= MOVING; sink++, turn++) {
                const way w = {.engine = engines[e], .reading = reading, .threads = turn % 4, .at_end = turn / 4 % 2,
                               .panels = reading < SPARSE && sink != GRADIENT && turn % 5 < 3, .sink = (sink_kind)sink,
                               .of_used = reading >= SPARSE || (reading == LISTS && turn % 2),
                               .digits_first = tiles && sink == GRADIENT,
                               .rounds = (c->is_short || reading >= SPARSE) && turn / 2 % 2};
                const char *wrong = check(&p, &w);
                if (wrong) complain(c, &w, wrong);
                assert_null(wrong);
            }
        }
    }
    close_problem(&p);
}

/* Short numbers stand in lists by two only; mixed_bfloat16 reads very sparse lists as float32 does. */
static void check_everywhere(const one_case *c)
{
    one_case shorter = *c;
    shorter.is_short = 1;
    check_ways(c, SPARSE_ROWS);
    check_ways(&shorter, LISTS);
}

static void odd_sizes(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{1, 1, 1},    {2, 7, 15},   {3, 17, 16},   {15, 16, 17},  {16, 33, 31},
                                       {17, 64, 33}, {31, 65, 64}, {33, 100, 10}, {63, 127, 65}, {64, 128, 127},
                                       {65, 31, 129}, {100, 2, 255}, {129, 63, 48}, {127, 193, 144}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_everywhere(&(one_case){.rows = sizes[i][0], .inputs = sizes[i][1], .outputs = sizes[i][2],
                                     .density = i % 3 == 0 ? 1 : 0.3, .has_bias = i % 2 == 0, .relu = i % 3 != 1});
}

static void large_odd_sizes(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{129, 97, 513}, {128, 785, 129}, {257, 193, 40}};
    for (int i = 0; i < (engines_quick() ? 1 : 3); i++)
        check_everywhere(&(one_case){.rows = sizes[i][0], .inputs = sizes[i][1], .outputs = sizes[i][2], .density = 0.2,
                                     .has_bias = 1, .relu = 1});
}

static void any_density(void **state)
{
    (void)state;
    static const double densities[] = {0, 0.001, 0.02, 0.1, 0.6, 1};
    for (int i = 0; i < 6; i++) {
        check_everywhere(&(one_case){.rows = 70, .inputs = 150, .outputs = 40, .density = densities[i], .has_bias = 1});
        check_everywhere(&(one_case){.rows = 1, .inputs = 193, .outputs = 140, .density = densities[i], .relu = 1});
    }
}

static void any_numbers(void **state)
{
    (void)state;
    for (number_kind kind = PLAIN; kind <= STRANGE; kind++) {
        check_everywhere(&(one_case){.rows = 66, .inputs = 67, .outputs = 150, .density = 0.2, .kind = kind,
                                     .has_bias = 1, .relu = kind % 2});
        check_everywhere(&(one_case){.rows = 5, .inputs = 130, .outputs = 33, .density = 0.5, .kind = kind,
                                     .scale = 1});
    }
}

/* Words of a text: sums of one or two ones have a way of their own where lists are sparse. */
static void few_ones(void **state)
{
    (void)state;
    static const number_kind kinds[] = {PLAIN, MIXED, LARGEST, MOST_NEGATIVE, STRANGE};
    static const int64_t narrow[] = {16, 32, 8, 24, 32};
    for (int i = 0; i < 5; i++) {
        check_everywhere(&(one_case){.rows = 40, .inputs = 301, .outputs = 150, .density = 0.03, .kind = kinds[i],
                                     .full = 1, .has_bias = 1, .relu = 1, .scale = 1});
        check_everywhere(&(one_case){.rows = 90, .inputs = 130, .outputs = narrow[i], .density = 0.02, .kind = kinds[i],
                                     .full = 1});
    }
    check_everywhere(&(one_case){.rows = 20, .inputs = 100, .outputs = 512, .density = 0.04, .full = 1, .scale = 1});
}

/* The largest sums that there can be, of either sign. */
static void longest_sums(void **state)
{
    (void)state;
    for (number_kind kind = LARGEST; kind <= MOST_NEGATIVE; kind++) {
        check_everywhere(&(one_case){.rows = CN__BATCH_MOST_ROWS, .inputs = 3, .outputs = 17, .density = 1,
                                     .kind = kind, .full = 255});
        if (engines_quick()) continue;
        check_everywhere(&(one_case){.rows = 2, .inputs = CN__BATCH_MOST_COLUMNS, .outputs = 16, .density = 1,
                                     .kind = kind, .full = 255});
    }
    /* more inputs than lists of short numbers take in one piece, although there are parts enough for all threads */
    if (!engines_quick())
        check_everywhere(&(one_case){.rows = 3, .inputs = CN__BATCH_MOST_COLUMNS - 1, .outputs = 130,
                                     .density = 0.01});
    /* more inputs than the lists' table of whole numbers has room for */
    check_everywhere(&(one_case){.rows = 3, .inputs = 6145, .outputs = 20, .density = 0.05, .has_bias = 1});
}

/* --- wrong kernels, each of which the check must report --- */

static const problem *current;
static const cn__layer_math *right_math(void) { return cn__engine_find(32, CN__ISA_C)->layers[CN__LAYER_dense]; }
static void right_forward(const cn__pass *p) { right_math()->forward(p); }
static void right_backward(const cn__pass *p) { right_math()->backward(p); }
static int64_t numbers_of(const cn__pass *p) { return p->batch * p->layer->output_size; }
static void does_nothing(const cn__pass *p) { (void)p; }

static void is_off_by_one_bit(const cn__pass *p)
{
    float *y = p->y;
    right_forward(p);
    y[numbers_of(p) / 2] = nextafterf(y[numbers_of(p) / 2], INFINITY);
}

static void writes_one_too_many(const cn__pass *p)
{
    right_forward(p);
    memset((float *)p->y + numbers_of(p), 0, 1);
}

static void sums_in_float32(const cn__pass *p)
{
    int64_t inputs = current->c->inputs, outputs = current->c->outputs;
    for (int64_t i = 0; i < numbers_of(p); i++) {
        float sum = 0;
        for (int64_t k = 0; k < inputs; k++)
            sum = fmaf((float)(current->codes[i / outputs * inputs + k] * current->scale),
                       current->kernel[k * outputs + i % outputs], sum);
        ((float *)p->y)[i] = sum;
    }
}

static void takes_another_scale(const cn__pass *p)
{
    cn__batch batch = *p->bytes;
    cn__pass other = *p;
    batch.scale = batch.scale * 1.000001;
    other.bytes = &batch;
    right_forward(&other);
}

/* Which rows count for the scale of a group. */
static void looks_at_other_rows(const cn__pass *p)
{
    cn__batch batch = *p->bytes;
    cn__pass other = *p;
    batch.mostly_blank = !batch.mostly_blank;
    other.bytes = &batch;
    right_forward(&other);
}

static void forgets_a_row(const cn__pass *p)
{
    const cn__sink *sink = &p->sinks[0];
    int64_t moves = 0;
    while (!current->inked[moves]) moves++;
    float before[64], *row = (float *)sink->weight + moves * sink->stride;
    memcpy(before, row, (size_t)p->layer->output_size * sizeof(float));
    right_backward(p);
    memcpy(row, before, (size_t)p->layer->output_size * sizeof(float));
}

static void miscounts(const cn__pass *p)
{
    right_backward(p);
    if (p->sinks[0].accounts) p->sinks[0].accounts->settled[p->sinks[0].accounts->rows - 1]++;
}

static void updates_what_should_wait(const cn__pass *p)
{
    cn__sink sinks[2] = {p->sinks[0], p->sinks[1]};
    cn__pass other = *p;
    sinks[0].accounts = NULL;
    other.sinks = sinks;
    right_backward(&other);
}

static void the_check_finds_wrong_kernels(void **state)
{
    (void)state;
    static const struct {
        cn__layer_math math;
        int in_forward;
    } wrong[] = {
        {{does_nothing, right_backward}, 1},        {{is_off_by_one_bit, right_backward}, 1},
        {{sums_in_float32, right_backward}, 1},     {{takes_another_scale, right_backward}, 1},
        {{looks_at_other_rows, right_backward}, 1},   {{right_forward, does_nothing}, 0},
        {{right_forward, forgets_a_row}, 0},        {{right_forward, miscounts}, 0},
        {{right_forward, updates_what_should_wait}, 0},
    };
    const one_case c = {.rows = 1, .inputs = 40, .outputs = 33, .density = 0.4, .kind = MIXED};
    cn__engine copy = *cn__engine_find(32, CN__ISA_C);
    problem p;
    open_problem(&p, &c);
    current = &p;
    way w = {.engine = &copy, .sink = WAITING, .at_end = 1};
    assert_null(check(&p, &w));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        copy.layers[CN__LAYER_dense] = &wrong[i].math;
        const char *found = check(&p, &w);
        if (!found) print_message("wrong kernel %zu was not found\n", i);
        assert_non_null(found);
        assert_int_equal(strcmp(found, "y") == 0, wrong[i].in_forward);
    }
    const cn__layer_math late = {writes_one_too_many, right_backward};
    copy.layers[CN__LAYER_dense] = &late;
    w.at_end = 0;
    assert_string_equal(check(&p, &w), "a sentinel beside y");
    close_problem(&p);
}

static int start_teams(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) pools[i] = cn__pool_create(thread_counts[i]);
    return pools[0] && pools[1] && pools[2] && pools[3] ? 0 : -1;
}

static int end_teams(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) cn__pool_destroy(&pools[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_finds_wrong_kernels), cmocka_unit_test(odd_sizes),
        cmocka_unit_test(large_odd_sizes),               cmocka_unit_test(any_density),
        cmocka_unit_test(any_numbers),                   cmocka_unit_test(few_ones),
        cmocka_unit_test(longest_sums),
    };
    return cmocka_run_group_tests_name("bytes", tests, start_teams, end_teams);
}
