#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

#include <string.h>

#define SAMPLED_NUMBERS 200000
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

static cn__listing judge(const cn_model *model, cn__data *data, int encoded)
{
    const cn__source *x = &data->x;
    data->ink = -1;
    if (x->stored != CN__STORED_U8 && !encoded) return CN__LISTS_SEEN_ONCE;
    if (!model->engine->gather->sparse) return CN__LISTS_FLOAT64;
    if (model->bf16_way != CN__BF16_NONE) return CN__LISTS_BFLOAT16;
    if (!first_layer_takes_lists(model, x)) return CN__LISTS_FIRST_LAYER;
    if (x->columns < FEWEST_COLUMNS || x->columns > CN__BATCH_MOST_COLUMNS) return CN__LISTS_COLUMNS;
    data->ink = share_of_ink(x);
    return data->ink < CN__LISTS_BELOW ? CN__LISTS : CN__LISTS_INK;
}

/* A dictionary of values, by their bits: open addressing, never more than half full. */
#define PLACES 1024
typedef struct dictionary {
    uint32_t bits[PLACES];
    int16_t code[PLACES]; /* -1: free */
    int n;
} dictionary;

/* The code of a value, a new one if need be; -1 when there would be more than 256. */
static int code_of(dictionary *d, float value, float *table)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t place = (bits * 2654435769u) >> 22;
    while (d->code[place] >= 0 && d->bits[place] != bits) place = (place + 1) % PLACES;
    if (d->code[place] >= 0) return d->code[place];
    if (d->n == 256) return -1;
    d->bits[place] = bits;
    d->code[place] = (int16_t)d->n;
    table[d->n] = value;
    return d->n++;
}

/* x as bytes. Leaves x.codes NULL when it takes too many values. */
static int encode(cn__data *data)
{
    const cn__source *x = &data->x;
    int64_t numbers = x->rows * x->columns;
    dictionary d = {.n = 0};
    memset(d.code, -1, sizeof d.code);
    uint8_t *codes = cn__alloc_raw((size_t)numbers, 1, "the inputs as bytes");
    if (!codes) return CN_ENOMEM;
    code_of(&d, 0, data->table); /* 0 is code 0 */
    for (int64_t i = 0; i < numbers; i++) {
        int code = code_of(&d, (float)(cn__number_at(x, i) * x->scale), data->table);
        if (code < 0) {
            cn__free(codes);
            return CN_OK;
        }
        codes[i] = (uint8_t)code;
    }
    data->values = d.n;
    data->own_codes = codes;
    data->x.codes = codes;
    return CN_OK;
}

int cn__codes_find(const cn_model *model, cn__data *data, int encoded)
{
    data->listing = judge(model, data, encoded);
    if (data->listing != CN__LISTS) return CN_OK;
    if (data->x.stored != CN__STORED_U8) {
        CN_TRY(encode(data));
        if (!data->x.codes) data->listing = CN__LISTS_VALUES;
    } else {
        for (int i = 0; i < 256; i++) data->table[i] = (float)(i * data->x.scale);
        data->x.codes = data->x.data;
    }
    data->x.table = data->table;
    return CN_OK;
}
