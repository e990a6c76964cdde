#define _POSIX_C_SOURCE 200809L
#include "base/stream.h"

#include <unistd.h>

int cn__is_terminal(FILE *stream)
{
    return isatty(fileno(stream));
}
