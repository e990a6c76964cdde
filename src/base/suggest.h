/* "Did you mean ...?" */
#ifndef CN_BASE_SUGGEST_H
#define CN_BASE_SUGGEST_H

/* The one of `names` nearest to `word` (edits, case ignored), NULL if none is near. */
const char *cn__suggest(const char *word, const char *const *names, int n_names);

/* Whether two names are the same but for case and underscores: "HeNormal" and "he_normal". Keras takes either. */
int cn__same_name(const char *a, const char *b);

/* Fails with CN_ENAME: `what`: unknown "word"; did you mean "...", or: known are ... */
int cn__fail_unknown(const char *what, const char *word, const char *const *names, int n_names);

#endif
