#ifndef CN_BASE_CLOCK_H
#define CN_BASE_CLOCK_H

/* Seconds on a clock that never jumps. */
double cn__clock(void);

#endif
