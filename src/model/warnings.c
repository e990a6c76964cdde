/* What a fit has to tell that is no reason to stop. */
#include "base/memory.h"
#include "model/model.h"

#include <stdio.h>
#include <string.h>

void cn__warnings_clear(cn_model *model)
{
    for (int i = 0; i < CN__MOST_WARNINGS; i++) cn__free(model->warnings[i]);
    memset(model->warnings, 0, sizeof model->warnings);
}

void cn_model_warn(cn_model *model, const char *sentence)
{
    if (!model || !sentence) return;
    int i = 0;
    while (i < CN__MOST_WARNINGS && model->warnings[i] && strcmp(model->warnings[i], sentence)) i++;
    if (i == CN__MOST_WARNINGS || model->warnings[i]) return;
    model->warnings[i] = cn__strdup(sentence, "a warning"); /* without memory the sentence is still written below */
    const cn_fit_options *options = model->running ? model->running->options : NULL;
    if (!options || !options->verbose) return;
    FILE *stream = options->output ? options->output : stdout;
    fprintf(stream, "\nwarning: %s\n", sentence);
    fflush(stream);
}

const char *cn_model_warning(const cn_model *model, int i)
{
    return model && i >= 0 && i < CN__MOST_WARNINGS ? model->warnings[i] : NULL;
}
