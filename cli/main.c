/* cornu: the table of commands, and what is common to all of them. */
#define _POSIX_C_SOURCE 200809L /* fcntl, open, poll */
#include "commands.h"
#include "complain.h"
#include "engine_check.h"
#include "run_clock.h"

#include <cornu/error.h>
#include <cornu/system.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_train, &command_evaluate, &command_predict, &command_summary, &command_show, &command_data, &command_info,
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[N_COMMANDS + 1];
    for (int i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i]->name;
    }
    names[N_COMMANDS] = "help";
    const char *near = cn_suggest(name, names, N_COMMANDS + 1);
    if (near != NULL) {
        return refuse("unknown command `%.60s`, did you mean `%s`? `cornu --help` lists all", name, near);
    }
    return refuse("unknown command `%.60s`; `cornu --help` lists all", name);
}

static void print_overview(FILE *stream)
{
    fprintf(stream, "cornu: train and use small neural networks, with Keras's words and numbers\n\n"
                    "Usage: cornu COMMAND ...\n\nCommands:\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    fprintf(stream, "  %-10s %s\n\n", "help", "explain a command: cornu help train");
    fprintf(stream, "A first minute:\n"
                    "  cornu train mnist --output mnist.safetensors    learn from 60,000 digits\n"
                    "  cornu show mnist                                look at the digits\n"
                    "  cornu predict mnist.safetensors photo.png       read a digit of your own\n");
}

static int run_help(int argc, char **argv)
{
    if (argc == 0) {
        print_overview(stdout);
        return STATUS_OK;
    }
    const struct command *command = find_command(argv[0]);
    if (command == NULL) {
        return unknown_command(argv[0]);
    }
    options_help(command);
    return STATUS_OK;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    int n_operands = 0, status = STATUS_USAGE;
    void *values = malloc(command->options_size);
    complain_as(command->name);
    if (values == NULL) {
        return complain("out of memory");
    }
    memcpy(values, command->defaults, command->options_size);
    switch (options_parse(command, argc, argv, values, &n_operands)) {
    case OPTIONS_RUN:
        status = engine_check(NULL, NULL); /* CORNU_ISA */
        status = status == STATUS_OK ? command->run(values, n_operands, argv) : status;
        break;
    case OPTIONS_HELP:
        options_help(command);
        status = STATUS_OK;
        break;
    case OPTIONS_WRONG: break;
    }
    free(values);
    return status;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return STATUS_USAGE;
    }
    const char *first = argv[1];
    if (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        return run_help(argc - 2, argv + 2);
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "version") == 0) {
        struct cn_system machine;
        cn_system_get(&machine);
        printf("cornu %s\n", machine.version);
        return STATUS_OK;
    }
    const struct command *command = find_command(first);
    if (command != NULL) {
        return run_command(command, argc - 2, argv + 2);
    }
    if (first[0] == '-') {
        return refuse("unknown option %.60s before a command; the form is: cornu COMMAND [OPTION]...", first);
    }
    return unknown_command(first);
}

/* A standard stream that was closed by the caller is opened so that using it fails, instead of meeting the next file
 * that is opened: results must not end up in a model. */
static void occupy_closed_streams(void)
{
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) == -1 && open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY) != stream) {
            _exit(STATUS_FAILED);
        }
    }
}

/* `cornu show mnist | head`: whoever read has seen enough, which is no failure to tell of. */
static int reader_has_left(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

/* Ends as a program does that SIGPIPE ends while it writes. */
static int end_quietly(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
    return STATUS_FAILED;
}

int main(int argc, char **argv)
{
    run_clock_start();
    occupy_closed_streams();
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves must not end a training; it shows as a failed write below */
    int status = run(argc, argv);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        const char *reason = errno != 0 ? strerror(errno) : "some of it could not be written";
        if (reader_has_left()) {
            return end_quietly();
        }
        return complain("writing the results to standard output failed: %s", reason);
    }
    return status;
}
