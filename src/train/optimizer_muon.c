#include "kernels/matmul.h"
#include "train/adam.h"
#include "train/whole_weight.h"

/* The first four are those of Adam, which moves the weights that Muon leaves alone. */
enum { ADAM_COEFFICIENTS = 4, RATE = ADAM_COEFFICIENTS, MOMENTUM, A, B, C, STEPS, SIZE };
enum { NESTEROV = 1 };

/* The gradient becomes the momentum, or what Nesterov looks ahead to. */
static void gather_momentum(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__moving *k = context;
    const real keep = (real)k->step->coefficients[MOMENTUM];
    const int ahead = k->step->switches & NESTEROV;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        real *restrict g = cn__whole_row(k, k->gradient, r), *restrict m = cn__whole_row(k, k->slots[0], r);
        for (int64_t i = 0; i < k->whole->columns; i++) {
            real mi = FMA(keep, m[i], g[i]);
            m[i] = mi < REAL(1e-30) && mi > REAL(-1e-30) ? 0 : mi;
            g[i] = ahead ? FMA(keep, m[i], g[i]) : m[i];
        }
    }
}

/* to = a to + b from */
static void combine(int64_t n, real a, real *to, real b, const real *from)
{
    for (int64_t i = 0; i < n; i++) to[i] = FMA(a, to[i], b * from[i]);
}

/* x (low, wide) becomes a x + (b S + c S S) x with S = x x': one step of Newton and Schulz to the nearest matrix whose
 * rows have length 1 and are at right angles. Room: two times low x low, and low x wide. */
static void newton_schulz(const cn__step *step, cn__pool *pool, int64_t low, int64_t wide, real *x, real *room)
{
    real *s = room, *both = s + low * low, *moved = both + low * low;
    const double *c = step->coefficients;
    cn__matmul_run(&(cn__matmul){.pool = pool, .m = low, .n = low, .k = wide, .a = x, .a_row = wide, .a_column = 1,
                                 .b = x, .b_row = 1, .b_column = wide, .c = s, .c_row = low});
    cn__matmul_run(&(cn__matmul){.pool = pool, .m = low, .n = low, .k = low, .a = s, .a_row = low, .a_column = 1,
                                 .b = s, .b_row = low, .b_column = 1, .c = both, .c_row = low});
    combine(low * low, (real)c[C], both, (real)c[B], s);
    cn__matmul_run(&(cn__matmul){.pool = pool, .m = low, .n = wide, .k = low, .a = both, .a_row = low, .a_column = 1,
                                 .b = x, .b_row = wide, .b_column = 1, .c = moved, .c_row = wide});
    combine(low * wide, (real)c[A], x, 1, moved);
}

/* The gradient, which holds the momentum, becomes its orthogonal part. Tall matrices are turned over on the way. */
static void orthogonalize(cn__moving *k)
{
    const cn__whole *whole = k->whole;
    int64_t rows = whole->rows, columns = whole->columns, tall = rows > columns;
    int64_t low = tall ? columns : rows, wide = tall ? rows : columns;
    real *x = whole->room;
    const real length = (real)(sqrt(cn__whole_squares(k, cn__square_gradient)) + 1e-7);
    for (int64_t r = 0; r < rows; r++) {
        const real *g = cn__whole_row(k, k->gradient, r);
        for (int64_t j = 0; j < columns; j++) x[tall ? j * wide + r : r * wide + j] = g[j] / length;
    }
    for (int i = 0; i < (int)k->step->coefficients[STEPS]; i++)
        newton_schulz(k->step, whole->pool, low, wide, x, x + low * wide);
    for (int64_t r = 0; r < rows; r++) {
        real *g = cn__whole_row(k, k->gradient, r);
        for (int64_t j = 0; j < columns; j++) g[j] = x[tall ? j * wide + r : r * wide + j];
    }
}

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    cn__whole *whole = step->whole;
    cn__moving k = {whole, step, weight, whole->gradient, slots};
    const double size = step->coefficients[SIZE];
    (void)n;
    (void)gradient;
    if (whole->kind) {
        cn__step adam = *step;
        adam.switches = 0;
        for (int64_t r = 0; r < whole->rows; r++) {
            void *row[CN__MAX_SLOTS] = {cn__whole_row(&k, slots[0], r), cn__whole_row(&k, slots[1], r)};
            CN__ADAM_MOVE(&adam, whole->columns, cn__whole_row(&k, weight, r), row,
                          cn__whole_row(&k, whole->gradient, r));
        }
        return;
    }
    cn__parallel(whole->pool, whole->rows, gather_momentum, &k);
    orthogonalize(&k);
    double longer = sqrt((double)(whole->rows > whole->columns ? whole->rows : whole->columns));
    whole->factor = step->coefficients[RATE] * (size > 0 ? size * longer : 1);
    cn__parallel(whole->pool, whole->rows, cn__take_steps, &k);
}

const cn__update CN_T(cn__optimizer_muon_update) = update;
const cn__idle CN_T(cn__optimizer_muon_idle) = NULL;

#if CN_ONCE
#include "base/error.h"

#include <ctype.h>
#include <string.h>

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_muon_options, learning_rate)},
    {"adam_beta_1", CN__FIELD_REAL, offsetof(cn_muon_options, adam_beta_1)},
    {"adam_beta_2", CN__FIELD_REAL, offsetof(cn_muon_options, adam_beta_2)},
    {"adam_weight_decay", CN__FIELD_REAL, offsetof(cn_muon_options, adam_weight_decay)},
    {"epsilon", CN__FIELD_REAL, offsetof(cn_muon_options, epsilon)},
    CN__FIELD_DECAY(cn_muon_options),
    CN__FIELDS_BEHIND_DECAY(cn_muon_options),
    {"exclude_layers", CN__FIELD_TEXT, offsetof(cn_muon_options, exclude_layers)},
    {"exclude_embeddings", CN__FIELD_INT, offsetof(cn_muon_options, exclude_embeddings)},
    {"muon_a", CN__FIELD_REAL, offsetof(cn_muon_options, muon_a)},
    {"muon_b", CN__FIELD_REAL, offsetof(cn_muon_options, muon_b)},
    {"muon_c", CN__FIELD_REAL, offsetof(cn_muon_options, muon_c)},
    {"adam_lr_ratio", CN__FIELD_REAL, offsetof(cn_muon_options, adam_lr_ratio)},
    {"momentum", CN__FIELD_REAL, offsetof(cn_muon_options, momentum)},
    {"ns_steps", CN__FIELD_INT64, offsetof(cn_muon_options, ns_steps)},
    {"nesterov", CN__FIELD_INT, offsetof(cn_muon_options, nesterov)},
    {"rms_rate", CN__FIELD_REAL, offsetof(cn_muon_options, rms_rate)},
    CN__FIELD_EXCLUDE(cn_muon_options),
};

static int check(const void *options)
{
    const cn_muon_options *o = options;
    const double all[] = {o->muon_a, o->muon_b, o->muon_c};
    CN_TRY(cn__optimizer_check_share("Muon", "adam_beta_1", o->adam_beta_1));
    CN_TRY(cn__optimizer_check_share("Muon", "adam_beta_2", o->adam_beta_2));
    CN_TRY(cn__optimizer_check_share("Muon", "momentum", o->momentum));
    CN_TRY(cn__optimizer_check_epsilon("Muon", o->epsilon, 0));
    for (int i = 0; i < 3; i++)
        if (!(all[i] - all[i] == 0))
            return cn__fail(CN_EINVAL, "Muon: muon_%c must be a number, got %g", 'a' + i, all[i]);
    if (!(o->adam_weight_decay >= 0 && o->adam_weight_decay <= 1e30))
        return cn__fail(CN_EINVAL, "Muon: adam_weight_decay must be a number from 0 upwards, got %g",
                        o->adam_weight_decay);
    if (!(o->adam_lr_ratio >= 0 && o->adam_lr_ratio <= 1e30))
        return cn__fail(CN_EINVAL, "Muon: adam_lr_ratio must be a number from 0 upwards, got %g", o->adam_lr_ratio);
    if (!(o->rms_rate >= 0 && o->rms_rate <= 1e30))
        return cn__fail(CN_EINVAL, "Muon: rms_rate must be a number from 0 upwards, got %g", o->rms_rate);
    if (o->ns_steps >= 1 && o->ns_steps <= 100) return CN_OK;
    return cn__fail(CN_EINVAL, "Muon: ns_steps must lie in 1 ... 100, got %lld", (long long)o->ns_steps);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "momentum";
    names[1] = "velocity"; /* of the weights that Adam moves */
    return 2;
}

static int mentions_embedding(const char *name)
{
    char lower[96];
    size_t i = 0;
    for (; name[i] && i + 1 < sizeof lower; i++) lower[i] = (char)tolower((unsigned char)name[i]);
    lower[i] = '\0';
    return strstr(lower, "embedding") != NULL;
}

/* 1: Adam moves the weight. */
static int kind(const void *options, const char *name, int ndim)
{
    const cn_muon_options *o = options;
    return ndim != 2 || (o->exclude_embeddings && mentions_embedding(name)) ||
           cn__name_has_word(name, o->exclude_layers);
}

static double decay(const void *options, int of_kind)
{
    const cn_muon_options *o = options;
    return of_kind ? o->adam_weight_decay : o->weight_decay;
}

static int64_t keras_numbers(const void *options, const char *name, int ndim, const int64_t *shape)
{
    int64_t all = 1;
    for (int a = 0; a < ndim; a++) all *= shape[a];
    return kind(options, name, ndim) ? 2 * all : all;
}

static int64_t room(const void *options, int64_t rows, int64_t columns)
{
    int64_t low = rows < columns ? rows : columns;
    (void)options;
    return 2 * rows * columns + 2 * low * low;
}

static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_muon_options *o = options;
    const cn_adam_options adam = {.beta_1 = o->adam_beta_1, .beta_2 = o->adam_beta_2, .epsilon = o->epsilon};
    cn__adam_begin_step(&adam, t, learning_rate * o->adam_lr_ratio, step);
    step->coefficients[RATE] = learning_rate;
    step->coefficients[MOMENTUM] = o->momentum;
    step->coefficients[A] = o->muon_a;
    step->coefficients[B] = o->muon_b;
    step->coefficients[C] = o->muon_c;
    step->coefficients[STEPS] = (double)o->ns_steps;
    step->coefficients[SIZE] = o->rms_rate;
    step->switches = o->nesterov ? NESTEROV : 0;
}

const cn__optimizer_class cn__optimizer_muon = {
    .name = "Muon",
    .snake = "muon",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_muon_options),
    .defaults = &(const cn_muon_options){CN_MUON_DEFAULTS},
    .moves_whole = 1,
    .check = check,
    .slots = slots,
    .kind = kind,
    .decay = decay,
    .room = room,
    .keras_numbers = keras_numbers,
    .begin_step = begin_step,
};

cn_optimizer *cn_muon_create(const cn_muon_options *options)
{
    return cn__optimizer_create(&cn__optimizer_muon, options);
}
#endif
