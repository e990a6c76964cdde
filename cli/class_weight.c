#include "class_weight.h"

#include "complain.h"
#include "options.h"

#include <stdlib.h>

/* "7:0.5" from *text on, which moves behind it and its comma. */
static int read_one(const char **text, int n_classes, double *values)
{
    char *end;
    long class_ = strtol(*text, &end, 10);
    const char *colon = end;
    if (end == *text || *colon != ':' || class_ < 0 || class_ >= n_classes) {
        return -1;
    }
    double weight = strtod(colon + 1, &end);
    if (end == colon + 1 || (*end != '\0' && *end != ',') || !(weight >= 0 && weight <= 1e30)) {
        return -1;
    }
    values[class_] = weight;
    *text = *end == ',' ? end + 1 : end;
    return *end == ',' && **text == '\0' ? -1 : 0;
}

int class_weight_read(const char *list, int n_classes, cn_tensor **weights)
{
    *weights = NULL;
    if (list == NULL) {
        return STATUS_OK;
    }
    *weights = cn_zeros(CN_FLOAT64, n_classes);
    if (*weights == NULL) {
        return complain_of_library();
    }
    double *values = cn_data(*weights);
    for (int c = 0; c < n_classes; c++) {
        values[c] = 1;
    }
    const char *rest = list;
    do {
        if (read_one(&rest, n_classes, values) < 0) {
            return refuse("--class-weight %s: expected CLASS:WEIGHT with commas between them, such as 0:2,7:0.5; "
                          "classes lie in 0 ... %d, weights are not negative", list, n_classes - 1);
        }
    } while (*rest != '\0');
    return STATUS_OK;
}
