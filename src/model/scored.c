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

static int read_labels(cn__scored *s, const cn__scored_wish *wish, const cn_tensor *y_true)
{
    int64_t n = cn_size(y_true), columns = s->steps ? s->columns / s->steps : s->columns;
    cn_tensor *values = cn_astype(y_true, CN_FLOAT64);
    s->labels = cn__alloc((size_t)n + 1, sizeof *s->labels, "labels");
    if (!values || !s->labels) {
        cn_tensor_destroy(&values);
        return CN_ENOMEM;
    }
    int status = CN_OK;
    for (int64_t i = 0; i < n && status == CN_OK; i++) {
        double value = ((const double *)cn_data(values))[i];
        int is_free = wish->kind == CN__SCORED_FREE, whole = value == floor(value);
        int is_class = is_free ? value >= INT32_MIN && value <= INT32_MAX : value >= 0 && value < (double)columns;
        if ((is_class && whole) || (wish->ignored != CN__NO_CLASS && value == (double)wish->ignored))
            s->labels[i] = (int32_t)value;
        else if (is_free)
            status = cn__fail(CN_EINVAL, "%s: label %g in row %lld is no whole number that fits into 32 bits",
                              wish->owner, value, (long long)i);
        else
            status = cn__fail(CN_EINVAL, "%s: label %g in row %lld is not one of the classes 0 ... %lld", wish->owner,
                              value, (long long)(s->steps ? i / s->length : i), (long long)columns - 1);
    }
    for (int64_t r = 0; status == CN_OK && s->steps && r < s->rows; r++)
        if (!cn__labels_are_packed(s->length, s->labels + r * s->length))
            status = cn__fail(CN_EINVAL, "%s: row %lld of the labels has a 0 before a label; 0 is the blank and stands "
                              "only behind the last label", wish->owner, (long long)r);
    cn_tensor_destroy(&values);
    return status;
}

/* One weight for each sample, or for each row where rows are those of the last axis. */
static int read_weights(cn__scored *s, const char *owner, const cn_tensor *given, const cn_tensor *y_pred)
{
    int by_sample = s->axes.moves || s->steps;
    int per_row = !by_sample && agrees(given, y_pred, cn_ndim(y_pred) > 1 ? cn_ndim(y_pred) - 1 : 1);
    if (!per_row && !agrees(given, y_pred, 1)) return refuse(owner, "sample_weight", given, y_pred);
    if (s->axes.moves && s->axes.across_samples)
        return cn__fail(CN_EINVAL, "%s: with axis 0 a number belongs to no sample, so there is nothing that "
                        "sample_weight could weigh", owner);
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

/* Whether y_true has the shape of y_pred without the axes that make a row. */
static int agrees_as_labels(const cn__scored *s, const cn_tensor *y_true, const cn_tensor *y_pred)
{
    int64_t kept[CN__MOST_AXES];
    int n = cn__axes_kept(&s->axes, 0, kept);
    if (!s->axes.moves) return agrees(y_true, y_pred, cn_ndim(y_pred) - 1);
    for (int i = 0; i < n || i < cn_ndim(y_true); i++)
        if ((i < cn_ndim(y_true) ? cn_shape(y_true)[i] : 1) != (i < n ? kept[i] : 1)) return 0;
    return 1;
}

/* (n, steps, classes) and (n, length) */
static int shape_sequences(cn__scored *s, const char *owner, const cn_tensor *y_true, const cn_tensor *y_pred)
{
    if (cn_ndim(y_pred) != 3 || cn_ndim(y_true) != 2 || cn_shape(y_true)[0] != cn_shape(y_pred)[0])
        return refuse(owner, "y_true", y_true, y_pred);
    s->steps = cn_shape(y_pred)[1];
    s->length = cn_shape(y_true)[1];
    s->rows = s->samples;
    s->columns *= s->steps;
    if (s->rows == 0 || s->columns == 0 || s->length == 0)
        return cn__fail(CN_EINVAL, "%s: y_pred or y_true is empty", owner);
    s->sequence_room = cn__alloc((size_t)(s->rows * cn__loss_room(s->steps, s->length)), sizeof(double), "paths");
    return s->sequence_room ? CN_OK : CN_ENOMEM;
}

static int make_room(cn__scored *s, const cn_tensor *y_pred)
{
    size_t size = (size_t)cn_size(y_pred);
    s->row_loss = cn__alloc(size, sizeof(double), "losses");
    s->probabilities = cn__alloc(size, sizeof(double), "probabilities");
    if (!s->row_loss || !s->probabilities) return CN_ENOMEM;
    if (!s->axes.moves) return CN_OK;
    s->axes_room = (cn__axes_room){.output = cn__alloc(size, sizeof(double), "outputs"),
                                   .target = cn__alloc(size, sizeof(double), "targets"),
                                   .gradient = cn__alloc(size, sizeof(double), "gradients"),
                                   .weights = cn__alloc(size, sizeof(double), "weights")};
    int all = s->axes_room.output && s->axes_room.target && s->axes_room.gradient && s->axes_room.weights;
    return all ? CN_OK : CN_ENOMEM;
}

static int open_arrays(cn__scored *s, const cn__scored_wish *wish, const cn_tensor *y_true, const cn_tensor *y_pred)
{
    int ndim = cn_ndim(y_pred);
    cn_dtype dtype = cn_dtype_of(y_pred) == CN_FLOAT64 ? CN_FLOAT64 : CN_FLOAT32;
    cn__scored_kind kind = wish->kind;
    CN_TRY(cn__axes_resolve(&s->axes, wish->owner, wish->axes, wish->all_are_plain, ndim, cn_shape(y_pred)));
    s->samples = cn_shape(y_pred)[0];
    s->engine = cn__engine_find(dtype == CN_FLOAT64 ? 64 : 32, CN__ISA_C);
    s->columns = ndim > 1 ? cn_shape(y_pred)[ndim - 1] : 1;
    s->rows = s->columns ? cn_size(y_pred) / s->columns : 0;
    if (kind != CN__SCORED_SEQUENCES && kind != CN__SCORED_NOTHING) {
        int same = agrees(y_true, y_pred, ndim), as_labels = agrees_as_labels(s, y_true, y_pred);
        if (kind == CN__SCORED_AS_SHAPED) kind = same || !as_labels ? CN__SCORED_ROWS : CN__SCORED_LABELS;
        if (!(kind == CN__SCORED_ROWS ? same : as_labels)) return refuse(wish->owner, "y_true", y_true, y_pred);
        if (kind == CN__SCORED_FREE && ndim != 2) return refuse(wish->owner, "y_true", y_true, y_pred);
    } else if (kind == CN__SCORED_SEQUENCES) CN_TRY(shape_sequences(s, wish->owner, y_true, y_pred));
    if (s->rows == 0) return cn__fail(CN_EINVAL, "%s: y_pred has no rows", wish->owner);
    s->output = cn_astype(y_pred, dtype);
    if (!s->output) return CN_ENOMEM;
    CN_TRY(make_room(s, y_pred));
    if (kind == CN__SCORED_NOTHING) return CN_OK;
    if (kind != CN__SCORED_ROWS) return read_labels(s, wish, y_true);
    s->target = cn_astype(y_true, dtype);
    return s->target ? CN_OK : CN_ENOMEM;
}

cn__scored_wish cn__scored_wish_of(const cn__loss *loss)
{
    const cn__loss_class *class_ = cn__loss_class_of(loss);
    return (cn__scored_wish){.owner = class_->name,
                             .kind = class_->sequence          ? CN__SCORED_SEQUENCES
                                     : class_->labels_are_free ? CN__SCORED_FREE
                                     : class_->sparse          ? CN__SCORED_LABELS
                                                               : CN__SCORED_ROWS,
                             .ignored = loss->options.ignore_class,
                             .axes = &loss->axes,
                             .all_are_plain = class_->whole_batch};
}

int cn__scored_open(cn__scored *scored, const cn_tensor *y_true, const cn_tensor *y_pred,
                    const cn_tensor *sample_weight, const cn__scored_wish *wish)
{
    *scored = (cn__scored){.rows = 0};
    if ((!y_true && wish->kind != CN__SCORED_NOTHING) || !y_pred) return cn__null_tensor(wish->owner);
    if (cn_ndim(y_pred) < 1) return refuse(wish->owner, "y_true", y_true ? y_true : y_pred, y_pred);
    int status = open_arrays(scored, wish, y_true, y_pred);
    if (status == CN_OK && sample_weight) status = read_weights(scored, wish->owner, sample_weight, y_pred);
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
    cn__free(scored->sequence_room);
    cn__free(scored->axes_room.output);
    cn__free(scored->axes_room.target);
    cn__free(scored->axes_room.gradient);
    cn__free(scored->axes_room.weights);
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
                        .weights = scored->weights,
                        .steps = scored->steps,
                        .length = scored->length,
                        .room = scored->sequence_room};
}
