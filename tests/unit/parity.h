/* Reading the recorded values of tests/parity. */
#ifndef CN_TEST_PARITY_H
#define CN_TEST_PARITY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers behind "key: " in a file of tests/parity; returns how many there are, -1 if the key is not there. */
static inline int parity_numbers(const char *file, const char *key, double *values, int capacity)
{
    char path[1024], line[8192];
    snprintf(path, sizeof path, "%s/%s", CN_PARITY_DIR, file);
    FILE *stream = fopen(path, "r");
    size_t length = strlen(key);
    int n = -1;
    while (stream && n < 0 && fgets(line, sizeof line, stream)) {
        if (strncmp(line, key, length) != 0 || line[length] != ':') continue;
        char *at = line + length + 1, *end;
        n = 0;
        for (double value = strtod(at, &end); end != at && n < capacity; value = strtod(at, &end)) {
            values[n++] = value;
            at = end;
        }
    }
    if (stream) fclose(stream);
    return n;
}

#endif
