#include "digits.h"

#include "complain.h"
#include "options.h"
#include "terminal.h"

#include <cornu/system.h>
#include <math.h>
#include <string.h>
#include <strings.h>

int64_t digits_product(const int64_t *shape, int ndim)
{
    int64_t product = 1;
    for (int i = 0; i < ndim; i++) {
        product *= shape[i];
    }
    return product;
}

/* --- loading --- */

typedef struct download_state {
    char url[512];
    int percent, drawn;
} download_state;

/* A line that renews itself on a terminal; elsewhere one line per file. */
static int show_download(void *user, const char *url, uint64_t received, uint64_t total)
{
    download_state *state = user;
    int percent = total > 0 ? (int)(100 * received / total) : 0;
    int is_new = strncmp(url, state->url, sizeof state->url - 1) != 0;
    if (is_new) {
        fprintf(stderr, "%sdownloading %s%s", state->drawn ? "\n" : "", url, terminal_is(stderr) ? "" : "\n");
        snprintf(state->url, sizeof state->url, "%s", url);
    }
    if (terminal_is(stderr) && (is_new || percent != state->percent)) {
        fprintf(stderr, "\rdownloading %s %3d %%", url, percent);
        state->drawn = 1;
    }
    state->percent = percent;
    return 0;
}

static void describe(const cn_dataset *data, double seconds)
{
    grouped_buffer n_train, n_test;
    const int64_t *shape = cn_shape(data->train_images);
    fprintf(stderr, "%s: %s training and %s test images of %lldx%lld in %d classes, from %s (%.2f s)\n", data->name,
            grouped(shape[0], n_train), grouped(cn_len(data->test_images), n_test), (long long)shape[1],
            (long long)shape[2], data->num_classes, data->source, seconds);
}

int digits_load(cn_dataset *data, const char *name, int download, digits_talk talk)
{
    download_state state = {.percent = -1};
    double start = cn_clock();
    int status = cn_dataset_load(data, name, .download = download,
                                 .progress = talk == DIGITS_SILENT ? NULL : show_download, .user = &state);
    if (state.drawn) {
        fputc('\n', stderr);
    }
    if (status < 0) {
        return complain_of_library();
    }
    if (talk == DIGITS_EVERYTHING) {
        describe(data, cn_clock() - start);
    }
    return STATUS_OK;
}

/* --- shaping --- */

static int rescales_itself(const cn_model *model)
{
    for (int i = 0; i < cn_model_n_layers(model); i++) {
        if (strcmp(cn_model_layer_class(model, i), "Rescaling") == 0) {
            return 1;
        }
    }
    return 0;
}

cn_tensor *digits_for_model(const cn_model *model, const cn_tensor *images, double scale, const char *what)
{
    int ndim = 0;
    const int64_t *sample = cn_model_input_shape(model, &ndim), *shape = cn_shape(images);
    if (sample == NULL || cn_ndim(images) != 3) {
        complain_of_library();
        return NULL;
    }
    int64_t full[CN_MAX_NDIM] = {shape[0]};
    int fits = ndim < CN_MAX_NDIM && digits_product(sample, ndim) == shape[1] * shape[2];
    if (fits && ndim > 1) {
        fits = sample[0] == shape[1] && sample[1] == shape[2];
    }
    if (!fits) {
        complain("%s has pictures of %lldx%lld, which are %lld numbers, but the model takes %lld%s", what,
                 (long long)shape[1], (long long)shape[2], (long long)(shape[1] * shape[2]),
                 (long long)digits_product(sample, ndim), ndim > 1 ? " in another arrangement" : "");
        return NULL;
    }
    memcpy(full + 1, sample, (size_t)ndim * sizeof *full);
    if (isnan(scale)) {
        scale = rescales_itself(model) ? 1 : PIXEL_SCALE;
    }
    cn_tensor *view = cn_scale(cn_tensor_reshape(images, ndim + 1, full), scale);
    if (view == NULL) {
        complain_of_library();
    }
    return view;
}

int digits_one_hot(const char *loss)
{
    return cn_loss_takes_labels(loss) != 1;
}

const cn_tensor *digits_targets(const cn_tensor *labels, const char *loss, int64_t n_classes, cn_tensor **owned)
{
    *owned = NULL;
    if (!digits_one_hot(loss)) {
        return labels;
    }
    *owned = cn_to_categorical(labels, n_classes);
    if (*owned == NULL) {
        complain_of_library();
    }
    return *owned;
}
