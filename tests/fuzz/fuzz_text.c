/* Any text where layers, optimizers, losses, metrics and einsum's equations are told as texts; the first letter says
 * which. */
#include "fuzz.h"

/* A layer's initializers, activation and so on are looked at when it is built, behind an input. */
static void add_layer(const char *text)
{
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_input(4, 4, 2));
    expect_sentence(cn_add(model, cn_layer_from_text(text)) < 0);
    cn_model_destroy(&model);
}

static void compile(const cn_compile_options *options)
{
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_dense(2, .input_shape = {3}));
    expect_sentence(cn_model_compile(model, options) < 0);
    cn_model_destroy(&model);
}

static void multiply(const char *equation)
{
    cn_tensor *a = cn_zeros(CN_FLOAT32, 2, 3), *b = cn_zeros(CN_FLOAT32, 3, 2);
    cn_tensor *c = cn_tensor_einsum(equation, a, b);
    expect_sentence(!c);
    cn_tensor_destroy(&a);
    cn_tensor_destroy(&b);
    cn_tensor_destroy(&c);
}

static void read_text(char kind, const char *text)
{
    switch (kind) {
    case 'l': add_layer(text); break;
    case 'o': compile(&(const cn_compile_options){CN_COMPILE_DEFAULTS, .optimizer_name = text, .loss = "mse"}); break;
    case 'c': compile(&(const cn_compile_options){CN_COMPILE_DEFAULTS, .loss = text}); break;
    case 'm': compile(&(const cn_compile_options){CN_COMPILE_DEFAULTS, .loss = "mse", .metrics = {text}}); break;
    default: multiply(text); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!size) return 0;
    char *text = malloc(size);
    if (!text) abort();
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = 0;
    read_text((char)bytes[0], text);
    free(text);
    return 0;
}
