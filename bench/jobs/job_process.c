/* Runs a command and measures it from outside: wall time from fork to its end, and its peak memory.
 *
 *   job_process REPEATS COMMAND [ARGUMENT...]
 *
 * Prints one JSON line. What the command writes to standard output is dropped; standard error stays. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    int repeats = argc > 2 ? atoi(argv[1]) : 0, null = open("/dev/null", O_WRONLY);
    long peak = 0;
    if (repeats < 1 || null < 0) {
        fprintf(stderr, "usage: job_process REPEATS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    printf("{\"wall_seconds\": [");
    for (int i = 0; i < repeats; i++) {
        struct rusage used;
        int status;
        fflush(stdout); /* or the child would print it again */
        double start = now();
        pid_t child = fork();
        if (child == 0) {
            dup2(null, STDOUT_FILENO);
            execvp(argv[2], argv + 2);
            perror(argv[2]);
            _exit(127);
        }
        if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0) {
            fprintf(stderr, "job_process: %s failed\n", argv[2]);
            return 1;
        }
        printf("%s%.6f", i ? ", " : "", now() - start);
        if (used.ru_maxrss > peak) peak = used.ru_maxrss;
    }
    printf("], \"peak_rss_bytes\": %ld}\n", peak * 1024);
    return 0;
}
