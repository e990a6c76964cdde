#include "engine_check.h"

#include "complain.h"
#include "options.h"

#include <cornu/model.h>

int engine_check(const char *isa, const char *precision)
{
    cn_model *without_layers = cn_sequential(.isa = isa, .precision = precision, .threads = 1);
    int status = without_layers != NULL ? STATUS_OK : complain_of_option();
    cn_model_destroy(&without_layers);
    return status;
}
