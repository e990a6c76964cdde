/* Command lines: one table describes the options of a command; parsing, range checks and --help all come from it. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>

typedef enum option_kind {
    OPTION_END,     /* closes a table */
    OPTION_FLAG,    /* int: becomes 1 when given */
    OPTION_UNSET,   /* int: becomes 0 when given */
    OPTION_INTEGER, /* int64_t from least to most; a default outside means "not given" */
    OPTION_SEED,    /* uint64_t, decimal or 0x... */
    OPTION_REAL,    /* double from least to most; NaN means "not given" */
    OPTION_TEXT     /* const char *, points into argv; NULL means "not given" */
} option_kind;

struct option {
    option_kind kind;
    const char *name;       /* "batch-size", without the dashes */
    char letter;            /* 'o' for -o, 0 for none */
    size_t place;           /* offsetof the value in the options struct of the command */
    const char *value_name; /* "N" in --epochs N; NULL for flags */
    double least, most;     /* for numbers */
    const char *accepts;    /* the range in words: "a whole number of at least 1" */
    const char *help;       /* one sentence; the default is appended by the parser */
};

/* A subcommand of cornu. */
struct command {
    const char *name;      /* "train" */
    const char *summary;   /* one line for `cornu --help` */
    const char *operands;  /* "MODEL IMAGE..." */
    const char *about;     /* paragraphs for `cornu help NAME` */
    const char *examples;  /* lines, each a command that can be typed */
    int least_operands, most_operands;
    const struct option *options; /* up to OPTION_END */
    const void *defaults;  /* the options struct as it is when nothing is given */
    size_t options_size;   /* its size */
    int (*run)(const void *options, int n_operands, char **operands); /* returns the exit status */
};

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_INTERRUPTED = 130 /* 128 + SIGINT, as shells say */ };

typedef enum options_outcome { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG } options_outcome;

/* Reads argv (without the command's name) into `values`, which holds the defaults, and moves the operands to the front
 * of argv; *n_operands says how many. OPTIONS_WRONG: the sentence has been written to stderr. */
options_outcome options_parse(const struct command *command, int argc, char **argv, void *values, int *n_operands);

/* `cornu help NAME`, to standard output. */
void options_help(const struct command *command);

#endif
