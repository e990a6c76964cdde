/* How long a thread computes before the kernel lets another one have the CPU. Threads that wait for each other many
 * times a millisecond get on better with short turns: beside two programs that never rest, on two cores, fit took 4.7 s
 * instead of 6.0 s when all its threads had them. A thread's share of the CPU stays what it was. */
#ifndef CN_BASE_TURNS_H
#define CN_BASE_TURNS_H

#include <stdint.h>

typedef struct cn__turns {
    int were_changed;
    uint64_t before; /* nanoseconds */
} cn__turns;

/* Asks for short turns for the calling thread (Linux 6.12 and later; elsewhere, or where the thread has a scheduling of
 * its own, nothing happens). */
void cn__turns_shorten(cn__turns *turns);

/* Gives the calling thread back what it had. */
void cn__turns_restore(const cn__turns *turns);

#endif
