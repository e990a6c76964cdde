#include "commands.h"
#include "complain.h"
#include "terminal.h"

#include <cornu/model.h>
#include <stdio.h>

struct summary_options {
    int64_t columns;
};

static const struct option options[] = {
    {OPTION_INTEGER, "columns", 0, offsetof(struct summary_options, columns), "N", 0, 1000,
     "a whole number from 0 to 1000", "width of the table; 0 means the terminal's"},
    {.kind = OPTION_END},
};

static const struct summary_options defaults = {0};

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct summary_options *given = given_options;
    (void)n_operands;
    cn_model *model = cn_model_load(operands[0], .threads = 1);
    if (model == NULL) {
        return complain_of_library();
    }
    char *text = cn_model_summary(model, given->columns > 0 ? (int)given->columns : terminal_columns(stdout));
    int status = text == NULL ? complain_of_library() : STATUS_OK;
    if (text != NULL) {
        size_t length = 0;
        while (text[length] != '\0') {
            length++;
        }
        fputs(text, stdout);
        if (length > 0 && text[length - 1] != '\n') {
            putchar('\n');
        }
    }
    cn_string_free(text);
    cn_model_destroy(&model);
    return status;
}

const struct command command_summary = {
    .name = "summary",
    .summary = "print the layers and parameters of a saved model",
    .operands = "MODEL",
    .about = "MODEL is a file that `cornu train --output` wrote. The table is Keras 3's.",
    .examples = "  cornu summary mnist.safetensors",
    .least_operands = 1,
    .most_operands = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct summary_options),
    .run = run,
};
