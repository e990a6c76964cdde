#include "base/error.h"
#include "base/memory.h"
#include "model/inspect_parts.h"
#include "tensor/tensor.h"

#include <stdarg.h>
#include <stdio.h>

const char *cn_finding_name(cn_finding_kind kind)
{
    switch (kind) {
#define CASE(id, name) case id: return name;
        CN_FINDING_LIST(CASE)
#undef CASE
    case CN_FINDING_COUNT: break;
    }
    return "unknown finding";
}

void cn__findings_add(cn__findings *findings, cn_finding_kind kind, const char *format, ...)
{
    if (findings->kinds >> kind & 1) return;
    findings->kinds |= 1u << kind;
    if (findings->count++ >= findings->capacity) return;
    cn_finding *finding = &findings->list[findings->count - 1];
    finding->kind = kind;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->sentence, sizeof finding->sentence, format, arguments);
    va_end(arguments);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static int open_rows(cn__rows *rows, const cn_tensor *tensor, const char *what)
{
    *rows = (cn__rows){0};
    if (!tensor) return CN_OK;
    if (tensor->ndim < 1 || tensor->size == 0) {
        char text[CN_SHAPE_TEXT_BYTES];
        return cn__fail(CN_EINVAL, "cn_inspect: the %s have the shape %s, but there must be at least one row", what,
                        cn__shape_text(text, tensor->ndim, tensor->shape));
    }
    cn_dtype plain = cn__plain_dtype(tensor->dtype);
    *rows = (cn__rows){.data = tensor->data, .dtype = plain, .scale = tensor->scale, .n = tensor->shape[0],
                       .features = tensor->size / tensor->shape[0], .tensor = tensor};
    if (plain == tensor->dtype && cn_is_contiguous(tensor)) return CN_OK;
    rows->copy = cn__alloc_raw((size_t)tensor->size, cn_dtype_size(plain), "rows to be inspected");
    if (!rows->copy) return CN_ENOMEM;
    cn_tensor stored = cn__tensor_outline(tensor);
    stored.scale = 1;
    cn__tensor_convert(&stored, plain, rows->copy);
    rows->data = rows->copy;
    return CN_OK;
}

static int check_lengths(const cn__rows *x, const cn__rows *y, const char *what)
{
    if (!x->tensor || !y->tensor || x->n == y->n) return CN_OK;
    return cn__fail(CN_ESHAPE, "cn_inspect: there are %lld %sinputs, but %lld %slabels; each input needs one",
                    (long long)x->n, what, (long long)y->n, what);
}

/* --- the public call ---------------------------------------------------------------------------------------------- */

typedef struct material {
    cn__rows x, y, test_x, test_y;
} material;

static int open_material(material *m, const cn_tensor *x, const cn_tensor *y, const cn_inspect_options *options)
{
    CN_TRY(open_rows(&m->x, x, "inputs"));
    CN_TRY(open_rows(&m->y, y, "labels"));
    CN_TRY(open_rows(&m->test_x, options->test_x, "test inputs"));
    CN_TRY(open_rows(&m->test_y, options->test_y, "test labels"));
    CN_TRY(check_lengths(&m->x, &m->y, ""));
    return check_lengths(&m->test_x, &m->test_y, "test ");
}

static int look(const material *m, const cn_inspect_options *options, cn__findings *findings)
{
    cn__inspect_inputs(&m->x, "inputs", findings);
    if (m->test_x.tensor) cn__inspect_inputs(&m->test_x, "test inputs", findings);
    if (m->y.tensor) cn__inspect_labels(&m->y, "labels", options, !options->shuffle, findings);
    if (m->y.tensor) cn__inspect_validation(&m->y, options, findings);
    if (m->test_y.tensor) cn__inspect_labels(&m->test_y, "test labels", options, 0, findings);
    if (m->test_x.tensor) CN_TRY(cn__inspect_test_in_train(&m->x, &m->test_x, findings));
    return findings->count;
}

int cn__inspect_tail(const cn_tensor *y, double validation_split, cn_finding *finding)
{
    cn__findings list = {.list = finding, .capacity = 1};
    cn__rows rows;
    CN_TRY(open_rows(&rows, y, "labels"));
    cn__inspect_validation(&rows, &(const cn_inspect_options){.validation_split = validation_split}, &list);
    cn__free(rows.copy);
    return list.count;
}

int cn_inspect_data(const cn_tensor *x, const cn_tensor *y, cn_finding *findings, int capacity,
                    const cn_inspect_options *options)
{
    const cn_inspect_options defaults = {CN_INSPECT_DEFAULTS};
    if (!options) options = &defaults;
    if (!x) return cn__null_tensor("cn_inspect");
    if (capacity < 0 || (capacity > 0 && !findings))
        return cn__fail(CN_EINVAL, "cn_inspect needs room for findings, or a capacity of 0");
    cn__findings list = {.list = findings, .capacity = capacity};
    material m = {0};
    int result = open_material(&m, x, y, options);
    if (result == CN_OK) result = look(&m, options, &list);
    cn__free(m.x.copy);
    cn__free(m.y.copy);
    cn__free(m.test_x.copy);
    cn__free(m.test_y.copy);
    return result;
}
