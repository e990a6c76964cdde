/* The commands of cornu; each is defined in its own file. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

extern const struct command command_train, command_evaluate, command_predict, command_summary, command_show,
    command_data, command_info;

#endif
