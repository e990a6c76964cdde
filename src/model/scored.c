#include "model/scored.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <math.h>

static int refuse(const char *owner, const char *what, const cn_tensor *given, const cn_tensor *y_pred)
{
    char text[CN_SHAPE_TEXT_BYTES], outputs[CN_SHAPE_TEXT_BYTES];
    return cn__fail(CN_ESHAPE, "%s: %s of shape %s does not go with y_pred of shape %s", owner, what,
                    cn__shape_text(text, cn_ndim(given), cn_shape(given)),
                    cn__shape_text(outputs, cn_ndim(y_pred), cn_shape(y_pred)));
}

/* The first n axes agree, and the others are 1. */
static int agrees(const cn_tensor *given, const cn_tensor *y_pred, int n)
{
    int ndim = cn_ndim(given);
    for (int i = 0; i < ndim || i < n; i++) {
        int64_t size = i < ndim ? cn_shape(given)[i] : 1, wanted = i < n ? cn_shape(y_pred)[i] : 1;
        if (size != wanted) return 0;
    }
    return 1;
}

static int read_labels(cn__scored *s, const char *owner, const cn_tensor *y_true, int64_t ignored)
{
    cn_tensor *values = cn_astype(y_true, CN_FLOAT64);
    s->labels = cn__alloc((size_t)s->rows + 1, sizeof *s->labels, "labels");
    if (!values || !s->labels) {
        cn_tensor_destroy(&values);
        return CN_ENOMEM;
    }
    int status = CN_OK;
    for (int64_t r = 0; r < s->rows && status == CN_OK; r++) {
        double value = ((const double *)cn_data(values))[r];
        int is_class = value >= 0 && value < (double)s->columns && value == floor(value);
        if (is_class || (ignored != CN__NO_CLASS && value == (double)ignored)) s->labels[r] = (int32_t)value;
        else
            status = cn__fail(CN_EINVAL, "%s: label %g in row %lld is not one of the classes 0 ... %lld", owner, value,
                              (long long)r, (long long)s->columns - 1);
    }
    cn_tensor_destroy(&values);
    return status;
}

static int read_weights(cn__scored *s, const char *owner, const cn_tensor *given, const cn_tensor *y_pred)
{
    int per_row = agrees(given, y_pred, cn_ndim(y_pred) > 1 ? cn_ndim(y_pred) - 1 : 1);
    if (!per_row && !agrees(given, y_pred, 1)) return refuse(owner, "sample_weight", given, y_pred);
    int64_t n = cn_size(given), each = n ? s->rows / n : 1;
    cn_tensor *values = cn_astype(given, CN_FLOAT64);
    s->weights = cn__alloc((size_t)s->rows + 1, sizeof *s->weights, "weights");
    for (int64_t r = 0; values && s->weights && r < s->rows; r++) {
        double weight = ((const double *)cn_data(values))[r / each];
        s->weights[r] = s->engine->bits == 64 ? weight : (double)(float)weight;
    }
    int status = values && s->weights ? CN_OK : CN_ENOMEM;
    cn_tensor_destroy(&values);
    return status;
}

static int open_arrays(cn__scored *s, const char *owner, const cn_tensor *y_true, const cn_tensor *y_pred,
                       cn__scored_kind kind, int64_t ignored)
{
    int ndim = cn_ndim(y_pred), same = agrees(y_true, y_pred, ndim);
    int as_labels = agrees(y_true, y_pred, ndim - 1);
    cn_dtype dtype = cn_dtype_of(y_pred) == CN_FLOAT64 ? CN_FLOAT64 : CN_FLOAT32;
    if (kind == CN__SCORED_AS_SHAPED) kind = same || !as_labels ? CN__SCORED_ROWS : CN__SCORED_LABELS;
    if (!(kind == CN__SCORED_ROWS ? same : as_labels)) return refuse(owner, "y_true", y_true, y_pred);
    s->engine = cn__engine_find(dtype == CN_FLOAT64 ? 64 : 32, CN__ISA_C);
    s->columns = ndim > 1 ? cn_shape(y_pred)[ndim - 1] : 1;
    s->rows = s->columns ? cn_size(y_pred) / s->columns : 0;
    if (s->rows == 0) return cn__fail(CN_EINVAL, "%s: y_pred has no rows", owner);
    s->output = cn_astype(y_pred, dtype);
    s->row_loss = cn__alloc((size_t)s->rows, sizeof(double), "losses");
    s->probabilities = cn__alloc((size_t)cn_size(y_pred), sizeof(double), "probabilities");
    if (!s->output || !s->row_loss || !s->probabilities) return CN_ENOMEM;
    if (kind == CN__SCORED_LABELS) return read_labels(s, owner, y_true, ignored);
    s->target = cn_astype(y_true, dtype);
    return s->target ? CN_OK : CN_ENOMEM;
}

int cn__scored_open(cn__scored *scored, const char *owner, const cn_tensor *y_true, const cn_tensor *y_pred,
                    const cn_tensor *sample_weight, cn__scored_kind kind, int64_t ignored)
{
    *scored = (cn__scored){.rows = 0};
    if (!y_true || !y_pred) return cn__null_tensor(owner);
    if (cn_ndim(y_pred) < 1) return refuse(owner, "y_true", y_true, y_pred);
    int status = open_arrays(scored, owner, y_true, y_pred, kind, ignored);
    if (status == CN_OK && sample_weight) status = read_weights(scored, owner, sample_weight, y_pred);
    if (status < 0) cn__scored_close(scored);
    return status;
}

void cn__scored_close(cn__scored *scored)
{
    cn_tensor_destroy(&scored->output);
    cn_tensor_destroy(&scored->target);
    cn__free(scored->labels);
    cn__free(scored->weights);
    cn__free(scored->row_loss);
    cn__free(scored->probabilities);
    *scored = (cn__scored){.rows = 0};
}

cn__scores cn__scored_scores(const cn__scored *scored)
{
    return (cn__scores){.rows = scored->rows,
                        .columns = scored->columns,
                        .target = scored->target ? cn_data(scored->target) : NULL,
                        .labels = scored->labels,
                        .output = cn_data(scored->output),
                        .probabilities = scored->probabilities,
                        .row_loss = scored->row_loss,
                        .weights = scored->weights};
}
