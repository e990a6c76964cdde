#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_BYTES 1024

static _Thread_local int last_status;
static _Thread_local char last_sentence[SENTENCE_BYTES];

int cn__fail(int status, const char *format, ...)
{
    /* The arguments may point into the stored sentence itself, hence the detour. */
    char sentence[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    memcpy(last_sentence, sentence, sizeof sentence);
    last_status = status;
    return status;
}

void *cn__fail_null(int status, const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    cn__fail(status, "%s", sentence);
    return NULL;
}

int cn__fail_prefix(const char *format, ...)
{
    char prefix[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    size_t used = strlen(prefix);
    snprintf(prefix + used, sizeof prefix - used, "%s", last_sentence);
    memcpy(last_sentence, prefix, sizeof prefix);
    return last_status;
}

const char *cn_error_message(void)
{
    return last_sentence;
}

int cn_error_status(void)
{
    return last_status;
}

void cn_error_clear(void)
{
    last_status = CN_OK;
    last_sentence[0] = '\0';
}

const char *cn_status_name(int status)
{
    switch (status) {
#define CASE(name, value, text) case value: return #name;
        CN_STATUS_LIST(CASE)
#undef CASE
    default: return "unknown status";
    }
}

const char *cn_status_text(int status)
{
    switch (status) {
#define CASE(name, value, text) case value: return text;
        CN_STATUS_LIST(CASE)
#undef CASE
    default: return "unknown status";
    }
}
