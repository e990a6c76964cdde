#include "tensor/equation.h"

#include "base/error.h"

#include <string.h>

/* The equation while it is read: operands are parts 0 and 1, the result is part 2. */
typedef struct reading {
    const char *text;
    char letters[3][CN_MAX_NDIM + 1];
    int dots[3]; /* how many letters stand before "...", -1: there is none */
    int has_arrow;
} reading;

static int refuse(const reading *r, const char *why)
{
    return cn__fail(CN_EINVAL, "cn_tensor_einsum: \"%s\": %s; write it like \"ij,jk->ik\"", r->text, why);
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int add_letter(const reading *r, char *letters, char c)
{
    size_t length = strlen(letters);
    if (!is_letter(c)) return refuse(r, "axes are letters, or \"...\" for those without a name");
    if (length == CN_MAX_NDIM) return refuse(r, "too many axes");
    letters[length] = c;
    letters[length + 1] = '\0';
    return CN_OK;
}

static int read_parts(reading *r, int n_operands)
{
    int part = 0;
    for (const char *c = r->text; *c; c++) {
        if (*c == ' ') continue;
        if (*c == ',' && part == 0 && n_operands == 2) {
            part = 1;
        } else if (*c == ',') {
            return refuse(r, r->has_arrow ? "there is a comma in the result"
                                          : part == 1 ? "at most two operands can be multiplied"
                                          : "there is one operand");
        } else if (*c == '-') {
            if (c[1] != '>' || r->has_arrow) return refuse(r, "\"-\" must be part of one \"->\"");
            if (part != n_operands - 1) return refuse(r, "there are two operands");
            r->has_arrow = 1;
            part = 2;
            c++;
        } else if (*c == '.') {
            if (c[1] != '.' || c[2] != '.' || r->dots[part] >= 0)
                return refuse(r, "dots come as \"...\", once in an operand");
            r->dots[part] = (int)strlen(r->letters[part]);
            c += 2;
        } else {
            CN_TRY(add_letter(r, r->letters[part], *c));
        }
    }
    return part == 2 || part == n_operands - 1 ? CN_OK : refuse(r, "there are two operands");
}

/* Letters that the text does not use. */
static void find_unused(const reading *r, int n, char *unused)
{
    for (char c = 'a'; n > 0 && c <= 'z'; c++)
        for (int upper = 0; upper < 2 && n > 0; upper++) {
            char letter = (char)(upper ? c - 'a' + 'A' : c);
            if (strchr(r->text, letter)) continue;
            *unused++ = letter;
            n--;
        }
    *unused = '\0';
}

static int insert(const reading *r, char *letters, int at, const char *inserted)
{
    size_t length = strlen(letters), more = strlen(inserted);
    if (length + more > CN_MAX_NDIM) return refuse(r, "too many axes");
    memmove(letters + at + more, letters + at, length - (size_t)at + 1);
    memcpy(letters + at, inserted, more);
    return CN_OK;
}

/* Gives letters to the axes of "...", which are aligned at the last of them. */
static int name_dots(reading *r, int n_operands, const cn_tensor *const *operands, char *names)
{
    char text[CN_SHAPE_TEXT_BYTES];
    int counts[2] = {0, 0}, most = 0;
    for (int k = 0; k < n_operands; k++) {
        const cn_tensor *x = operands[k];
        if (r->dots[k] < 0) continue;
        counts[k] = x->ndim - (int)strlen(r->letters[k]);
        if (counts[k] < 0)
            return cn__fail(CN_ESHAPE, "cn_tensor_einsum: \"%s\" names %d axes, but shape %s has %d", r->text,
                            (int)strlen(r->letters[k]), cn__shape_text(text, x->ndim, x->shape), x->ndim);
        if (counts[k] > most) most = counts[k];
    }
    find_unused(r, most, names);
    for (int k = 0; k < n_operands; k++)
        if (r->dots[k] >= 0) CN_TRY(insert(r, r->letters[k], r->dots[k], names + most - counts[k]));
    if (r->has_arrow && most > 0 && r->dots[2] < 0) return refuse(r, "the result lacks the axes of \"...\"");
    return r->dots[2] >= 0 ? insert(r, r->letters[2], r->dots[2], names) : CN_OK;
}

static int count(const reading *r, char c)
{
    int n = 0;
    for (int k = 0; k < 2; k++)
        for (const char *l = r->letters[k]; *l; l++) n += *l == c;
    return n;
}

/* Without "->", the result has the axes of "...", then the letters that occur once, in alphabetical order. */
static int imply_output(reading *r, const char *names)
{
    CN_TRY(insert(r, r->letters[2], 0, names));
    for (int c = 'A'; c <= 'z'; c++)
        if (count(r, (char)c) == 1 && !strchr(names, c)) CN_TRY(add_letter(r, r->letters[2], (char)c));
    return CN_OK;
}

static int check_output(const reading *r)
{
    for (const char *l = r->letters[2]; *l; l++) {
        if (strchr(l + 1, *l)) return refuse(r, "a letter stands twice in the result");
        if (!count(r, *l)) return refuse(r, "the result has a letter of its own");
    }
    return CN_OK;
}

int cn__equation_read(const char *text, int n_operands, const cn_tensor *const *operands, cn__equation *equation)
{
    reading r = {.text = text, .dots = {-1, -1, -1}};
    char names[CN_MAX_NDIM + 1];
    CN_TRY(read_parts(&r, n_operands));
    CN_TRY(name_dots(&r, n_operands, operands, names));
    if (!r.has_arrow) CN_TRY(imply_output(&r, names));
    CN_TRY(check_output(&r));
    *equation = (cn__equation){.n_operands = n_operands};
    for (int k = 0; k < 2; k++) strcpy(equation->letters[k], r.letters[k]);
    strcpy(equation->output, r.letters[2]);
    return CN_OK;
}
