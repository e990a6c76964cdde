/* Activations and layers against Keras (tests/parity/activations.txt and layers.txt; README.md there describes
 * them). */
#include "base/pool.h"
#include "engines.h"
#include "parity.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ROOM = 4096, MOST_CASES = 200, WORDS = 160 };

/* The beginnings of all lines whose key ends in `ending`. */
static int find_cases(const char *file, const char *ending, char cases[MOST_CASES][WORDS])
{
    char path[1024], line[65536];
    snprintf(path, sizeof path, "%s/%s", CN_PARITY_DIR, file);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    int n = 0;
    while (fgets(line, sizeof line, stream)) {
        char *colon = strstr(line, ending);
        if (line[0] == '#' || !colon || colon - line >= WORDS) continue;
        assert_true(n < MOST_CASES);
        snprintf(cases[n++], WORDS, "%.*s", (int)(colon - line), line);
    }
    fclose(stream);
    return n;
}

static int read_numbers(const char *file, const char *name, const char *what, float *values)
{
    static double wide[ROOM];
    char key[WORDS + 32];
    snprintf(key, sizeof key, "%.150s.%.30s", name, what);
    int n = parity_numbers(file, key, wide, ROOM);
    for (int i = 0; i < n; i++) values[i] = (float)wide[i];
    return n;
}

/* Largest |a - b| / (1 + |b|); NaN counts as infinite. */
static double distance(int n, const float *a, const float *b)
{
    double worst = 0;
    for (int i = 0; i < n; i++) {
        double off = fabs((double)a[i] - (double)b[i]) / (1 + fabs((double)b[i]));
        worst = off <= worst ? worst : isnan(off) ? INFINITY : off;
    }
    return worst;
}

/* --- activations --- */

enum { ROWS = 4, COLUMNS = 6, POINTS = ROWS * COLUMNS };

static double activation_error(const char *text, int wrong)
{
    float x[POINTS], r[POINTS], dx[POINTS], y[POINTS] = {0}, own_dx[POINTS] = {0}, dy[POINTS], recorded[POINTS];
    char layer_text[WORDS + 16];
    assert_int_equal(read_numbers("activations.txt", "all", "x", x), POINTS);
    assert_int_equal(read_numbers("activations.txt", "all", "r", r), POINTS);
    int n = read_numbers("activations.txt", text, "y", recorded);
    assert_int_equal(read_numbers("activations.txt", text, "dx", dx), POINTS);
    snprintf(layer_text, sizeof layer_text, "activation(%s)", text);
    cn_layer *layer = cn_layer_from_text(layer_text);
    cn__pool *pool = cn__pool_create(1);
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, 1, (int64_t[]){COLUMNS}), CN_OK);
    assert_int_equal(n, ROWS * layer->output_size);
    int columns = (int)layer->output_size;
    for (int i = 0; i < n; i++) dy[i] = r[i / columns * COLUMNS + i % columns];
    const cn__layer_math *math = cn__engine_find(32, CN__ISA_C)->layers[CN__LAYER_activation];
    cn__pass pass = {.layer = layer, .pool = pool, .batch = ROWS, .training = 1, .x = x, .y = y, .dy = dy,
                     .dx = own_dx};
    math->forward(&pass);
    math->backward(&pass);
    if (wrong) own_dx[7] += 1e-5f;
    cn__pool_destroy(&pool);
    cn_layer_destroy(&layer);
    return fmax(distance(n, y, recorded), distance(POINTS, own_dx, dx));
}

static void activations_as_in_keras(void **state)
{
    static char cases[MOST_CASES][WORDS];
    int n = find_cases("activations.txt", ".y:", cases);
    (void)state;
    assert_true(n >= 41);
    for (int i = 0; i < n; i++) {
        double worst = activation_error(cases[i], 0);
        if (!(worst < 1e-6)) print_message("%s: off by %g\n", cases[i], worst);
        assert_true(worst < 1e-6);
    }
    assert_false(activation_error("gelu", 1) < 1e-6);
}

static void every_activation_is_recorded(void **state)
{
    static char cases[MOST_CASES][WORDS];
    int n = find_cases("activations.txt", ".y:", cases);
    (void)state;
    for (int id = 0; id < CN__ACTIVATION_COUNT; id++) {
        int found = 0, index;
        cn__activation_options options;
        for (int i = 0; i < n; i++) {
            assert_int_equal(cn__activation_find("test", cases[i], &index, &options), CN_OK);
            found |= index == id;
        }
        if (!found) print_message("no values for %s\n", cn__activation_classes[id]->name);
        assert_true(found);
    }
}

/* --- layers --- */

#define SEED 7 /* of the model; the layer is number 0 in it */

static const char *file = "layers.txt";

static void wanted(const char *name, const char *what, int n, float *values)
{
    int got = read_numbers(file, name, what, values);
    if (got != n) print_message("%s.%s: %d numbers, expected %d\n", name, what, got, n);
    assert_int_equal(got, n);
}

static void read_text(const char *name, char text[WORDS], int *ndim, int64_t shape[CN_MAX_NDIM])
{
    char path[1024], line[WORDS * 2], key[WORDS + 8];
    double sizes[CN_MAX_NDIM];
    snprintf(path, sizeof path, "%s/%s", CN_PARITY_DIR, file);
    snprintf(key, sizeof key, "%s.text: ", name);
    FILE *stream = fopen(path, "r");
    text[0] = '\0';
    while (stream && fgets(line, sizeof line, stream))
        if (!strncmp(line, key, strlen(key)))
            snprintf(text, WORDS, "%.*s", (int)strcspn(line + strlen(key), "\n"), line + strlen(key));
    if (stream) fclose(stream);
    assert_true(text[0]);
    snprintf(key, sizeof key, "%s.shape", name);
    *ndim = parity_numbers(file, key, sizes, CN_MAX_NDIM);
    for (int i = 0; i < *ndim; i++) shape[i] = (int64_t)sizes[i];
}

/* A layer on its own: its weights, what goes in and out, and gradients. Weights stand without gaps in the file. */
typedef struct alone {
    cn_layer *layer;
    int64_t batch;
    float x[ROOM], y[ROOM], r[ROOM], dx[ROOM], workspace[8 * ROOM], recorded[ROOM];
    float weight[CN__MAX_LAYER_WEIGHTS][ROOM], gradient[CN__MAX_LAYER_WEIGHTS][ROOM];
} alone;

static int weight_size(const cn_layer *layer, int k)
{
    return (int)(layer->weights[k].rows * layer->weights[k].columns);
}

/* Rows with gaps from rows without, or back. */
static void pack(const cn__weight *w, float *with_gaps, float *without, int outwards)
{
    for (int64_t r = 0; r < w->rows; r++)
        for (int64_t c = 0; c < w->columns; c++) {
            if (outwards) without[r * w->columns + c] = with_gaps[r * w->stride + c];
            else with_gaps[r * w->stride + c] = without[r * w->columns + c];
        }
}

static double check_weights(alone *a, const char *name, const char *what, float (*values)[ROOM], int only_trainable)
{
    double worst = 0;
    static float flat[ROOM];
    for (int k = 0; k < a->layer->n_weights; k++) {
        char key[32];
        if (only_trainable && !(a->layer->weights[k].trainable && a->layer->trainable)) continue;
        snprintf(key, sizeof key, "%s%d", what, k);
        int n = weight_size(a->layer, k);
        wanted(name, key, n, a->recorded);
        pack(&a->layer->weights[k], values[k], flat, 1);
        worst = fmax(worst, distance(n, flat, a->recorded));
    }
    return worst;
}

/* Forward in evaluation and in training, state after it, gradients; the largest error. */
static double layer_error(const char *name, const cn__engine *engine)
{
    static alone a;
    static cn__pool *pool;
    char text[WORDS];
    int ndim;
    int64_t shape[CN_MAX_NDIM];
    double worst = 0;
    memset(&a, 0, sizeof a);
    read_text(name, text, &ndim, shape);
    a.layer = cn_layer_from_text(text);
    if (!a.layer) print_message("%s: %s\n", text, cn_error_message());
    assert_non_null(a.layer);
    assert_int_equal(cn__layer_build(a.layer, ndim - 1, shape + 1), CN_OK);
    a.batch = shape[0];
    int in = (int)(a.batch * a.layer->input_size), out = (int)(a.batch * a.layer->output_size);
    assert_true(a.batch * a.layer->workspace_size <= 8 * ROOM);
    void *weights[CN__MAX_LAYER_WEIGHTS];
    cn__sink sinks[CN__MAX_LAYER_WEIGHTS];
    wanted(name, "x", in, a.x);
    wanted(name, "r", out, a.r);
    for (int k = 0; k < a.layer->n_weights; k++) {
        char key[32];
        snprintf(key, sizeof key, "w%d", k);
        wanted(name, key, weight_size(a.layer, k), a.recorded);
        pack(&a.layer->weights[k], a.weight[k], a.recorded, 0);
        weights[k] = a.weight[k];
        sinks[k] = (cn__sink){.gradient = a.layer->weights[k].trainable ? a.gradient[k] : NULL,
                              .stride = a.layer->weights[k].stride};
    }
    pool = cn__pool_create(2);
    void *thread_memory = calloc((size_t)(2 * cn__thread_stride(a.layer->thread_size)) + 16, sizeof(float));
    void *shared_memory = calloc((size_t)a.layer->shared_size + 16, sizeof(float));
    assert_true(thread_memory && shared_memory);
    cn__pass pass = {.layer = a.layer, .pool = pool, .batch = a.batch, .training = -1, .x = a.x, .y = a.y, .dy = a.r,
                     .dx = a.dx, .workspace = a.workspace, .thread_memory = thread_memory,
                     .shared_memory = shared_memory, .weights = weights, .sinks = sinks, .seed = SEED};
    const cn__layer_math *math = engine->layers[cn__layer_index(a.layer)];
    math->forward(&pass);
    wanted(name, "predict", out, a.recorded);
    worst = fmax(worst, distance(out, a.y, a.recorded));
    pass.training = 1;
    math->forward(&pass);
    wanted(name, "y", out, a.recorded);
    worst = fmax(worst, distance(out, a.y, a.recorded));
    worst = fmax(worst, check_weights(&a, name, "state", a.weight, 0));
    math->backward(&pass);
    wanted(name, "dx", in, a.recorded);
    worst = fmax(worst, distance(in, a.dx, a.recorded));
    worst = fmax(worst, check_weights(&a, name, "dw", a.gradient, 1));
    cn__pool_destroy(&pool);
    cn_layer_destroy(&a.layer);
    free(thread_memory);
    free(shared_memory);
    return worst;
}

static void set_weight(cn_model *model, int i, float *values)
{
    cn_tensor *old = cn_model_get_weight(model, i);
    cn_tensor *tensor = cn_tensor_from(CN_FLOAT32, cn_ndim(old), cn_shape(old), values);
    assert_int_equal(cn_model_set_weight(model, i, tensor), CN_OK);
    cn_tensor_destroy(&tensor);
    cn_tensor_destroy(&old);
}

static double weight_error(cn_model *model, int i, const char *name)
{
    static float recorded[ROOM];
    char key[32];
    snprintf(key, sizeof key, "after%d", i);
    cn_tensor *now = cn_model_get_weight(model, i);
    int n = (int)cn_size(now);
    wanted(name, key, n, recorded);
    double off = distance(n, cn_data(now), recorded);
    cn_tensor_destroy(&now);
    return off;
}

/* Three steps of SGD on the layer with Dense(2) behind it. */
static double training_error(const char *name, int threads)
{
    static float values[ROOM];
    char text[WORDS];
    int ndim;
    int64_t shape[CN_MAX_NDIM], target_shape[2] = {0, 2};
    float losses[3];
    read_text(name, text, &ndim, shape);
    target_shape[0] = shape[0];
    cn_model *model = cn_sequential(.threads = threads, .seed = SEED);
    cn_input_options input = {.name = NULL};
    memcpy(input.shape, shape + 1, (size_t)(ndim - 1) * sizeof *shape);
    cn_add(model, cn_input_create(&input));
    cn_add(model, cn_layer_from_text(text));
    cn_add(model, cn_flatten());
    cn_add(model, cn_dense(2));
    assert_int_equal(cn_compile(model, .loss = "mse", .optimizer_name = "sgd(0.05)"), CN_OK);
    int size = 1;
    for (int i = 0; i < ndim; i++) size *= (int)shape[i];
    wanted(name, "x", size, values);
    cn_tensor *x = cn_tensor_from(CN_FLOAT32, ndim, shape, values);
    wanted(name, "target", (int)shape[0] * 2, values);
    cn_tensor *y = cn_tensor_from(CN_FLOAT32, 2, target_shape, values);
    int n = cn_model_n_weights(model);
    for (int k = 0; k < n - 2; k++) {
        char key[32];
        snprintf(key, sizeof key, "w%d", k);
        read_numbers(file, name, key, values);
        set_weight(model, k, values);
    }
    read_numbers(file, name, "kernel", values);
    set_weight(model, n - 2, values);
    wanted(name, "loss", 3, losses);
    double worst = 0;
    for (int step = 0; step < 3; step++) {
        double loss;
        assert_int_equal(cn_train_step(model, x, y, &loss), CN_OK);
        worst = fmax(worst, fabs(loss - (double)losses[step]) / (1 + fabs(loss)));
    }
    for (int k = 0; k < n; k++) worst = fmax(worst, weight_error(model, k, name));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
    return isnan(worst) ? INFINITY : worst;
}

static void layers_as_in_keras(void **state)
{
    static char cases[MOST_CASES][WORDS];
    const cn__engine *engines[CN__ISA_COUNT];
    int n = find_cases(file, ".text:", cases), n_engines = engines_usable(engines);
    (void)state;
    for (int i = 0; i < n; i++) {
        char text[WORDS];
        int ndim;
        int64_t shape[CN_MAX_NDIM];
        read_text(cases[i], text, &ndim, shape);
        double worst = layer_error(cases[i], engines[0]), best = layer_error(cases[i], engines[n_engines - 1]);
        double trained = training_error(cases[i], 1 + i % 3);
        if (!(worst < 3e-6 && best == worst && trained < 3e-6))
            print_message("%s: off by %g and %g, after training by %g\n", text, worst, best, trained);
        assert_true(worst < 3e-6 && best == worst && trained < 3e-6);
    }
}

static void every_layer_is_recorded(void **state)
{
    static char cases[MOST_CASES][WORDS];
    int n = find_cases(file, ".text:", cases);
    (void)state;
    for (int id = 0; id < CN__LAYER_COUNT; id++) {
        /* Input computes nothing, and a layer on the tape what its user says. */
        int found = cn__layer_classes[id] == &cn__layer_input || cn__layer_classes[id] == &cn__layer_tape;
        for (int i = 0; i < n && !found; i++) {
            char text[WORDS];
            int ndim;
            int64_t shape[CN_MAX_NDIM];
            read_text(cases[i], text, &ndim, shape);
            cn_layer *layer = cn_layer_from_text(text);
            assert_non_null(layer);
            found = cn__layer_index(layer) == id;
            cn_layer_destroy(&layer);
        }
        if (!found) print_message("no values for %s\n", cn__layer_classes[id]->name);
        assert_true(found);
    }
}

/* Each says which layer it is, what it got and what it accepts. */
static void bad_activations(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"dense(3, activation=reul)", "dense: activation: unknown name \"reul\"; did you mean \"relu\"?"},
        {"dense(3, activation=relu(slope=1))",
         "dense: relu: unknown name \"slope\"; known are negative_slope, max_value"},
        {"dense(3, activation=relu(-1))", "dense: relu: negative_slope must be a number of at least 0, got -1"},
        {"dense(3, activation=relu(max_value=-2))", "dense: relu: max_value must be at least 0, got -2; leave it out"},
        {"dense(3, activation=relu(threshold=nan))", "dense: relu: threshold must be a number of at least 0, got nan"},
        {"dense(3, activation=celu(0))", "dense: celu: alpha must be a number above 0, got 0"},
        {"dense(3, activation=elu(inf))", "dense: elu: alpha must be a finite number, got inf"},
        {"dense(3, activation=squareplus(-1))", "dense: squareplus: b must be a number of at least 0, got -1"},
        {"dense(3, activation=threshold)", "dense: threshold: needs two numbers, such as threshold(0.1, 0)"},
        {"dense(3, activation=soft_shrink(-1))",
         "dense: soft_shrink: threshold must be a number of at least 0, got -1"},
        {"dense(4, activation=glu)",
         "dense: glu gives half the units; put it into a layer of its own, activation(glu)"},
        {"dense(3, activation=tanh(2))", "dense: tanh takes no arguments, got \"2\""},
        {"dense(1, activation=log_softmax)", "dense: log_softmax over one unit is always the same; use sigmoid"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_error_clear();
        assert_null(cn_layer_from_text(cases[i].text));
        if (strncmp(cn_error_message(), cases[i].sentence, strlen(cases[i].sentence)) != 0)
            print_message("%s: %s\n", cases[i].text, cn_error_message());
        assert_int_equal(strncmp(cn_error_message(), cases[i].sentence, strlen(cases[i].sentence)), 0);
    }
    cn_layer *glu = cn_activation("glu");
    assert_int_equal(cn__layer_build(glu, 1, (int64_t[]){5}), CN_ESHAPE);
    assert_string_equal(cn_error_message(), "activation: glu splits the last axis in two halves, but it has 5 entries");
    cn_layer_destroy(&glu);
}

/* Refused by the constructor, or when the shape of the input is known. */
static void bad_layers(void **state)
{
    static const struct {
        const char *text;
        int64_t shape[CN_MAX_NDIM];
        const char *sentence;
    } cases[] = {
        {"dropout(1.5)", {3}, "dropout: rate must lie in 0 ... 1, got 1.5"},
        {"dropout(nan)", {3}, "dropout: rate must lie in 0 ... 1, got nan"},
        {"dropout(0.5, noise_shape=3x1)", {3},
         "dropout: noise_shape has 2 axes, a sample has 1; both go without the batch"},
        {"dropout(0.5, noise_shape=2)", {3}, "dropout: size 1 of noise_shape must be 1 or 3 as in the input, got 2"},
        {"reshape", {3}, "reshape: target_shape is missing; it has no default"},
        {"rescaling([1, 2])", {3},
         "rescaling: scale is one number, or one for each entry of the last axis, which has 3; got 2"},
        {"rescaling(1, (1, 2, 3, 4))", {2, 3},
         "rescaling: offset is one number, or one for each entry of the last axis"},
        {"rescaling([1, two])", {2}, "rescaling: scale must be a number, got \"two\""},
        {"rescaling([])", {2}, "rescaling: scale must be a number, got \"\""},
        {"rescaling([1, 2)", {2}, "\"rescaling([1, 2)\": a closing bracket is missing"},
        {"activation(softmax(0))", {3, 2},
         "activation: softmax: axis 0 is the batch; axes count from 1, and -1 is the last"},
        {"activation(softmax(axis=3))", {3, 2},
         "activation: softmax: axis must lie in 1 ... 2 or -2 ... -1 for samples of 2"},
        {"activation(glu(1))", {3, 2}, "activation: glu splits its axis in two halves, but it has 3 entries"},
        {"activation(sparsemax(1))", {1, 2}, "activation: sparsemax over one unit is always the same; use sigmoid"},
        {"dense(4, activation=softmax(axis=-3))", {3, 2},
         "dense: softmax: axis must lie in 1 ... 2 or -2 ... -1 for samples"},
        {"dense(4, activation=softmax(axis=x))", {3, 2}, "dense: softmax: axis must be a whole number, got \"x\""},
        {"softmax((1, -1))", {3},
         "softmax: each axis must lie in 1 ... 1 or -1 ... -1 for samples of 1 axes, and be given once"},
        {"batch_normalization(renorm=true, renorm_momentum=2)", {3},
         "batch_normalization: renorm_momentum must lie in 0 ... 1"},
        {"batch_normalization(renorm_clipping=3)", {3},
         "batch_normalization: renorm_clipping is written dict(rmax=3, rmin=0.3"},
        {"batch_normalization(renorm_clipping=dict(max=3))", {3},
         "batch_normalization: renorm_clipping: dict: unknown name"},
        {"batch_normalization(renorm_clipping=dict(rmax=1, rmin=2))", {3},
         "batch_normalization: renorm_clipping: rmax must be at least rmin, 2, got 1"},
        {"batch_normalization(renorm_clipping=dict(dmax=-1))", {3},
         "batch_normalization: renorm_clipping: dmax must be at least 0, got -1"},
        {"flatten(activity_regularizer=l3)", {3}, "flatten: activity_regularizer: regularizer: unknown name \"l3\""},
        {"reshape(-1, -1)", {3},
         "reshape takes at most 1 argument without a name, got \"-1\" too; several sizes are written"},
        {"zero_padding2d(1, 2)", {2, 2, 2},
         "zero_padding2d: data_format must be channels_last or channels_first, got \"2\""},
        {"input(28, 28)", {3},
         "input takes at most 1 argument without a name, got \"28\" too; several sizes are written"},
        {"reshape((-1, -1))", {3}, "reshape: sizes in target_shape must be above 0, and one of them may be -1"},
        {"reshape(2x-3)", {3}, "reshape: sizes in target_shape must be above 0, and one of them may be -1"},
        {"reshape(2x3)", {5}, "reshape: a sample has 5 numbers, which do not fill target_shape (2, 3): it takes 6"},
        {"reshape(2x-1)", {5},
         "reshape: a sample has 5 numbers, which do not fill target_shape (2, -1): it takes a multiple of 2"},
        {"dense(4, name=a/b)", {3}, "dense: a name must not be empty and must not contain a slash"},
        {"dense(4, name=)", {3}, "dense: a name must not be empty and must not contain a slash"},
        {"dense(2147483648)", {3}, "dense: units must be a whole number from 1 to 2147483647, got 2147483648"},
        {"rescaling(inf)", {3}, "rescaling: scale and offset must be finite numbers, got inf and 0"},
        {"reshape(0x2)", {5},
         "reshape: target_shape must be whole numbers other than 0, such as 28x28 or (28, 28), got \"0x2\""},
        {"permute(1x3)", {2, 2},
         "permute: dims must be the numbers from 1 to the number of axes in some order, e.g. cn_permute(2, 1); the "
         "batch is not counted; got (1, 3)"},
        {"permute(1x1)", {2, 2}, "permute: dims must be the numbers from 1 to the number of axes in some order"},
        {"permute(2x1)", {2, 2, 2}, "permute: dims names 2 axes, a sample has 3"},
        {"batch_normalization(0)", {3},
         "batch_normalization: axis 0 is the batch; give the axis of the channels, counted"},
        {"batch_normalization(2)", {3},
         "batch_normalization: axis must lie in 1 ... 1 or -1 ... -1 for samples of 1 axes, got 2"},
        {"batch_normalization(momentum=1.5)", {3}, "batch_normalization: momentum must lie in 0 ... 1, got 1.5"},
        {"batch_normalization(epsilon=-1)", {3}, "batch_normalization: epsilon must be a number of at least 0, got -1"},
        {"batch_normalization(gamma_initializer=onse)", {3},
         "batch_normalization: initializer: unknown name \"onse\"; did"},
        {"layer_normalization((1, -1))", {3},
         "layer_normalization: each axis must lie in 1 ... 1 or -1 ... -1 for samples of 1 axes, and be given once; "
         "got (1, -1)"},
        {"layer_normalization(3)", {3, 3},
         "layer_normalization: each axis must lie in 1 ... 2 or -2 ... -1 for samples of 2"},
        {"layer_normalization(0)", {3},
         "layer_normalization: axis must be whole numbers other than 0, such as 28x28 or (28, 28), got \"0\""},
        {"layer_normalization(epsilon=nan)", {3},
         "layer_normalization: epsilon must be a number of at least 0, got nan"},
        {"random_translation(1.5, 0)", {4, 4, 1},
         "random_translation: height_factor must be a number or two numbers in -1"},
        {"random_translation(0, (0.1, nan))", {4, 4, 1},
         "random_translation: width_factor must be a number or two numbers"},
        {"random_translation(0.1, (1, 2, 3))", {4, 4, 1}, "random_translation: width_factor must be a number, got"},
        {"random_rotation(0.1)", {4, 4},
         "random_rotation: needs images (height, width, channels), got samples of 2 axes; a"},
        {"random_rotation(0.1, fill_mode=mirror)", {4, 4, 1},
         "random_rotation: fill_mode must be reflect, wrap, constant or"},
        {"random_zoom(0.1, interpolation=cubic)", {4, 4, 1},
         "random_zoom: interpolation must be bilinear or nearest, got"},
        {"random_zoom(-3)", {4, 4, 1},
         "random_zoom: height_factor must be a number or two numbers in -1 ... 1, got -3"},
        {"random_zoom(0.1, fill_value=inf)", {4, 4, 1}, "random_zoom: fill_value must be a finite number, got inf"},
        {"relu(-1)", {3}, "re_lu: max_value must be at least 0, got -1; leave it out for no bound"},
        {"leakyrelu(-1)", {3}, "leaky_re_lu: negative_slope must be a number of at least 0, got -1"},
        {"elu(nan)", {3}, "elu: alpha must be a finite number, got nan"},
        {"prelu(shared_axes=2)", {3}, "p_re_lu: shared_axes must lie in 1 ... 1 for samples of 1 axes, got 2"},
        {"softmax(0)", {3}, "softmax: axis must be whole numbers other than 0, such as 28x28 or (28, 28), got \"0\""},
        {"softmax(2)", {3}, "softmax: axis must lie in 1 ... 1 or -1 ... -1 for samples of 1 axes, got 2"},
        {"softmax", {1}, "softmax: softmax over one unit is always the same; use sigmoid"},
        {"zero_padding2d(-1)", {2, 2, 2}, "zero_padding2d: padding must be one number, two (rows, columns) or four"},
        {"zero_padding2d(1x2x3)", {2, 2, 2}, "zero_padding2d: padding must be one number, two (rows, columns) or four"},
        {"zero_padding2d(1)", {2, 2}, "zero_padding2d: needs images (height, width, channels), got samples of 2 axes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int ndim = 0;
        cn_error_clear();
        while (cases[i].shape[ndim]) ndim++;
        cn_layer *layer = cn_layer_from_text(cases[i].text);
        if (layer) assert_true(cn__layer_build(layer, ndim, cases[i].shape) < 0);
        if (strncmp(cn_error_message(), cases[i].sentence, strlen(cases[i].sentence)) != 0)
            print_message("%s: %s\n", cases[i].text, cn_error_message());
        assert_int_equal(strncmp(cn_error_message(), cases[i].sentence, strlen(cases[i].sentence)), 0);
        cn_layer_destroy(&layer);
    }
}

/* Lists of C, which are copied: the numbers may go. */
static void lists_from_c(void **state)
{
    double means[] = {0.5, 1, 0};
    (void)state;
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_input(3));
    cn_add(model, cn_rescaling(2, .offsets = means, .n_offsets = 3));
    memset(means, 0, sizeof means);
    float ones[] = {1, 1, 1};
    cn_tensor *x = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){1, 3}, ones), *y = cn_predict(model, x);
    const float expected[] = {2.5f, 3, 2};
    assert_true(y && engines_same(cn_data(y), expected, sizeof expected));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
    assert_null(cn_rescaling(1, .n_scales = 2));
    assert_string_equal(cn_error_message(),
                        "scale: a list needs a pointer and how many numbers there are, got 2 and NULL");
    assert_null(cn_rescaling(1, .offsets = means, .n_offsets = -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_from_c),
        cmocka_unit_test(activations_as_in_keras),
        cmocka_unit_test(every_activation_is_recorded),
        cmocka_unit_test(bad_activations),
        cmocka_unit_test(layers_as_in_keras),
        cmocka_unit_test(every_layer_is_recorded),
        cmocka_unit_test(bad_layers),
    };
    return cmocka_run_group_tests_name("layers against Keras", tests, NULL, NULL);
}
