#ifndef CN_BASE_STREAM_H
#define CN_BASE_STREAM_H

#include <stdio.h>

/* 1 if the stream is a terminal. */
int cn__is_terminal(FILE *stream);

#endif
