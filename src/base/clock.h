#ifndef CN_BASE_CLOCK_H
#define CN_BASE_CLOCK_H

#include <stdio.h>

/* Seconds on a clock that never jumps. */
double cn__clock(void);

/* 1 if the stream is a terminal. */
int cn__is_terminal(FILE *stream);

#endif
