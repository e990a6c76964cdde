/* Failures: one sentence on standard error, led by the name of the command, and exit status 1, or 2 for the command
 * line. */
#ifndef CLI_COMPLAIN_H
#define CLI_COMPLAIN_H

/* The command that runs, for the lead of sentences: "train" gives "cornu train: ...". */
void complain_as(const char *command_name);

/* Writes "cornu train: <sentence>" and returns STATUS_FAILED. */
__attribute__((format(printf, 1, 2))) int complain(const char *format, ...);

/* The same for what was asked for: returns STATUS_USAGE. */
__attribute__((format(printf, 1, 2))) int refuse(const char *format, ...);

/* Writes the library's sentence about its last failure and returns STATUS_FAILED. */
int complain_of_library(void);

/* The same where the library was given what an option says: STATUS_USAGE if it does not know a name or accept a
 * value. */
int complain_of_option(void);

/* Writes "warning: <sentence>" to standard error. */
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);

#endif
