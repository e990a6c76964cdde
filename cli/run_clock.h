/* When this run of the tool began. */
#ifndef CLI_RUN_CLOCK_H
#define CLI_RUN_CLOCK_H

void run_clock_start(void);      /* the first thing main does */
double run_clock_seconds(void);  /* since then */

#endif
