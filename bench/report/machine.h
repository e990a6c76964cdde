/* The lines that say on what machine, with what compiler and from which commit the numbers come. */
#ifndef MACHINE_H
#define MACHINE_H

#include "runs.h"

#include <stdio.h>

/* `prefix` begins each line: "" in text, "- " in Markdown. */
void machine_print(FILE *out, const runs *r, const char *prefix);

#endif
