#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

#include <string.h>

#define SAMPLED_NUMBERS 4000
#define FEWEST_COLUMNS 64

double cn__number_at(const cn__source *s, int64_t i)
{
    switch (s->stored) {
    case CN__STORED_U8: return ((const uint8_t *)s->data)[i];
    case CN__STORED_I32: return ((const int32_t *)s->data)[i];
    case CN__STORED_I64: return (double)((const int64_t *)s->data)[i];
    case CN__STORED_F32: return (double)((const float *)s->data)[i];
    default: return ((const double *)s->data)[i];
    }
}

/* The first layer that changes anything. */
static const cn_layer *first_at_work(const cn_model *model)
{
    for (int i = 0; i < model->n_layers; i++)
        if (!cn__layer_hands_on(model->layers[i], 1)) return model->layers[i];
    return NULL;
}

static int first_layer_takes_lists(const cn_model *model, const cn__source *x)
{
    const cn_layer *first = first_at_work(model);
    return first && first->class_ == &cn__layer_dense && first->weights[0].rows == x->columns;
}

static double share_of_ink(const cn__source *x)
{
    int64_t numbers = x->rows * x->columns, seen = 0, zeros = 0;
    int64_t step = (numbers / SAMPLED_NUMBERS + 1) | 1; /* odd: out of step with the width of an image */
    for (int64_t i = 0; i < numbers; i += step, seen++) zeros += cn__number_at(x, i) == 0;
    return seen ? (double)(seen - zeros) / (double)seen : 1;
}

static cn__listing find_reason(const cn_model *model, cn__data *data, int encoded)
{
    const cn__source *x = &data->x;
    data->ink = -1;
    if (x->stored != CN__STORED_U8 && !encoded) return CN__LISTS_SEEN_ONCE;
    if (!model->engine->gather->lists) return CN__LISTS_FLOAT64;
    if (!first_layer_takes_lists(model, x)) return CN__LISTS_FIRST_LAYER;
    if (x->columns < FEWEST_COLUMNS || x->columns > CN__BATCH_MOST_COLUMNS) return CN__LISTS_COLUMNS;
    data->ink = share_of_ink(x);
    data->x.mostly_blank = data->ink < CN__SPARSE_BELOW;
    if (model->bf16_way == CN__BF16_TILES) return CN__LISTS; /* tiles do not mind how many zeros there are */
    return data->ink < CN__LISTS_BELOW ? CN__LISTS : CN__LISTS_INK;
}

/* The smallest number above 0 among some looked at, 0 when there is none. */
static double least_ink(const cn__source *x)
{
    int64_t numbers = x->rows * x->columns, step = (numbers / SAMPLED_NUMBERS + 1) | 1;
    double least = 0;
    for (int64_t i = 0; i < numbers; i += step) {
        double value = (float)(cn__number_at(x, i) * x->scale);
        if (value > 0 && (least == 0 || value < least)) least = value;
    }
    return least;
}

#define N_SCALES 3

int cn__codes_scale(const cn__source *x, int i, double *scale)
{
    if (x->stored == CN__STORED_U8) *scale = x->scale;
    else *scale = i == 0 ? 1 : i == 1 ? 1.0 / 255 : least_ink(x);
    return i < (x->stored == CN__STORED_U8 ? 1 : N_SCALES);
}

/* Leaves x.codes NULL when no scale serves. */
static int encode(const cn_model *model, cn__data *data)
{
    double scale;
    uint8_t *codes = cn__alloc_raw((size_t)(data->x.rows * data->x.columns), 1, "the inputs as bytes");
    if (!codes) return CN_ENOMEM;
    for (int i = 0; !data->x.codes && cn__codes_scale(&data->x, i, &scale); i++) {
        if (!model->engine->gather->encode(model->pool, &data->x, scale, codes)) continue;
        data->x.codes = data->own_codes = codes;
        data->x.code_scale = scale;
    }
    if (!data->x.codes) cn__free(codes);
    return CN_OK;
}

/* mixed_bfloat16 that has no tiles of its own takes none of bytes either: it sums shorter numbers, over lists. */
int cn__model_makes_tiles(const cn_model *model)
{
    return model->engine->gather->tiles && cn__cpu_amx_int8() && model->bf16_way != CN__BF16_ROUNDED;
}

void cn__codes_judge(const cn_model *model, cn__data *data, int encoded)
{
    data->listing = find_reason(model, data, encoded);
    int halves = model->bf16_way == CN__BF16_TILES;
    int tiles = data->ink >= CN__SPARSE_BELOW && cn__model_makes_tiles(model);
    data->as_tiles = data->listing == CN__LISTS && (halves || tiles);
}

int cn__codes_find(const cn_model *model, cn__data *data, int encoded)
{
    cn__codes_judge(model, data, encoded);
    if (data->listing != CN__LISTS) return CN_OK;
    if (encoded && data->ink < CN__SPARSE_BELOW && model->bf16_way != CN__BF16_TILES) {
        double scales[N_SCALES];
        int n_scales = 0;
        while (n_scales < N_SCALES && cn__codes_scale(&data->x, n_scales, &scales[n_scales])) n_scales++;
        CN_TRY(cn__sparse_find(model, data, scales, n_scales));
        if (!data->x.sparse) data->listing = CN__LISTS_VALUES;
        return CN_OK;
    }
    if (data->x.stored == CN__STORED_U8) {
        data->x.code_scale = data->x.scale;
        data->x.codes = data->x.data;
    } else {
        CN_TRY(encode(model, data));
        if (!data->x.codes) data->listing = CN__LISTS_VALUES;
    }
    return CN_OK;
}
