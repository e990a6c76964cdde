#include "autodiff/tape.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* --- rules --- */

const char *cn__op_name(cn__op op)
{
    static const char *const names[CN__OP_COUNT] = {
#define NAME(name) #name,
        CN__OPERATION_LIST(NAME)
#undef NAME
    };
    return names[op];
}

static int custom(const cn__backward *b)
{
    const cn__custom *own = b->operation->rule;
    return own->function(own->context, b->g, b->output, b->operation->n_inputs, b->operation->inputs, b->gradients);
}

int cn__gradient_find(cn__op op, cn__gradient_rule *rule)
{
    static const cn__gradient_line own[] = {{CN__OP_custom, custom}, {CN__OP_COUNT, NULL}};
    static const cn__gradient_line *const files[] = {own,
                                                     cn__gradient_elementwise,
                                                     cn__gradient_reduction,
                                                     cn__gradient_matmul,
                                                     cn__gradient_shape,
                                                     cn__gradient_gather};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (const cn__gradient_line *line = files[i]; line->op != CN__OP_COUNT; line++)
            if (line->op == op) {
                *rule = line->rule;
                return CN_OK;
            }
    return cn__fail(CN_ENOTSUP, "cn_tape_gradient: cn_tensor_%s has no gradient; end it there with cn_stop_gradient, "
                                "or give one with cn_custom_gradient", cn__op_name(op));
}

/* --- playing back --- */

/* What one call of cn_tape_gradient keeps about the tracked tensors, by number. */
typedef struct playback {
    const cn_tape *tape;
    unsigned char *depends; /* on a source */
    cn_tensor **sums;       /* gradients so far */
} playback;

static void find_dependents(playback *p, int n_sources, cn_tensor *const *sources)
{
    for (int i = 0; i < n_sources; i++) {
        int number = cn__tracked_find(&p->tape->tracked, sources[i]);
        if (number >= 0) p->depends[number] = 1;
    }
    for (int e = 0; e < p->tape->n; e++) {
        const cn__entry *entry = p->tape->entries[e];
        for (int i = 0; i < entry->operation.n_inputs; i++)
            if (entry->numbers[i] >= 0 && p->depends[entry->numbers[i]]) p->depends[entry->output_number] = 1;
    }
}

static int add_to_sum(playback *p, int number, cn_tensor *part)
{
    const cn_tensor *input = p->tape->tracked.tensors[number];
    part = cn__sum_to(part, input);
    if (part && cn__value_dtype(part) != cn__value_dtype(input)) part = cn_astype(part, cn__value_dtype(input));
    if (part && p->sums[number]) part = cn_tensor_add(p->sums[number], part);
    if (!part) return cn__null_tensor("cn_tape_gradient");
    p->sums[number] = part;
    return CN_OK;
}

static int play_entry(playback *p, const cn__entry *entry, int *wanted, cn_tensor **parts)
{
    const cn__operation *operation = &entry->operation;
    for (int i = 0; i < operation->n_inputs; i++) {
        wanted[i] = entry->numbers[i] >= 0 && p->depends[entry->numbers[i]];
        parts[i] = NULL;
    }
    cn__gradient_rule rule = NULL;
    CN_TRY(cn__gradient_find(operation->op, &rule));
    if (!rule) return CN_OK;
    cn__backward b = {.operation = operation, .output = entry->output, .g = p->sums[entry->output_number],
                      .wanted = wanted, .gradients = parts};
    CN_TRY(rule(&b));
    for (int i = 0; i < operation->n_inputs; i++)
        if (wanted[i] && parts[i]) CN_TRY(add_to_sum(p, entry->numbers[i], parts[i]));
    return CN_OK;
}

static int play(playback *p)
{
    int most = 1;
    for (int e = 0; e < p->tape->n; e++)
        if (p->tape->entries[e]->operation.n_inputs > most) most = p->tape->entries[e]->operation.n_inputs;
    int *wanted = cn__alloc((size_t)most, sizeof *wanted, "a gradient");
    cn_tensor **parts = cn__alloc((size_t)most, sizeof *parts, "a gradient");
    int status = wanted && parts ? CN_OK : CN_ENOMEM;
    for (int e = p->tape->n - 1; e >= 0 && status == CN_OK; e--) {
        const cn__entry *entry = p->tape->entries[e];
        if (p->sums[entry->output_number] && p->depends[entry->output_number])
            status = play_entry(p, entry, wanted, parts);
    }
    cn__free(wanted);
    cn__free(parts);
    return status;
}

/* A gradient that is the caller's alone: plain numbers in a tensor that no other gradient is, nor any input. */
static cn_tensor *present(const cn_tape *tape, cn_tensor *gradient, int n_before, cn_tensor *const *before)
{
    int is_shared = gradient->maker != &tape->recorder || gradient->scale != 1 || !cn_is_contiguous(gradient) ||
                    gradient->owner != NULL;
    for (int i = 0; i < n_before; i++) is_shared |= before[i] == gradient;
    return is_shared ? cn_copy(gradient) : gradient;
}

static int collect(const playback *p, int n_sources, cn_tensor *const *sources, cn_tensor **gradients)
{
    for (int i = 0; i < n_sources; i++) {
        int number = cn__tracked_find(&p->tape->tracked, sources[i]);
        if (number < 0 || !p->sums[number]) continue;
        gradients[i] = present(p->tape, p->sums[number], i, gradients);
        if (!gradients[i]) return cn__null_tensor("cn_tape_gradient");
    }
    return CN_OK;
}

static int differentiate(const cn_tape *tape, const cn_tensor *target, cn_tensor *upstream, int n_sources,
                         cn_tensor *const *sources, cn_tensor **gradients)
{
    int number = cn__tracked_find(&tape->tracked, target);
    if (number < 0) return CN_OK; /* nothing that is watched led to it */
    size_t n = (size_t)tape->tracked.n;
    playback p = {.tape = tape,
                  .depends = cn__alloc(n, 1, "a gradient"),
                  .sums = cn__alloc(n, sizeof *p.sums, "a gradient")};
    int status = p.depends && p.sums ? CN_OK : CN_ENOMEM;
    if (status == CN_OK) {
        find_dependents(&p, n_sources, sources);
        if (!upstream) upstream = cn_tensor_full(cn__value_dtype(target), target->ndim, target->shape, 1);
        p.sums[number] = upstream;
        status = upstream ? play(&p) : CN_ENOMEM;
    }
    if (status == CN_OK && p.depends[number]) status = collect(&p, n_sources, sources, gradients);
    cn__free(p.depends);
    cn__free(p.sums);
    return status;
}

static int check(const cn_tape *tape, const cn_tensor *target, int n_sources, cn_tensor *const *sources,
                 cn_tensor **gradients)
{
    if (!tape) return cn__fail(CN_EINVAL, "cn_tape_gradient: the tape is NULL");
    if (!target) return cn__null_tensor("cn_tape_gradient");
    if (n_sources < 0 || (n_sources > 0 && (!sources || !gradients)))
        return cn__fail(CN_EINVAL, "cn_tape_gradient: %d sources need as many tensors and room for their gradients",
                        n_sources);
    for (int i = 0; i < n_sources; i++)
        if (!sources[i]) return cn__fail(CN_EINVAL, "cn_tape_gradient: source %d is NULL", i);
    if (tape->is_used && !tape->is_persistent)
        return cn__fail(CN_ESTATE, "cn_tape_gradient: the gradient of this tape has been taken; to take another, make "
                                   "the tape with .persistent = 1");
    if (!cn__has_gradient(target))
        return cn__fail(CN_EDTYPE, "cn_tape_gradient: a target of %s has no gradient; compute it in float32 or float64",
                        cn_dtype_name(target->dtype));
    return CN_OK;
}

int cn__tape_gradient(cn_tape *tape, const cn_tensor *target, cn_tensor *upstream, int n_sources,
                      cn_tensor *const *sources, cn_tensor **gradients)
{
    CN_TRY(check(tape, target, n_sources, sources, gradients));
    for (int i = 0; i < n_sources; i++) gradients[i] = NULL;

    /* What is made now belongs to this tape, as the innermost, but is recorded by the others only. */
    int was_on = tape->is_on;
    if (was_on) cn__record_end(&tape->recorder);
    tape->recorder.records = 0;
    cn__record_begin(&tape->recorder);
    int status = differentiate(tape, target, upstream, n_sources, sources, gradients);
    cn__record_end(&tape->recorder);
    tape->recorder.records = 1;
    tape->is_used = 1;
    tape->is_on = was_on && tape->is_persistent;
    if (tape->is_on) cn__record_begin(&tape->recorder);

    for (int i = 0; i < n_sources && status < 0; i++) gradients[i] = NULL;
    return status;
}

int cn_tape_gradient(cn_tape *tape, const cn_tensor *target, int n_sources, cn_tensor *const *sources,
                     cn_tensor **gradients)
{
    return cn__tape_gradient(tape, target, NULL, n_sources, sources, gradients);
}
