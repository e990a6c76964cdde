/* What run.sh recorded: a file of JSON objects, one a line, grouped here by what was measured.
 *
 * Every line has "section" and "label"; every number, and every list of numbers, in it is a sample of (section, label,
 * key). Samples of several lines add up. A line with "error" says why something could not be measured. */
#ifndef RUNS_H
#define RUNS_H

#include <jansson.h>

#define RUNS_LEAST_ACCURACY 0.97 /* of the main job after five epochs; below it something is broken */

enum { RUNS_MAX_TEXT = 64, RUNS_MAX_SAMPLES = 256, RUNS_MAX = 4096 };

typedef struct measurement {
    char section[RUNS_MAX_TEXT], label[RUNS_MAX_TEXT], key[RUNS_MAX_TEXT];
    double samples[RUNS_MAX_SAMPLES]; /* ascending once the file has been read */
    int n;
    double median, least, most;
} measurement;

typedef struct runs {
    measurement *list; /* in the order of their first line */
    int n;
    json_t *machine;   /* the line of section "machine", NULL if there is none */
    json_t *errors;    /* an array of lines */
    json_t *versions;  /* label -> version, of the rivals */
} runs;

/* 0, or -1 after one sentence on stderr. Release with runs_free. */
int runs_read(runs *r, const char *path);
void runs_free(runs *r);

/* NULL if there is none. */
const measurement *runs_find(const runs *r, const char *section, const char *label, const char *key);

/* The smallest median of `key` in `section` among labels that do not begin with "cornu" and whose test_accuracy, if
 * they have one, is at least RUNS_LEAST_ACCURACY. `bf16` 0 leaves out labels that end in " bf16". NULL if there is
 * none. */
const measurement *runs_fastest_rival(const runs *r, const char *section, const char *key, int bf16);

/* Of a measurement with the key "ours": its median over the greater one of "OpenBLAS" and "oneDNN", with the same
 * section and label. NaN if it has another key or no rival is there. */
double runs_product_ratio(const runs *r, const measurement *m);

/* Text of the machine line, "" if missing. */
const char *runs_machine(const runs *r, const char *key);

#endif
