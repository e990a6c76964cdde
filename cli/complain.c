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

static void say(const char *format, va_list arguments)
{
    fflush(stdout); /* so that results and the sentence appear in their order where both go to one place */
    fprintf(stderr, lead != NULL ? "cornu %s: " : "cornu: ", lead);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return STATUS_FAILED;
}

int refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return STATUS_USAGE;
}

int complain_of_library(void)
{
    const char *sentence = cn_error_message();
    return complain("%s", *sentence != '\0' ? sentence : "failed without a reason given, which is a defect in Cornu");
}

int complain_of_option(void)
{
    int reason = cn_error_status();
    complain_of_library();
    return reason == CN_ENAME || reason == CN_EINVAL ? STATUS_USAGE : STATUS_FAILED;
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
