/* Model files whose weights are read into a model that is there, and checkpoints from which a training goes on. */
#include "../unit/scratch.h"
#include "checkpoint_job.h"
#include "fuzz.h"

#include <fcntl.h>

#define EPOCHS 3

static void remove_folder(void)
{
    scratch_teardown(NULL);
}

static void write_checkpoint(const char *path, const uint8_t *bytes, size_t size)
{
    const fuzz_file file = {.handle = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)};
    if (file.handle < 0) abort();
    fuzz_file_add_model(&file, bytes, size);
    fuzz_file_close(&file);
}

/* What is refused has changed nothing. */
static void read_weights(const char *path)
{
    char before[65], after[65];
    cn_model *model = checkpoint_model();
    if (!model || cn_model_weights_sha256(model, before) < 0) abort();
    const int status = cn_model_load_weights(model, path);
    expect_sentence(status < 0);
    if (cn_model_weights_sha256(model, after) < 0 || (status < 0 && strcmp(before, after) != 0)) abort();
    cn_model_destroy(&model);
}

static void resume(void)
{
    cn_model *model = checkpoint_model();
    if (!model) abort();
    expect_sentence(checkpoint_fit(model, scratch_folder, EPOCHS) < 0);
    cn_model_destroy(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!*scratch_folder) {
        if (scratch_setup(NULL) < 0) abort();
        atexit(remove_folder);
    }
    const char *path = scratch_path("checkpoint");
    write_checkpoint(path, bytes, size);
    read_weights(path);
    resume();
    return 0;
}
