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

/* The text behind "key: ", in which \r, \n and \\ stand for what they stand for in C. Static memory; NULL: no such
 * key. */
static inline const char *parity_text(const char *file, const char *key)
{
    static char line[8192];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", CN_PARITY_DIR, file);
    FILE *stream = fopen(path, "r");
    size_t length = strlen(key);
    const char *found = NULL;
    while (stream && !found && fgets(line, sizeof line, stream))
        if (strncmp(line, key, length) == 0 && strncmp(line + length, ": ", 2) == 0) found = line + length + 2;
    if (stream) fclose(stream);
    char *out = line;
    for (const char *at = found; at && *at && *at != '\n'; at++) {
        int is_escape = *at == '\\';
        if (is_escape) at++;
        *out++ = (char)(is_escape && *at == 'r' ? '\r' : is_escape && *at == 'n' ? '\n' : *at);
    }
    *out = '\0';
    return found ? line : NULL;
}

/* Names of the cases of a file, each introduced by a line "name.KEY: ..."; returns how many. */
static inline int parity_cases(const char *file, const char *key, char (*names)[48], int capacity)
{
    char path[1024], line[8192];
    snprintf(path, sizeof path, "%s/%s", CN_PARITY_DIR, file);
    FILE *stream = fopen(path, "r");
    int n = 0;
    while (stream && n < capacity && fgets(line, sizeof line, stream)) {
        char *dot = strchr(line, '.'), *colon = strchr(line, ':');
        if (line[0] == '#' || !dot || !colon || dot > colon || dot - line >= 48) continue;
        *dot = *colon = '\0';
        if (strcmp(dot + 1, key) == 0) strcpy(names[n++], line);
    }
    if (stream) fclose(stream);
    return n;
}

#endif
