/* Thousands of operations against what NumPy gave for the same operands (tests/parity/numpy_records.md).
 * `test_numpy_operations FILE` reads another record than the committed one. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/tensor.h"

#include <cornu/error.h>
#include <cornu/operations.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *record = CN_PARITY_DIR "/numpy_operations.txt";

/* --- operands: made by the same rule as in record_numpy_operations.py --- */

static uint32_t scatter(uint64_t i, uint64_t seed)
{
    uint32_t h = (uint32_t)(i * 2654435761u + seed * 0x9E3779B9u);
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return h ^ h >> 16;
}

static double real_number(int64_t h, char kind)
{
    static const double extremes[] = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 0.5, -2.5, 3.5, 65504, -0.25,
                                      0x1p-14, 1024};
    switch (kind) {
    case 'e': return extremes[h % 14];
    case 'n': return (double)(h % 1025 - 512) / 64;
    case 'p': return (double)(1 + h % 512) / 64;
    case 'u': return (double)(h % 127 - 63) / 64;
    default: return (double)(h % 33 - 16) / 8;
    }
}

static int64_t whole_number(uint64_t i, uint64_t seed, cn_dtype dtype, const char *kind)
{
    int64_t h = scatter(i, seed), n = strtoll(kind + 1, NULL, 10);
    int is_unsigned = cn_dtype_name(dtype)[0] == 'u';
    if (kind[0] == 'm') return h % n;
    if (kind[0] == 'w') return h % (2 * n) - n;
    if (dtype == CN_BOOL) return h % 2;
    switch (kind[0]) {
    case 'e': return (int64_t)((uint64_t)h | (uint64_t)scatter(i, seed + 77777) << 32);
    case 'n': return h % 41 - (is_unsigned ? 0 : 20);
    case 'p': return 1 + h % 20;
    case 'u': return h % 2;
    default: return h % 5;
    }
}

static cn_tensor *filled(cn_dtype dtype, int ndim, const int64_t *shape, uint64_t seed, const char *kind)
{
    int real = cn__is_real(dtype);
    cn_tensor *wide = cn_tensor_create(real ? CN_FLOAT64 : CN_INT64, ndim, shape);
    assert_non_null(wide);
    for (int64_t i = 0; i < cn_size(wide); i++) {
        if (real) ((double *)cn_data(wide))[i] = real_number(scatter((uint64_t)i, seed), kind[0]);
        else ((int64_t *)cn_data(wide))[i] = whole_number((uint64_t)i, seed, dtype, kind);
    }
    cn_tensor *tensor = cn_astype(wide, dtype);
    cn_tensor_destroy(&wide);
    return tensor;
}

static cn_dtype dtype_named(const char *name)
{
    for (int d = 0; d < CN_DTYPE_COUNT; d++)
        if (strcmp(cn_dtype_name((cn_dtype)d), name) == 0) return (cn_dtype)d;
    fail_msg("no dtype %s", name);
    return CN_DTYPE_COUNT;
}

static int read_shape(const char *text, int64_t *shape)
{
    int ndim = 0;
    char *end;
    if (*text == '-') return 0;
    do {
        shape[ndim++] = strtoll(text, &end, 10);
        text = end + 1;
    } while (*end == 'x');
    return ndim;
}

static const cn_tensor *operand(const char *word)
{
    char dtype[16], shape_text[64], kind[16], view;
    unsigned long long seed;
    int64_t shape[CN_MAX_NDIM], whole[CN_MAX_NDIM];
    if (word[0] == 'I') return cn_int(strtoll(word + 1, NULL, 10));
    if (word[0] == 'F') return cn_float(strtod(word + 1, NULL));
    if (sscanf(word, "%15[^:]:%63[^:]:%llu:%15[^:]:%c", dtype, shape_text, &seed, kind, &view) != 5)
        fail_msg("%s", word);
    int ndim = read_shape(shape_text, shape);
    for (int i = 0; i < ndim; i++) whole[i] = view == 't' ? shape[ndim - 1 - i] : shape[i];
    if (view == 'h' && ndim) whole[ndim - 1] *= 2;
    cn_tensor *tensor = filled(dtype_named(dtype), ndim, whole, seed, kind);
    cn_range ranges[CN_MAX_NDIM];
    for (int i = 0; i < ndim; i++) ranges[i] = (cn_range){0, CN_END, view == 'h' && i == ndim - 1 ? 2 : 1};
    switch (view) {
    case 't': return cn_transpose(tensor);
    case 'r': return cn_tensor_flip(tensor, CN_EVERY_AXIS);
    case 'h': return cn_tensor_slice(tensor, ndim, ranges);
    default: return tensor;
    }
}

/* --- words of a line --- */

#define MAX_WORDS 12
typedef struct call {
    int n;                 /* operands */
    const cn_tensor *x[MAX_WORDS];
    int n_lists;           /* a1,2: axes, shapes, widths; a*: none */
    int lengths[2], has_list[2], axes[2][2 * CN_MAX_NDIM];
    int64_t wide[2][2 * CN_MAX_NDIM];
    int n_numbers;         /* n5 */
    int64_t numbers[4];
    const char *text;      /* of einsum and pad_mode */
} call;

static void read_list(call *c, const char *text)
{
    int k = c->n_lists++, n = 0;
    c->has_list[k] = *text != '*';
    while (c->has_list[k] && *text) {
        char *end;
        c->wide[k][n] = strtoll(text, &end, 10);
        c->axes[k][n] = (int)c->wide[k][n];
        n++;
        text = *end ? end + 1 : end;
    }
    c->lengths[k] = n;
}

static int axis(const call *c)
{
    return c->has_list[0] ? c->axes[0][0] : CN_NO_AXIS;
}

/* --- operations by name --- */

typedef cn_tensor *(*unary)(const cn_tensor *);
typedef cn_tensor *(*binary)(const cn_tensor *, const cn_tensor *);
typedef cn_tensor *(*over_axes)(const cn_tensor *, int, const int *, int);
typedef int (*in_place)(cn_tensor *, const cn_tensor *);

static const struct {
    const char *name;
    unary call;
} unaries[] = {
#define X(name) {#name, cn_tensor_##name},
    X(negative) X(absolute) X(sign) X(square) X(reciprocal) X(floor) X(ceil) X(trunc) X(rint) X(sqrt) X(exp) X(exp2)
    X(expm1) X(log) X(log2) X(log10) X(log1p) X(sin) X(cos) X(tan) X(arcsin) X(arccos) X(arctan) X(sinh) X(cosh)
    X(tanh) X(arcsinh) X(arccosh) X(arctanh) X(logical_not) X(isnan) X(isinf) X(isfinite) X(relu) X(sigmoid)
    X(unique) X(nonzero) X(cbrt) X(degrees) X(radians) X(signbit) X(invert)
};
static const struct {
    const char *name;
    binary call;
} binaries[] = {
    X(add) X(subtract) X(multiply) X(divide) X(floor_divide) X(remainder) X(power) X(maximum) X(minimum) X(arctan2)
    X(hypot) X(fmod) X(fmax) X(fmin) X(copysign) X(logaddexp) X(bitwise_and) X(bitwise_or) X(bitwise_xor)
    X(left_shift) X(right_shift) X(equal) X(not_equal) X(less) X(less_equal) X(greater) X(greater_equal) X(logical_and)
    X(logical_or) X(logical_xor) X(matmul) X(dot) X(outer) X(boolean_mask)
};
static const struct {
    const char *name;
    over_axes call;
} reductions[] = {X(sum) X(prod) X(max) X(min) X(any) X(all) X(mean)};
static const struct {
    const char *name;
    in_place call;
} in_places[] = {
#undef X
#define X(name) {#name "_inplace", cn_tensor_##name##_inplace},
    X(add) X(subtract) X(multiply) X(divide) X(floor_divide) X(remainder) X(power) {"assign", cn_tensor_assign},
};
#define COUNT(table) (sizeof table / sizeof *(table))

static cn_tensor *changed_copy(const call *c, in_place function)
{
    cn_tensor *copy = cn_copy(c->x[0]);
    return function(copy, c->x[1]) < 0 ? NULL : copy;
}

static cn_tensor *split_and_joined(const call *c)
{
    cn_tensor *parts[8];
    const cn_tensor *flat[8];
    int n = (int)c->numbers[0];
    if (cn_tensor_split(c->x[0], n, axis(c), parts) < 0) return NULL;
    for (int i = 0; i < n; i++) flat[i] = cn_reshape(parts[i], -1);
    return cn_tensor_concatenate(n, flat, 0);
}

static cn_tensor *padded(const call *c, const char *mode)
{
    int64_t widths[CN_MAX_NDIM][2];
    for (int i = 0; i < c->lengths[0]; i++) widths[i / 2][i % 2] = c->wide[0][i];
    if (mode) return cn_tensor_pad_mode(c->x[0], (const int64_t(*)[2])widths, mode);
    return cn_tensor_pad(c->x[0], (const int64_t(*)[2])widths, (double)c->numbers[0]);
}

static int is(const char *name, const char *other)
{
    return strcmp(name, other) == 0;
}

static cn_tensor *perform(const char *name, const call *c)
{
    const cn_tensor *x = c->x[0];
    const int *axes = c->has_list[0] ? c->axes[0] : NULL;
    for (size_t i = 0; i < COUNT(unaries); i++)
        if (is(name, unaries[i].name)) return unaries[i].call(x);
    for (size_t i = 0; i < COUNT(binaries); i++)
        if (is(name, binaries[i].name)) return binaries[i].call(x, c->x[1]);
    for (size_t i = 0; i < COUNT(reductions); i++)
        if (is(name, reductions[i].name)) return reductions[i].call(x, c->lengths[0], axes, (int)c->numbers[0]);
    for (size_t i = 0; i < COUNT(in_places); i++)
        if (is(name, in_places[i].name)) return changed_copy(c, in_places[i].call);
    if (is(name, "var")) return cn_tensor_var(x, c->lengths[0], axes, (double)c->numbers[1], (int)c->numbers[0]);
    if (is(name, "std")) return cn_tensor_std(x, c->lengths[0], axes, (double)c->numbers[1], (int)c->numbers[0]);
    if (is(name, "argmax")) return cn_tensor_argmax(x, axis(c), (int)c->numbers[0]);
    if (is(name, "argmin")) return cn_tensor_argmin(x, axis(c), (int)c->numbers[0]);
    if (is(name, "cumsum")) return cn_tensor_cumsum(x, axis(c));
    if (is(name, "cumprod")) return cn_tensor_cumprod(x, axis(c));
    if (is(name, "sort")) return cn_tensor_sort(x, axis(c));
    if (is(name, "argsort")) return cn_tensor_argsort(x, axis(c));
    if (is(name, "softmax")) return cn_tensor_softmax(x, axis(c));
    if (is(name, "round")) return cn_tensor_round(x, (int)c->numbers[0]);
    if (is(name, "where")) return cn_tensor_where(x, c->x[1], c->x[2]);
    if (is(name, "clip")) return cn_tensor_clip(x, c->x[1], c->x[2]);
    if (is(name, "take")) return cn_tensor_take(x, c->x[1], axis(c));
    if (is(name, "take_along_axis")) return cn_tensor_take_along_axis(x, c->x[1], axis(c));
    if (is(name, "concatenate")) return cn_tensor_concatenate(c->n, c->x, axis(c));
    if (is(name, "stack")) return cn_tensor_stack(c->n, c->x, axis(c));
    if (is(name, "tensordot") && c->n_numbers) return cn_tensor_tensordot(x, c->x[1], (int)c->numbers[0], NULL, NULL);
    if (is(name, "tensordot")) return cn_tensor_tensordot(x, c->x[1], c->lengths[0], c->axes[0], c->axes[1]);
    if (is(name, "einsum")) return cn_tensor_einsum(c->text, x, c->n > 1 ? c->x[1] : NULL);
    if (is(name, "expand_dims")) return cn_tensor_expand_dims(x, axis(c));
    if (is(name, "squeeze")) return cn_tensor_squeeze(x, c->lengths[0], axes);
    if (is(name, "flip")) return cn_tensor_flip(x, c->lengths[0], axes);
    if (is(name, "broadcast_to")) return cn_tensor_broadcast_to(x, c->lengths[0], c->wide[0]);
    if (is(name, "diagonal")) return cn_tensor_diagonal(x, c->numbers[0]);
    if (is(name, "tile")) return cn_tensor_tile(x, c->lengths[0], c->wide[0]);
    if (is(name, "repeat")) return cn_tensor_repeat(x, c->numbers[0], axis(c));
    if (is(name, "roll")) return cn_tensor_roll(x, c->numbers[0], axis(c));
    if (is(name, "bincount")) return cn_tensor_bincount(x, c->numbers[0]);
    if (is(name, "split")) return split_and_joined(c);
    if (is(name, "pad")) return padded(c, NULL);
    if (is(name, "pad_mode")) return padded(c, c->text);
    if (is(name, "assign_where")) {
        cn_tensor *copy = cn_copy(x);
        return cn_tensor_assign_where(copy, c->x[1], c->x[2]) < 0 ? NULL : copy;
    }
    fail_msg("no operation %s", name);
    return NULL;
}

/* --- results --- */

static double tolerance(cn_dtype dtype)
{
    return dtype == CN_FLOAT16 ? 2e-3 : dtype == CN_FLOAT32 ? 4e-6 : 1e-12;
}

/* What differs, or NULL. */
static const char *compare(const cn_tensor *result, const char *dtype, const char *shape_text, const char *rest)
{
    static char complaint[256];
    int64_t shape[CN_MAX_NDIM], index[CN_MAX_NDIM] = {0};
    if (strcmp(dtype, "error") == 0) return result ? "NumPy refuses this" : NULL;
    if (!result) return cn_error_message();
    if (strcmp(cn_dtype_name(cn_dtype_of(result)), dtype) != 0) {
        snprintf(complaint, sizeof complaint, "dtype %s", cn_dtype_name(cn_dtype_of(result)));
        return complaint;
    }
    int ndim = read_shape(shape_text, shape), same = ndim == cn_ndim(result);
    for (int i = 0; i < ndim && same; i++) same = shape[i] == cn_shape(result)[i];
    char own[CN_SHAPE_TEXT_BYTES];
    if (!same) {
        snprintf(complaint, sizeof complaint, "shape %s", cn__shape_text(own, cn_ndim(result), cn_shape(result)));
        return complaint;
    }
    uint64_t whole = 0;
    double sum = 0, magnitude = 0;
    for (int64_t i = 0; i < cn_size(result); i++, cn__next_index(result, result->ndim, index)) {
        uint64_t odd = ((uint64_t)i * 2 + 1) * 0x9E3779B97F4A7C15u, code;
        const char *element = cn__tensor_element(result, index);
        if (!cn__is_real(result->dtype)) {
            cn__convert_row(result->dtype, 1, element, 0, 1, CN_UINT64, &code);
        } else {
            double value = cn__tensor_value(result, element);
            double weight = (double)(scatter((uint64_t)i, 99) % 2001 - 1000.0) / 1000;
            code = isnan(value) ? 1 : value == INFINITY ? 2 : value == -INFINITY ? 3 : 0;
            if (code == 0) sum += weight * value;
            if (code == 0) magnitude += fabs(weight * value);
        }
        whole += code * odd;
    }
    char *end;
    uint64_t expected = strtoull(rest, &end, 16);
    if (whole != expected) return cn__is_real(result->dtype) ? "other places of NaN and infinity" : "other integers";
    if (!cn__is_real(result->dtype)) return NULL;
    double expected_sum = strtod(end, NULL);
    double allowed = tolerance(result->dtype) * magnitude + 1e-7 * (result->dtype == CN_FLOAT16);
    if (fabs(sum - expected_sum) <= allowed + 1e-11 * fabs(expected_sum)) return NULL;
    snprintf(complaint, sizeof complaint, "weighted sum %.12g instead of %.12g", sum, expected_sum);
    return complaint;
}

static const char *run(char *line)
{
    call c = {0};
    char *save, *name = strtok_r(line, " \n", &save), *word;
    while ((word = strtok_r(NULL, " \n", &save)) && strcmp(word, "=") != 0) {
        if ((is(name, "einsum") || is(name, "pad_mode")) && !c.text) c.text = word;
        else if (word[0] == 'a') read_list(&c, word + 1);
        else if (word[0] == 'n') c.numbers[c.n_numbers++] = strtoll(word + 1, NULL, 10);
        else c.x[c.n++] = operand(word);
    }
    char *dtype = strtok_r(NULL, " \n", &save), *shape = strtok_r(NULL, " \n", &save);
    char *rest = strtok_r(NULL, "\n", &save);
    cn_error_clear();
    cn_tensor *result = perform(name, &c);
    if (!result && cn_error_message()[0] == '\0') return "failed without a sentence";
    return compare(result, dtype, shape, rest);
}

static void agrees_with_numpy(void **state)
{
    (void)state;
    FILE *file = fopen(record, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t bytes = 0;
    int cases = 0, wrong = 0;
    while (getline(&line, &bytes, file) > 0) {
        if (line[0] == '#') continue;
        char *shown = strdup(line);
        cn_scope *scope = cn_scope_begin();
        const char *complaint = run(line);
        if (complaint) {
            shown[strcspn(shown, "\n")] = '\0';
            if (wrong++ < 40) print_message("%s: %s\n", shown, complaint);
        }
        cn_scope_end(&scope);
        free(shown);
        cases++;
    }
    free(line);
    fclose(file);
    while (cases % 64) cn_float(cases++); /* the places of numbers let go of their views */
    for (int i = 0; i < 64; i++) cn_int(i);
    assert_int_equal(cn__memory_live_blocks(), 0);
    assert_int_equal(wrong, 0);
    assert_true(cases >= 1500);
}

/* The comparison itself must find what is wrong. */
static void the_comparison_finds_wrong_results(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "add int32:3:1:n:p int32:3:2:n:p = int32 3 0",
        "add int32:3:1:n:p int32:3:2:n:p = int64 3 0",
        "add int32:3:1:n:p int32:3:2:n:p = int32 1x3 0",
        "add int32:3:1:n:p int32:3:2:n:p = error",
        "add int32:3:1:n:p int32:4:2:n:p = int32 3 0",
        "add float32:3:1:n:p float32:3:2:n:p = float32 3 0 1 1",
        "add float32:3:1:n:p float32:3:2:n:p = float32 3 7 1 1",
        "log float32:9:1:n:p = float32 9 0 0 0",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char line[128];
        snprintf(line, sizeof line, "%s", wrong[i]);
        cn_scope *scope = cn_scope_begin();
        if (!run(line)) fail_msg("not found: %s", wrong[i]);
        cn_scope_end(&scope);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) record = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_numpy),
        cmocka_unit_test(the_comparison_finds_wrong_results),
    };
    return cmocka_run_group_tests_name("numpy operations", tests, NULL, NULL);
}
