#ifndef CN_BASE_CLOCK_H
#define CN_BASE_CLOCK_H

/* Seconds on a clock that never jumps. */
double cn__clock(void);

/* Seconds since 1970, as the system has it. */
double cn__wall_clock(void);

#endif
