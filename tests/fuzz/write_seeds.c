/* write_seeds FOLDER: what the fuzzers begin with. FOLDER/file, FOLDER/model, FOLDER/checkpoints and FOLDER/text get an
 * input in each file, FOLDER/words the names and arguments that texts and model files hold, from the library's own
 * tables. */
#include "../unit/scratch.h"
#include "checkpoint_job.h"
#include "layers/initializer.h"
#include "layers/layer.h"
#include "train/loss.h"
#include "train/metric.h"
#include "train/optimizer.h"
#include "train/schedule.h"

#include <cornu/cornu.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 512

static const char *folder;
static int n_written;

static void fail(const char *what)
{
    fprintf(stderr, "write_seeds: %s: %s\n", what, cn_error_message());
    exit(1);
}

static FILE *open_in(const char *kind, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", folder, kind);
    mkdir(path, 0777);
    snprintf(path, PATH_BYTES, "%s/%s/%03d", folder, kind, n_written++);
    FILE *f = fopen(path, "wb");
    if (!f) fail(path);
    return f;
}

static void write_bytes(const char *kind, const void *bytes, size_t size)
{
    char path[PATH_BYTES];
    FILE *f = open_in(kind, path);
    if (fwrite(bytes, 1, size, f) != size || fclose(f)) fail(path);
}

/* A model file for fuzz.h's fuzz_file_add_model, and without its checksum, which would be wrong from the first change
 * on. */
static void write_header_and_numbers(const char *kind, const char *file)
{
    static char bytes[1 << 16];
    char path[PATH_BYTES];
    uint64_t length;
    FILE *f = fopen(file, "rb");
    const size_t size = f ? fread(bytes, 1, sizeof bytes - 1, f) : 0;
    memcpy(&length, bytes, sizeof length);
    char *header = bytes + sizeof length, *checksum = strstr(header, "\"checksum\"");
    if (!f || fclose(f) || size < sizeof length + length || !checksum) fail(file);
    checksum[1] = 'C';
    f = open_in(kind, path);
    fwrite(header, 1, length, f);
    fputc(0, f);
    fwrite(header + length, 1, size - sizeof length - length, f);
    if (fclose(f)) fail(path);
}

static void write_model(const char *layers, const char *optimizer)
{
    char path[PATH_BYTES], *text = strdup(layers), *rest = NULL;
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_input(4, 4, 2));
    for (char *layer = strtok_r(text, " ", &rest); layer; layer = strtok_r(NULL, " ", &rest))
        cn_add(model, cn_layer_from_text(layer));
    if (cn_compile(model, .optimizer_name = optimizer, .loss = "mse", .metrics = {"mae"}) < 0) fail(layers);
    fclose(open_in("file", path));
    if (cn_model_save(model, path, .include_optimizer = 1) < 0) fail(path);
    write_header_and_numbers("model", path);
    cn_model_destroy(&model);
    free(text);
}

/* After one epoch and after two. */
static void write_checkpoints(void)
{
    char path[PATH_BYTES];
    checkpoint_path(path, folder, "checkpoint");
    for (int epochs = 1; epochs <= 2; epochs++) {
        cn_model *model = checkpoint_model();
        if (!model || checkpoint_fit(model, folder, epochs) < 0) fail(path);
        write_header_and_numbers("checkpoints", path);
        cn_model_destroy(&model);
    }
}

static void write_picture(int ndim, const int64_t *shape)
{
    char path[PATH_BYTES];
    cn_tensor *picture = cn_tensor_create(CN_UINT8, ndim, shape);
    for (int64_t i = 0; picture && i < cn_size(picture); i++) ((uint8_t *)cn_data(picture))[i] = (uint8_t)(i * i);
    fclose(open_in("file", path));
    if (!picture || cn_image_write(path, picture) < 0) fail(path);
    cn_tensor_destroy(&picture);
}

static void write_arguments(const cn__field *fields, int n, FILE *words)
{
    for (int i = 0; i < n; i++) fprintf(words, "\"%s\"\n", fields[i].name);
}

#define WRITE_ARGUMENTS(classes, count)                                                                             \
    for (int i = 0; i < (count); i++) write_arguments((classes)[i]->fields, (classes)[i]->n_fields, words)

static void write_words(void)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/words", folder);
    FILE *words = fopen(path, "w");
    if (!words) fail(path);
    WRITE_ARGUMENTS(cn__layer_classes, CN__LAYER_COUNT);
    WRITE_ARGUMENTS(cn__activation_classes, CN__ACTIVATION_COUNT);
    WRITE_ARGUMENTS(cn__initializer_classes, CN__INITIALIZER_COUNT);
    WRITE_ARGUMENTS(cn__loss_classes, CN__LOSS_COUNT);
    WRITE_ARGUMENTS(cn__metric_classes, CN__METRIC_COUNT);
    WRITE_ARGUMENTS(cn__optimizer_classes, CN__OPTIMIZER_COUNT);
    WRITE_ARGUMENTS(cn__schedule_classes, CN__SCHEDULE_COUNT);
    for (int kind = CN_NAMES_LAYER; kind <= CN_NAMES_SCHEDULE; kind++)
        for (int i = 0; cn_names((cn_names_kind)kind, i); i++)
            fprintf(words, "\"%s\"\n", cn_names((cn_names_kind)kind, i));
    if (fclose(words)) fail(path);
}

static void write_idx(void)
{
    static const uint8_t idx[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
    uint8_t zipped[256];
    write_bytes("file", idx, sizeof idx);
    write_bytes("file", zipped, scratch_gzip(idx, sizeof idx, zipped, sizeof zipped));
}

int main(int argc, char **argv)
{
    static const char *const models[][2] = {
        {"flatten dense(3,activation=relu) batchnormalization dense(2,activation=softmax)", "rmsprop"},
        {"conv2d(2,3) maxpooling2d(2) dropout(0.5) flatten dense(1)", "adam(amsgrad=true)"},
        {"zeropadding2d(1) averagepooling2d(2) layernormalization globalaveragepooling2d", "sgd(momentum=0.9)"},
        {"permute((3,1,2)) reshape((8,4)) prelu dense(2,kernel_regularizer=l2(0.1))", "adamw(cosine_decay(0.1,10))"},
        {"rescaling(0.5,offset=-1) randomrotation(0.1) randomzoom((-0.1,0.1)) flatten dense(2)", "muon"},
    };
    static const char *const texts[] = {
        "ldense(2, activation=leaky_relu(negative_slope=0.1), kernel_initializer=he_normal(seed=3))",
        "lconv2d(2, 3x3, padding=same, strides=(2, 1))", "lrandomtranslation((-0.1, 0.2), 0.3)",
        "ldense(2, kernel_regularizer=l1_l2(0.1, 0.2), bias_constraint=max_norm(2))",
        "oadam(cosine_decay(0.001, 1000, warmup_steps=10))", "osgd(piecewise_constant_decay([1, 2], [0.1, 0.2, 0.3]))",
        "ormsprop(learning_rate=0.01, momentum=0.9, centered=true)", "chuber(delta=2, reduction=sum)",
        "ccategorical_crossentropy(from_logits=true, label_smoothing=0.1)", "mauc(num_thresholds=10, curve=PR, name=a)",
        "mprecision(thresholds=[0.1, 0.5])", "eij,jk->ik", "e...i,ij", "eij,ji->",
    };
    if (argc != 2) return 2;
    folder = argv[1];
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) write_model(models[i][0], models[i][1]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) write_bytes("text", texts[i], strlen(texts[i]));
    write_idx();
    write_picture(2, (int64_t[]){9, 7});
    write_picture(3, (int64_t[]){5, 6, 3});
    write_checkpoints();
    write_words();
    return 0;
}
