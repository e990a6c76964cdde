#include "base/suggest.h"

#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 64

static int smallest(int a, int b, int c)
{
    int m = a < b ? a : b;
    return m < c ? m : c;
}

/* Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
static int edits(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST) return LONGEST;
    int rows[3][LONGEST + 1];
    int *before = rows[0], *previous = rows[1], *current = rows[2];
    for (int j = 0; j <= m; j++) previous[j] = j;
    for (int i = 1; i <= n; i++) {
        current[0] = i;
        for (int j = 1; j <= m; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            current[j] = smallest(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]) &&
                before[j - 2] + 1 < current[j])
                current[j] = before[j - 2] + 1;
        }
        int *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[m];
}

int cn__same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '_') a++;
        while (*b == '_') b++;
        if (!*a || tolower((unsigned char)*a) != tolower((unsigned char)*b)) return *a == *b;
    }
}

const char *cn_suggest(const char *word, const char *const *names, int n_names)
{
    const char *best = NULL;
    size_t length = strlen(word);
    int limit = (int)length / 3 + 1, fewest = limit + 1;
    for (int i = 0; i < n_names; i++) {
        int distance = edits(word, names[i]);
        if (length > 1 && distance > 1 && !strncasecmp(word, names[i], length)) distance = 1; /* as good as a slip */
        if (distance < fewest) {
            fewest = distance;
            best = names[i];
        }
    }
    return best;
}

int cn__fail_unknown(const char *what, const char *word, const char *const *names, int n_names)
{
    const char *near = cn_suggest(word, names, n_names);
    if (near) return cn__fail(CN_ENAME, "%s: unknown name \"%.64s\"; did you mean \"%s\"?", what, word, near);
    char list[512] = "";
    size_t used = 0;
    for (int i = 0; i < n_names && used < sizeof list; i++) {
        int added = snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
        if (added > 0) used += (size_t)added;
    }
    return cn__fail(CN_ENAME, "%s: unknown name \"%.64s\"; known are %s", what, word, list);
}
