/* What Cornu promises about speed, each promise held against the measurements. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "runs.h"

enum { CLAIMS_MAX = 64 };

typedef struct claim {
    const char *text;
    double bound;
    int at_least;      /* 1: value >= bound is promised, 0: value <= bound */
    const char *unit;  /* "x" for ratios */
    double value;      /* NaN: not measured */
    char how[256];     /* the numbers behind the value, or what is missing */
} claim;

/* Fills `claims` and returns how many there are. */
int claims_check(const runs *r, claim claims[CLAIMS_MAX]);

/* "met", "NOT MET" or "not measured". */
const char *claim_verdict(const claim *c);

#endif
