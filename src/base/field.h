/* Option structs that describe themselves: one table of fields serves the text form ("dense(512, activation=relu)"),
 * the JSON form in model files, copying and freeing. */
#ifndef CN_BASE_FIELD_H
#define CN_BASE_FIELD_H

#include <stddef.h>
#include <stdint.h>

typedef enum cn__field_type {
    CN__FIELD_INT,   /* int; also 0/1 switches, written true and false in JSON */
    CN__FIELD_INT64, /* int64_t */
    CN__FIELD_REAL,  /* double */
    CN__FIELD_TEXT,  /* const char *, owned by the struct once it has been through cn__fields_copy */
    CN__FIELD_LIST,  /* double[16], zeros at the end left out; in text [0.1, 0.01] */
    CN__FIELD_SHAPE, /* int64_t[8], up to the first 0; in text 28x28 or (28, 28) */
    CN__FIELD_RANGE, /* double[2], see cn__range; in text 0.1 or (-0.2, 0.3) */
    CN__FIELD_REALS  /* cn__reals; in text 0.1 or [0.1, 0.2, 0.3] */
} cn__field_type;

typedef struct cn__field {
    const char *name; /* Keras's keyword */
    cn__field_type type;
    size_t offset;
} cn__field;

/* One number, or n of them, owned like a text; then `one` means nothing. Public structs have three members in its
 * place. */
typedef struct cn__reals {
    double one;
    const double *many; /* NULL where n is 0 */
    int64_t n;
} cn__reals;

#define CN__SHAPE_ENTRIES 8
#define CN__LIST_ENTRIES 16

/* Keras's rule for a range: {f, 0} is one number and stands for -|f| ... |f|, {a, b} for all between the two. */
void cn__range(const double range[2], double *low, double *high);

/* Copies n fields from one struct to another and duplicates what they own. On CN_ENOMEM the copy owns nothing. */
int cn__fields_copy(const cn__field *fields, int n, const void *from, void *to);

/* Frees what a copy owns. */
void cn__fields_free(const cn__field *fields, int n, void *options);

/* A name with arguments, taken apart. */
#define CN__SPEC_ARGUMENTS 32
#define CN__SPEC_BYTES 512
typedef struct cn__spec {
    char name[64];
    int n;
    const char *keys[CN__SPEC_ARGUMENTS]; /* NULL for positional arguments */
    const char *values[CN__SPEC_ARGUMENTS];
    char text[CN__SPEC_BYTES]; /* what keys and values point into */
} cn__spec;

/* "name", "name(1, key=value)". Brackets nest. Error: CN_EINVAL with the text and the column. */
int cn__spec_parse(const char *text, cn__spec *spec);

/* Sets fields of a copy from the arguments of a spec; positional ones go to the fields in order, but never to
 * "input_shape" and what stands behind it.
 * Errors: CN_ENAME (unknown keyword), CN_EINVAL (not a number, given twice, too many), CN_ENOMEM. */
int cn__fields_set(const cn__field *fields, int n, void *options, const cn__spec *spec);

/* Sets one field from text. */
int cn__field_set_text(const cn__field *field, void *options, const char *owner, const char *value);

/* The field called name, NULL if there is none. */
const cn__field *cn__field_find(const cn__field *fields, int n, const char *name);

#endif
