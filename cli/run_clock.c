#include "run_clock.h"

#include <cornu/system.h>

static double start = 0;

void run_clock_start(void)
{
    start = cn_clock();
}

double run_clock_seconds(void)
{
    return cn_clock() - start;
}
