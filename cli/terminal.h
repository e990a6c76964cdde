/* What the tool knows about terminals, and texts set side by side. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdint.h>
#include <stdio.h>

int terminal_is(FILE *stream);       /* 1 if a person may be looking */
int terminal_columns(FILE *stream);  /* $COLUMNS, what the terminal says, or 80 */
int terminal_colour(FILE *stream);   /* 1 on a terminal that is not "dumb" when NO_COLOR is unset or empty */
int terminal_unicode(void);          /* 1 if the locale's character set is UTF-8 */

/* Writes n texts of several lines next to each other on standard output, `gap` columns apart. */
void terminal_side_by_side(const char *const *texts, int n, int gap);

/* "60,000" in a buffer of the caller, which is returned. */
typedef char grouped_buffer[32];
const char *grouped(int64_t number, grouped_buffer buffer);

#endif
