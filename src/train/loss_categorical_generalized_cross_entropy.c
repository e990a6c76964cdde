#include "train/loss_rows.h"

/* loss = (1 - p_label^q) / q */
static void measure(const cn__scores *s)
{
    const real q = (real)s->options->q;
    for (int64_t r = 0; r < s->rows; r++) {
        real *gradient = cn__gradient_row(s, r), p = cn__output_row(s, r)[s->labels[r]];
        ((real *)s->row_loss)[r] = (1 - cn__power(p, q)) / q;
        for (int64_t j = 0; gradient && j < s->columns; j++) gradient[j] = 0;
        if (gradient) gradient[s->labels[r]] = -cn__power(p, q - 1) / (real)s->divisor;
    }
}

const cn__loss_math CN_T(cn__loss_categorical_generalized_cross_entropy_math) = {.measure = measure};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"q", CN__FIELD_REAL, offsetof(cn__loss_options, q)},
    CN__LOSS_FIELD_REDUCTION,
};

static int check(const cn__loss_options *options)
{
    if (options->q > 0 && options->q < 1) return CN_OK;
    return cn__fail(CN_EINVAL, "categorical_generalized_cross_entropy: q must lie in 0 ... 1 (both excluded), got %g",
                    options->q);
}

const cn__loss_class cn__loss_categorical_generalized_cross_entropy = {
    .name = "categorical_generalized_cross_entropy",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .q = 0.5},
    .sparse = 1,
    .check = check,
};
#endif
