/* "Did you mean ...?" */
#ifndef CN_BASE_SUGGEST_H
#define CN_BASE_SUGGEST_H

/* Whether two names are the same but for case and underscores: "HeNormal" and "he_normal". Keras takes either. */
int cn__same_name(const char *a, const char *b);

/* Fails with CN_ENAME: `what`: unknown "word"; did you mean "...", or: known are ... */
int cn__fail_unknown(const char *what, const char *word, const char *const *names, int n_names);

#endif
