#include "layers_text.h"

#include "complain.h"
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *layers_text_next(const char *text, char item[LAYERS_TEXT_LONGEST + 1])
{
    int depth = 0;
    const char *end = text;
    while (*end != '\0' && (*end != ',' || depth > 0)) {
        depth += (*end == '(') - (*end == ')');
        end++;
    }
    const char *first = text + strspn(text, " \t"), *last = end;
    while (last > first && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }
    size_t length = first < last && last - first <= LAYERS_TEXT_LONGEST ? (size_t)(last - first) : 0;
    memcpy(item, first, length);
    item[length] = '\0';
    return *end == ',' ? end + 1 : NULL;
}

/* "512" and "512:relu" are dense layers. */
static int is_units(const char *item)
{
    size_t digits = strspn(item, "0123456789");
    return digits > 0 && (item[digits] == '\0' || item[digits] == ':');
}

static int is_called(const char *item, const char *name)
{
    size_t length = strlen(name);
    return strncasecmp(item, name, length) == 0 && (item[length] == '\0' || item[length] == '(' || item[length] == ' ');
}

/* Layers that take samples of any shape: what follows decides. */
static int takes_any_shape(const char *item)
{
    static const char *const names[] = {
        "activation", "rescaling", "dropout", "batch_normalization", "batchnormalization", "layer_normalization",
        "layernormalization", "re_lu", "relu", "leaky_re_lu", "leakyrelu", "p_re_lu", "prelu", "elu", "softmax",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_called(item, names[i])) {
            return 1;
        }
    }
    return 0;
}

int layers_text_want_rows(const char *text)
{
    char item[LAYERS_TEXT_LONGEST + 1];
    while (text != NULL) {
        text = layers_text_next(text, item);
        if (is_units(item) || is_called(item, "dense")) {
            return 1;
        }
        if (!takes_any_shape(item)) {
            return 0;
        }
    }
    return 1;
}

int layers_text_want_channels(const char *text)
{
    char item[LAYERS_TEXT_LONGEST + 1];
    while (text != NULL) {
        text = layers_text_next(text, item);
        item[strcspn(item, "( ")] = '\0';
        size_t length = strlen(item);
        if ((length > 2 && strcasecmp(item + length - 2, "2d") == 0) || strncasecmp(item, "random", 6) == 0) {
            return 1;
        }
    }
    return 0;
}

int layers_text_rescale(const char *text)
{
    char item[LAYERS_TEXT_LONGEST + 1];
    while (text != NULL) {
        text = layers_text_next(text, item);
        if (is_called(item, "rescaling")) {
            return 1;
        }
    }
    return 0;
}

int layers_text_add(cn_model *model, const char *text)
{
    char item[LAYERS_TEXT_LONGEST + 1], dense[LAYERS_TEXT_LONGEST + 40];
    while (text != NULL) {
        text = layers_text_next(text, item);
        if (item[0] == '\0') {
            return refuse("--layers has an empty place; write layers with single commas between them, such as "
                          "512:relu,10:softmax");
        }
        if (is_units(item)) {
            size_t digits = strspn(item, "0123456789");
            const char *activation = item[digits] == ':' ? item + digits + 1 : "linear";
            snprintf(dense, sizeof dense, "dense(%.*s, activation=%s)", (int)digits, item, activation);
            cn_add(model, cn_layer_from_text(dense));
        } else {
            cn_add(model, cn_layer_from_text(item));
        }
    }
    return STATUS_OK;
}
