#define _DEFAULT_SOURCE /* isatty, ioctl */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOST_SIDE_BY_SIDE 64

int terminal_is(FILE *stream)
{
    return isatty(fileno(stream));
}

int terminal_columns(FILE *stream)
{
    const char *columns = getenv("COLUMNS");
    long number = columns != NULL ? strtol(columns, NULL, 10) : 0;
    if (number >= 20 && number <= 1000) {
        return (int)number;
    }
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) {
        return size.ws_col;
    }
    return 80;
}

int terminal_colour(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");
    return terminal_is(stream) && (no_color == NULL || *no_color == '\0') &&
           (kind != NULL && strcmp(kind, "dumb") != 0);
}

int terminal_unicode(void)
{
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0') {
            const char *charset = strchr(value, '.');
            return charset != NULL && (strncasecmp(charset, ".UTF-8", 6) == 0 || strncasecmp(charset, ".UTF8", 5) == 0);
        }
    }
    return 0;
}

/* Characters that the first `length` bytes of text take on the screen: escape sequences count nothing and UTF-8
 * characters one. */
static int width_of(const char *text, int length)
{
    int width = 0, escaped = 0;
    for (int i = 0; i < length; i++) {
        if (text[i] == '\033' || escaped) {
            escaped = text[i] != 'm';
        } else {
            width += ((unsigned char)text[i] & 0xC0) != 0x80; /* a continuation byte adds no character */
        }
    }
    return width;
}

static int widest_line(const char *text)
{
    int widest = 0;
    for (;;) {
        int length = (int)strcspn(text, "\n"), width = width_of(text, length);
        widest = width > widest ? width : widest;
        text += length;
        if (*text == '\0') {
            return widest;
        }
        text++;
    }
}

void terminal_side_by_side(const char *const *texts, int n, int gap)
{
    const char *rest[MOST_SIDE_BY_SIDE];
    int widths[MOST_SIDE_BY_SIDE], lines_left = 0;
    n = n < MOST_SIDE_BY_SIDE ? n : MOST_SIDE_BY_SIDE;
    for (int i = 0; i < n; i++) {
        rest[i] = texts[i];
        widths[i] = widest_line(texts[i]);
        lines_left |= *texts[i] != '\0';
    }
    while (lines_left) {
        int blanks = 0; /* held back so that no line ends in spaces */
        lines_left = 0;
        for (int i = 0; i < n; i++) {
            int line = (int)strcspn(rest[i], "\n"), length = line;
            while (length > 0 && rest[i][length - 1] == ' ') {
                length--;
            }
            if (length > 0) {
                printf("%*s%.*s", blanks, "", length, rest[i]);
                blanks = 0;
            }
            blanks += widths[i] - width_of(rest[i], length) + gap;
            rest[i] += line + (rest[i][line] == '\n');
            lines_left |= *rest[i] != '\0';
        }
        putchar('\n');
    }
}

const char *grouped(int64_t number, grouped_buffer buffer)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number), out = 0;
    for (int i = 0; i < length; i++) {
        buffer[out++] = digits[i];
        int after = length - 1 - i;
        if (after > 0 && after % 3 == 0 && digits[i] != '-') {
            buffer[out++] = ',';
        }
    }
    buffer[out] = '\0';
    return buffer;
}
