#include "complain.h"

#include "options.h"

#include <cornu/error.h>
#include <stdarg.h>
#include <stdio.h>

static const char *lead = NULL;

void complain_as(const char *command_name)
{
    lead = command_name;
}

int complain(const char *format, ...)
{
    va_list arguments;
    fflush(stdout); /* so that results and the sentence appear in their order where both go to one place */
    fprintf(stderr, lead != NULL ? "cornu %s: " : "cornu: ", lead);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return STATUS_FAILED;
}

int complain_of_library(void)
{
    const char *sentence = cn_error_message();
    return complain("%s", *sentence != '\0' ? sentence : "failed without a reason given, which is a defect in Cornu");
}

void warn(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("warning: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
