#include "train/whole_weight.h"

enum { RATE, KEEP, EPSILON_1, EPSILON_2, CLIP };

/* The state of a weight of two or more axes is a mean for each row and one for each column of its matrices (of its last
 * two axes). They live in slots as large as the weight: a row's in its first number, a column's in the matrix's first
 * row. */
typedef struct factors {
    cn__moving k;
    int64_t height, matrix; /* rows of a matrix, and which one it is */
    double mean;            /* of the means of its rows */
} factors;

static void average_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const factors *f = context;
    const cn__moving *k = &f->k;
    const double *c = k->step->coefficients;
    int64_t n = k->whole->columns;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        real *mean = cn__whole_row(k, k->slots[0], r);
        double squares = CN_T(cn__weight_rules).sums(n, cn__whole_row(k, k->gradient, r)).squares;
        mean[0] = (real)(c[KEEP] * (double)mean[0] + (1 - c[KEEP]) * (squares / (double)n + c[EPSILON_1]));
    }
}

static void average_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const factors *f = context;
    const cn__moving *k = &f->k;
    const double *c = k->step->coefficients;
    real *means = cn__whole_row(k, k->slots[1], f->matrix * f->height);
    (void)thread;
    for (int64_t j = begin; j < end; j++) {
        double squares = 0;
        for (int64_t r = 0; r < f->height; r++) {
            double g = (double)cn__whole_row(k, k->gradient, f->matrix * f->height + r)[j];
            squares += g * g;
        }
        means[j] = (real)(c[KEEP] * (double)means[j] + (1 - c[KEEP]) * (squares / (double)f->height + c[EPSILON_1]));
    }
}

static void divide_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const factors *f = context;
    const cn__moving *k = &f->k;
    const real *restrict columns = cn__whole_row(k, k->slots[1], f->matrix * f->height);
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        real *restrict g = cn__whole_row(k, k->gradient, f->matrix * f->height + r);
        real row = (real)((double)cn__whole_row(k, k->slots[0], f->matrix * f->height + r)[0] / f->mean);
        for (int64_t j = 0; j < k->whole->columns; j++) g[j] /= SQRT(row * columns[j]);
    }
}

static void divide_by_factors(const cn__moving *k)
{
    const cn__whole *whole = k->whole;
    factors f = {.k = *k, .height = whole->shape[whole->ndim - 2]};
    cn__parallel(whole->pool, whole->rows, average_rows, &f);
    for (f.matrix = 0; f.matrix < whole->rows / f.height; f.matrix++) {
        cn__parallel(whole->pool, whole->columns, average_columns, &f);
        f.mean = 0;
        for (int64_t r = 0; r < f.height; r++)
            f.mean += (double)cn__whole_row(k, k->slots[0], f.matrix * f.height + r)[0] / (double)f.height;
        cn__parallel(whole->pool, f.height, divide_rows, &f);
    }
}

static void divide_numbers(const cn__moving *k)
{
    const double *c = k->step->coefficients;
    const real keep = (real)c[KEEP], rest = (real)(1 - c[KEEP]), tiny = (real)c[EPSILON_1];
    for (int64_t r = 0; r < k->whole->rows; r++) {
        real *g = cn__whole_row(k, k->gradient, r), *v = cn__whole_row(k, k->slots[0], r);
        for (int64_t i = 0; i < k->whole->columns; i++) {
            v[i] = FMA(rest, FMA(g[i], g[i], tiny), keep * v[i]);
            g[i] /= SQRT(v[i]);
        }
    }
}

static void update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient)
{
    cn__whole *whole = step->whole;
    cn__moving k = {whole, step, weight, whole->gradient, slots};
    const double *c = step->coefficients, count = (double)n;
    (void)gradient;
    double size = sqrt(cn__whole_squares(&k, cn__square_weight) / count);
    if (whole->ndim < 2) divide_numbers(&k);
    else divide_by_factors(&k);
    double excess = sqrt(cn__whole_squares(&k, cn__square_gradient) / count) / c[CLIP];
    whole->factor = c[RATE] * (size > c[EPSILON_2] ? size : c[EPSILON_2]) / (excess <= 1 ? 1 : excess);
    cn__parallel(whole->pool, whole->rows, cn__take_steps, &k);
}

const cn__update CN_T(cn__optimizer_adafactor_update) = update;
const cn__idle CN_T(cn__optimizer_adafactor_idle) = NULL;

#if CN_ONCE
#include "base/error.h"
#include "base/exact.h"

static const cn__field fields[] = {
    {"learning_rate", CN__FIELD_REAL, offsetof(cn_adafactor_options, learning_rate)},
    {"beta_2_decay", CN__FIELD_REAL, offsetof(cn_adafactor_options, beta_2_decay)},
    {"epsilon_1", CN__FIELD_REAL, offsetof(cn_adafactor_options, epsilon_1)},
    {"epsilon_2", CN__FIELD_REAL, offsetof(cn_adafactor_options, epsilon_2)},
    {"clip_threshold", CN__FIELD_REAL, offsetof(cn_adafactor_options, clip_threshold)},
    {"relative_step", CN__FIELD_INT, offsetof(cn_adafactor_options, relative_step)},
    CN__SHARED_FIELDS(cn_adafactor_options),
};

static int check(const void *options)
{
    const cn_adafactor_options *o = options;
    if (!(o->beta_2_decay <= 0 && o->beta_2_decay >= -1e30))
        return cn__fail(CN_EINVAL, "Adafactor: beta_2_decay must not be above 0, got %g", o->beta_2_decay);
    if (!(o->epsilon_1 > 0 && o->epsilon_1 <= 1e30))
        return cn__fail(CN_EINVAL, "Adafactor: epsilon_1 must be above 0, got %g", o->epsilon_1);
    if (!(o->epsilon_2 >= 0 && o->epsilon_2 <= 1e30))
        return cn__fail(CN_EINVAL, "Adafactor: epsilon_2 must not be negative, got %g", o->epsilon_2);
    if (o->clip_threshold > 0 && o->clip_threshold <= 1e30) return CN_OK;
    return cn__fail(CN_EINVAL, "Adafactor: clip_threshold must be above 0, got %g", o->clip_threshold);
}

static int slots(const void *options, const char *names[CN__MAX_SLOTS])
{
    (void)options;
    names[0] = "velocity";
    names[1] = "column_velocity";
    return 2;
}

/* Keras keeps the means of rows and columns and their product; for a weight of one axis two numbers that it never
 * uses. */
static int64_t keras_numbers(const void *options, const char *name, int ndim, const int64_t *shape)
{
    int64_t all = 1;
    (void)options;
    (void)name;
    for (int a = 0; a < ndim; a++) all *= shape[a];
    return ndim < 2 ? all + 2 : all + all / shape[ndim - 1] + all / shape[ndim - 2];
}

/* The rate never exceeds 1 / sqrt t, whether relative_step asks for that or not: so it is in Keras. */
static void begin_step(const void *options, int64_t t, double learning_rate, cn__step *step)
{
    const cn_adafactor_options *o = options;
    double most = 1 / sqrt((double)t);
    step->coefficients[RATE] = learning_rate < most ? learning_rate : most;
    step->coefficients[KEEP] = 1 - 1 / cn__exact_real_power((double)t, -o->beta_2_decay);
    step->coefficients[EPSILON_1] = o->epsilon_1;
    step->coefficients[EPSILON_2] = o->epsilon_2;
    step->coefficients[CLIP] = o->clip_threshold;
}

const cn__optimizer_class cn__optimizer_adafactor = {
    .name = "Adafactor",
    .snake = "adafactor",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .options_size = sizeof(cn_adafactor_options),
    .defaults = &(const cn_adafactor_options){CN_ADAFACTOR_DEFAULTS},
    .moves_whole = 1,
    .check = check,
    .slots = slots,
    .keras_numbers = keras_numbers,
    .begin_step = begin_step,
};

cn_optimizer *cn_adafactor_create(const cn_adafactor_options *options)
{
    return cn__optimizer_create(&cn__optimizer_adafactor, options);
}
#endif
