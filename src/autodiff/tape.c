#include "autodiff/tape.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

int cn__has_gradient(const cn_tensor *tensor)
{
    return cn__is_real(cn__value_dtype(tensor));
}

/* --- writing --- */

/* Inputs that nobody follows are held as well: a product needs them for the gradient of its other factor. */
static void release_entry(cn__entry *entry)
{
    if (!entry) return;
    for (int i = 0; i < entry->operation.n_inputs; i++) cn__record_let_go(entry->operation.inputs[i]);
    cn__free((void *)entry->operation.inputs);
    cn__free((void *)entry->operation.text);
    cn__free(entry->numbers);
    cn__free(entry);
}

static cn__entry *copy_operation(const cn__operation *operation)
{
    cn__entry *entry = cn__alloc(1, sizeof *entry, "an entry of a tape");
    if (!entry) return NULL;
    size_t n = (size_t)operation->n_inputs;
    const cn_tensor **inputs = cn__alloc(n, sizeof *inputs, "an entry of a tape");
    entry->numbers = cn__alloc(n, sizeof *entry->numbers, "an entry of a tape");
    char *text = cn__strdup(operation->text, "an entry of a tape");
    if (!inputs || !entry->numbers || (operation->text && !text)) {
        cn__free(inputs);
        cn__free(entry->numbers);
        cn__free(text);
        cn__free(entry);
        return NULL;
    }
    memcpy(inputs, operation->inputs, n * sizeof *inputs);
    entry->operation = *operation;
    entry->operation.inputs = inputs;
    entry->operation.text = text;
    if (operation->rule) {
        memcpy(&entry->custom, operation->rule, sizeof entry->custom);
        entry->operation.rule = &entry->custom;
    }
    for (size_t i = 0; i < n; i++) cn__record_hold(inputs[i]);
    return entry;
}

static int has_room(cn_tape *tape)
{
    if (tape->n < tape->capacity) return CN_OK;
    int capacity = tape->capacity ? 2 * tape->capacity : 64;
    cn__entry **entries = cn__realloc(tape->entries, (size_t)capacity, sizeof(cn__entry *), "the entries of a tape");
    if (!entries) return CN_ENOMEM;
    tape->entries = entries;
    tape->capacity = capacity;
    return CN_OK;
}

static int follows(const cn_tape *tape, const cn_tensor *tensor)
{
    return cn__has_gradient(tensor) && (tensor->is_variable || cn__tracked_find(&tape->tracked, tensor) >= 0);
}

static int write_entry(cn__recorder *recorder, const cn_tensor *output, const cn__operation *operation)
{
    cn_tape *tape = (cn_tape *)recorder;
    int depends = 0;
    for (int i = 0; i < operation->n_inputs; i++) depends |= follows(tape, operation->inputs[i]);
    if (!depends || !cn__has_gradient(output)) return CN_OK;

    CN_TRY(has_room(tape));
    cn__entry *entry = copy_operation(operation);
    if (!entry) return CN_ENOMEM;
    int status = CN_OK;
    for (int i = 0; i < operation->n_inputs && status >= 0; i++) {
        entry->numbers[i] = -1;
        if (!follows(tape, operation->inputs[i])) continue;
        status = cn__tracked_add(&tape->tracked, operation->inputs[i]);
        if (status >= 0) entry->numbers[i] = status;
    }
    if (status >= 0) status = entry->output_number = cn__tracked_add(&tape->tracked, output);
    if (status < 0) {
        release_entry(entry);
        return status;
    }
    entry->output = output;
    tape->entries[tape->n++] = entry;
    return CN_OK;
}

/* --- tapes --- */

static void switch_on(cn_tape *tape, int on)
{
    if (on && !tape->is_on) cn__record_begin(&tape->recorder);
    if (!on && tape->is_on) cn__record_end(&tape->recorder);
    tape->is_on = on;
}

cn_tape *cn_tape_create(const cn_tape_options *options)
{
    cn_tape *tape = cn__alloc(1, sizeof *tape, "a gradient tape");
    if (!tape) return NULL;
    tape->is_persistent = options && options->persistent;
    tape->recorder.records = 1;
    tape->recorder.write = write_entry;
    switch_on(tape, 1);
    return tape;
}

int cn_tape_stop(cn_tape *tape)
{
    if (!tape) return cn__fail(CN_EINVAL, "cn_tape_stop: the tape is NULL");
    switch_on(tape, 0);
    return CN_OK;
}

int cn_tape_begin(cn_tape *tape)
{
    if (!tape) return cn__fail(CN_EINVAL, "cn_tape_begin: the tape is NULL");
    if (tape->is_used && !tape->is_persistent)
        return cn__fail(CN_ESTATE, "cn_tape_begin: the gradient of this tape has been taken; make a new tape, or make "
                                   "it with .persistent = 1");
    switch_on(tape, 1);
    return CN_OK;
}

int cn_tape_watch(cn_tape *tape, const cn_tensor *tensor)
{
    if (!tape) return cn__fail(CN_EINVAL, "cn_tape_watch: the tape is NULL");
    if (!tensor) return cn__null_tensor("cn_tape_watch");
    if (!cn__has_gradient(tensor))
        return cn__fail(CN_EDTYPE, "cn_tape_watch: a tensor of %s has no gradient; convert it with "
                                   "cn_astype(tensor, CN_FLOAT32) first", cn_dtype_name(tensor->dtype));
    int number = cn__tracked_add(&tape->tracked, tensor);
    return number < 0 ? number : CN_OK;
}

void cn_tape_destroy(cn_tape **tape)
{
    if (!tape || !*tape) return;
    cn_tape *doomed = *tape;
    *tape = NULL;
    switch_on(doomed, 0);
    while (doomed->recorder.made) {
        cn_tensor *made = doomed->recorder.made;
        cn_tensor_destroy(&made);
    }
    for (int i = 0; i < doomed->n; i++) release_entry(doomed->entries[i]);
    cn__tracked_clear(&doomed->tracked);
    cn__free(doomed->entries);
    cn__free(doomed);
}
