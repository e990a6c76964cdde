#include "options.h"

#include "complain.h"

#include <cornu/error.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_WORD 63
#define HELP_COLUMN 28
#define HELP_WIDTH 80

/* --- parsing --- */

static options_outcome wrong(const struct command *command, const char *sentence)
{
    refuse("%s; `cornu %s --help` lists the options", sentence, command->name);
    return OPTIONS_WRONG;
}

static options_outcome unknown_option(const struct command *command, const char *name, size_t length)
{
    const char *names[64];
    int n = 0;
    char word[LONGEST_WORD + 1], sentence[256];
    for (const struct option *o = command->options; o->kind != OPTION_END && n < 64; o++) {
        names[n++] = o->name;
    }
    snprintf(word, sizeof word, "%.*s", (int)(length < LONGEST_WORD ? length : LONGEST_WORD), name);
    const char *near = cn_suggest(word, names, n);
    if (near != NULL) {
        snprintf(sentence, sizeof sentence, "unknown option --%s, did you mean --%s?", word, near);
        complain("%s `cornu %s --help` lists all", sentence, command->name);
        return OPTIONS_WRONG;
    }
    snprintf(sentence, sizeof sentence, "unknown option --%s", word);
    return wrong(command, sentence);
}

static int read_integer(const char *text, const struct option *option, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0) {
        return -1;
    }
    *value = number;
    return (double)number >= option->least && (double)number <= option->most ? 0 : -1;
}

static int read_seed(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return end == text || *end != '\0' || errno != 0 || strchr(text, '-') != NULL ? -1 : 0;
}

/* A decimal number, or a fraction such as 1/255. */
static int read_real(const char *text, const struct option *option, double *value)
{
    char *end;
    *value = strtod(text, &end);
    if (end != text && *end == '/') {
        const char *below = end + 1;
        double divisor = strtod(below, &end);
        *value /= divisor;
        end = end == below ? (char *)text : end;
    }
    return end != text && *end == '\0' && *value >= option->least && *value <= option->most ? 0 : -1;
}

static int store(const struct option *option, const char *text, void *values)
{
    void *place = (char *)values + option->place;
    switch (option->kind) {
    case OPTION_FLAG: *(int *)place = 1; return 0;
    case OPTION_UNSET: *(int *)place = 0; return 0;
    case OPTION_INTEGER: return read_integer(text, option, place);
    case OPTION_SEED: return read_seed(text, place);
    case OPTION_REAL: return read_real(text, option, place);
    case OPTION_TEXT: *(const char **)place = text; return *text == '\0' ? -1 : 0;
    case OPTION_END: break;
    }
    return -1;
}

static const struct option *find_option(const struct command *command, const char *name, size_t length, int by_letter)
{
    for (const struct option *o = command->options; o->kind != OPTION_END; o++) {
        if (by_letter ? o->letter == *name : strlen(o->name) == length && memcmp(o->name, name, length) == 0) {
            return o;
        }
    }
    return NULL;
}

/* Takes argv[*i], which starts with a dash, and its value, which may be argv[*i + 1]. */
static options_outcome take_option(const struct command *command, int argc, char **argv, int *i, void *values)
{
    const char *given = argv[*i], *value = NULL;
    int by_letter = given[1] != '-';
    const char *name = by_letter ? given + 1 : given + 2;
    size_t length = by_letter ? 1 : strcspn(name, "=");
    char sentence[512];
    if (strcmp(given, "--help") == 0 || strcmp(given, "-h") == 0) {
        return OPTIONS_HELP;
    }
    const struct option *option = find_option(command, name, length, by_letter);
    if (option == NULL) {
        if (!by_letter) {
            return unknown_option(command, name, length);
        }
        snprintf(sentence, sizeof sentence, "unknown option %.60s", given);
        return wrong(command, sentence);
    }
    int takes_value = option->value_name != NULL;
    if (name[length] != '\0') {
        value = name + length + (name[length] == '=');
        if (!takes_value) {
            snprintf(sentence, sizeof sentence, "--%s takes no value", option->name);
            return wrong(command, sentence);
        }
    } else if (takes_value) {
        if (*i + 1 >= argc) {
            snprintf(sentence, sizeof sentence, "--%s needs a value: --%s %s", option->name, option->name,
                     option->value_name);
            return wrong(command, sentence);
        }
        value = argv[++*i];
    }
    if (store(option, value, values) != 0) {
        complain("--%s must be %s, not `%.200s`", option->name,
                 option->accepts != NULL ? option->accepts : "a text that is not empty", value);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}

options_outcome options_parse(const struct command *command, int argc, char **argv, void *values, int *n_operands)
{
    int only_operands = 0;
    *n_operands = 0;
    for (int i = 0; i < argc; i++) {
        if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[(*n_operands)++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_operands = 1;
        } else {
            options_outcome outcome = take_option(command, argc, argv, &i, values);
            if (outcome != OPTIONS_RUN) {
                return outcome;
            }
        }
    }
    if (*n_operands < command->least_operands) {
        complain("something is missing; the form is: cornu %s %s", command->name, command->operands);
        return OPTIONS_WRONG;
    }
    if (*n_operands > command->most_operands) {
        complain("`%.200s` is one argument too many; the form is: cornu %s%s%s", argv[command->most_operands],
                 command->name, *command->operands != '\0' ? " " : "", command->operands);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}

/* --- help --- */

/* Writes text from `column` on, broken at spaces, every further line indented. A blank line in it stays one. */
static void print_wrapped(const char *text, int column, int indent)
{
    int is_first = 1;
    while (*text != '\0') {
        int length = (int)strcspn(text, " \n"), is_paragraph = strncmp(text + length, "\n\n", 2) == 0;
        if (!is_first && column + 1 + length > HELP_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!is_first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", length, text);
        column += length;
        is_first = is_paragraph;
        if (is_paragraph) {
            printf("\n\n%*s", indent, "");
            column = indent;
        }
        text += length;
        text += strspn(text, " \n");
    }
    putchar('\n');
}

static int is_quoted(const char *line, int place)
{
    int quotes = 0;
    for (int i = 0; i < place; i++) {
        quotes += line[i] == '"';
    }
    return quotes % 2;
}

/* A line is a command, and behind a gap what it is for; what does not fit goes to a line of its own. */
static void print_example(const char *line, int length)
{
    int end = 2; /* of the command */
    while (end < length && strncmp(line + end, "  ", 2) != 0) {
        end++;
    }
    if (length <= HELP_WIDTH) {
        printf("%.*s\n", length, line);
        return;
    }
    int cut = end;
    while (cut > HELP_WIDTH - 2 || (cut < end && (line[cut] != ' ' || is_quoted(line, cut)))) {
        cut--;
    }
    printf("%.*s%s\n", cut, line, cut < end ? " \\" : "");
    if (cut < end) {
        printf("      %.*s\n", end - cut - 1, line + cut + 1);
    }
    if (end < length) {
        int gap = (int)strspn(line + end, " ");
        printf("      %.*s\n", length - end - gap, line + end + gap);
    }
}

static void print_examples(const char *examples)
{
    while (*examples != '\0') {
        int length = (int)strcspn(examples, "\n");
        print_example(examples, length);
        examples += length + (examples[length] == '\n');
    }
}

static void default_text(const struct option *option, const void *defaults, char *text, size_t size)
{
    const void *place = (const char *)defaults + option->place;
    text[0] = '\0';
    if (option->kind == OPTION_INTEGER) {
        if ((double)*(const int64_t *)place >= option->least) { /* a value that cannot be given means "not given" */
            snprintf(text, size, " (default %lld)", (long long)*(const int64_t *)place);
        }
    } else if (option->kind == OPTION_SEED) {
        snprintf(text, size, " (default %llu)", (unsigned long long)*(const uint64_t *)place);
    } else if (option->kind == OPTION_REAL && !isnan(*(const double *)place)) {
        snprintf(text, size, " (default %g)", *(const double *)place);
    } else if (option->kind == OPTION_TEXT && *(const char *const *)place != NULL) {
        snprintf(text, size, " (default %s)", *(const char *const *)place);
    }
}

void options_help(const struct command *command)
{
    int name_length = printf("cornu %s: ", command->name);
    print_wrapped(command->summary, name_length, name_length);
    printf("\nUsage: cornu %s %s%s[OPTION]...\n\n", command->name, command->operands,
           *command->operands != '\0' ? " " : "");
    print_wrapped(command->about, 0, 0);
    printf("\nOptions:\n");
    for (const struct option *o = command->options; o->kind != OPTION_END; o++) {
        char left[80], right[640], standard[200];
        default_text(o, command->defaults, standard, sizeof standard);
        snprintf(left, sizeof left, "  %s%c%s--%s%s%s", o->letter ? "-" : "  ", o->letter ? o->letter : ' ',
                 o->letter ? ", " : " ", o->name, o->value_name ? " " : "", o->value_name ? o->value_name : "");
        snprintf(right, sizeof right, "%s%s", o->help, standard);
        printf("%-*s", HELP_COLUMN, left);
        if (strlen(left) >= HELP_COLUMN) {
            printf("\n%*s", HELP_COLUMN, "");
        }
        print_wrapped(right, HELP_COLUMN, HELP_COLUMN);
    }
    printf("%-*s", HELP_COLUMN, "  -h, --help");
    print_wrapped("this text", HELP_COLUMN, HELP_COLUMN);
    printf("\nExamples:\n");
    print_examples(command->examples);
}
