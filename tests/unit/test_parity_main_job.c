/* 200 steps of the main job against a recorded Keras run and its float64 truth (tests/parity/main_job.txt; README.md
 * there says what stands in it). */
#include "engines.h"

#include <cornu/dataset.h>
#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { STEPS = 200, BATCH = 128, INPUTS = 784, HIDDEN = 512, CLASSES = 10 };

static const char *const weight_names[] = {"kernel1", "bias1", "kernel2", "bias2"};

/* What one run gave: losses and weights, all as double. */
typedef struct outcome {
    double loss[STEPS];
    cn_tensor *weights[4];
} outcome;

static float initial_weight(uint32_t inputs, uint32_t units, uint32_t salt, uint32_t i, uint32_t j)
{
    uint32_t h = i * units + j + salt;
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    h ^= h >> 16;
    float u = (float)(h >> 8) * 0x1p-24f, limit = (float)sqrt(6.0 / (double)(inputs + units));
    return (u * 2.0f - 1.0f) * limit;
}

static void set_kernel(cn_model *model, int weight, uint32_t inputs, uint32_t units, uint32_t salt)
{
    cn_tensor *kernel = cn_zeros(CN_FLOAT32, inputs, units);
    float *values = cn_data(kernel);
    for (uint32_t i = 0; i < inputs; i++)
        for (uint32_t j = 0; j < units; j++) values[i * units + j] = initial_weight(inputs, units, salt, i, j);
    assert_int_equal(cn_model_set_weight(model, weight, kernel), CN_OK);
    cn_tensor_destroy(&kernel);
}

/* bytes: x is pixels with a scale, whose sums are exact, otherwise float32 numbers */
static void train(const char *precision, const char *isa, int bytes, outcome *out)
{
    cn_dataset data;
    assert_int_equal(cn_dataset_load(&data, "mnist", .download = 0), CN_OK);
    /* float32 x, divided in float32 as the record says, also for the float64 run */
    int64_t n = (int64_t)STEPS * BATCH;
    cn_tensor *x = cn_zeros(CN_FLOAT32, n, INPUTS),
              *y = cn_to_categorical(cn_slice(data.train_labels, {0, n}), CLASSES);
    const uint8_t *pixels = cn_data(data.train_images);
    for (int64_t i = 0; i < n * INPUTS; i++) ((float *)cn_data(x))[i] = (float)pixels[i] / 255.0f;
    cn_model *model = cn_sequential(.precision = precision, .isa = isa, .threads = 2);
    cn_add(model, cn_dense(HIDDEN, .activation = "relu", .input_shape = {INPUTS}));
    cn_add(model, cn_dense(CLASSES, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy"), CN_OK);
    set_kernel(model, 0, INPUTS, HIDDEN, 0x03700000u);
    set_kernel(model, 2, HIDDEN, CLASSES, 0x03780000u);
    cn_tensor *scaled = cn_scale(cn_reshape(data.train_images, -1, INPUTS), 1.0 / 255);
    for (int64_t s = 0; s < STEPS; s++) {
        cn_tensor *batch_x = cn_slice(bytes ? scaled : x, {s * BATCH, (s + 1) * BATCH}),
                  *batch_y = cn_slice(y, {s * BATCH, (s + 1) * BATCH});
        assert_int_equal(cn_train_step(model, batch_x, batch_y, &out->loss[s]), CN_OK);
        cn_tensor_destroy(&batch_x);
        cn_tensor_destroy(&batch_y);
    }
    for (int i = 0; i < 4; i++) {
        cn_tensor *weight = cn_model_get_weight(model, i);
        out->weights[i] = cn_astype(weight, CN_FLOAT64);
        cn_tensor_destroy(&weight);
    }
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_dataset_destroy(&data);
}

/* Largest distances in losses (relative) and weights: of ours from Keras, of ours from the truth, of Keras from it. */
typedef struct distances {
    double loss_keras, loss_truth, loss_keras_truth, weight_keras, weight_truth, weight_keras_truth;
    int losses, weights, initials;
} distances;

static void widen(double *worst, double distance)
{
    *worst = isnan(distance) ? INFINITY : fmax(*worst, distance);
}

static void compare_line(const outcome *ours, const char *name, int index, double keras, double truth, distances *d)
{
    if (strcmp(name, "loss") == 0) {
        d->losses++;
        widen(&d->loss_keras, fabs(ours->loss[index] - keras) / fabs(keras));
        widen(&d->loss_truth, fabs(ours->loss[index] - truth) / fabs(truth));
        widen(&d->loss_keras_truth, fabs(keras - truth) / fabs(truth));
    } else if (strncmp(name, "initial_", 8) == 0) {
        uint32_t units = name[14] == '1' ? HIDDEN : CLASSES, i = (uint32_t)index / units, j = (uint32_t)index % units;
        float own = name[14] == '1' ? initial_weight(INPUTS, HIDDEN, 0x03700000u, i, j)
                                    : initial_weight(HIDDEN, CLASSES, 0x03780000u, i, j);
        assert_true(own == (float)keras);
        d->initials++;
    }
    for (int w = 0; w < 4; w++) {
        if (strcmp(name, weight_names[w]) != 0) continue;
        double own = ((const double *)cn_data(ours->weights[w]))[index];
        d->weights++;
        widen(&d->weight_keras, fabs(own - keras));
        widen(&d->weight_truth, fabs(own - truth));
        widen(&d->weight_keras_truth, fabs(keras - truth));
    }
}

static distances compare(const outcome *ours)
{
    distances d = {.losses = 0};
    char line[256], name[64];
    FILE *stream = fopen(CN_PARITY_DIR "/main_job.txt", "r");
    assert_non_null(stream);
    while (fgets(line, sizeof line, stream)) {
        int index;
        double keras, truth;
        if (line[0] != '#' && sscanf(line, "%63s %d %lf %lf", name, &index, &keras, &truth) == 4)
            compare_line(ours, name, index, keras, truth, &d);
    }
    fclose(stream);
    assert_int_equal(d.losses, STEPS);
    assert_int_equal(d.initials, 8);
    assert_int_equal(d.weights, (INPUTS * HIDDEN + 96) / 97 + HIDDEN + HIDDEN * CLASSES + CLASSES);
    return d;
}

static void forget(outcome *out)
{
    for (int i = 0; i < 4; i++) cn_tensor_destroy(&out->weights[i]);
}

static void stays_near_keras(int bytes)
{
    static outcome ours;
    const cn__engine *engines[CN__ISA_COUNT];
    /* the others have the same bits: test_determinism.c */
    const char *isa = cn__isa_name(engines[engines_usable(engines) - 1]->isa);
    train("float32", isa, bytes, &ours);
    distances d = compare(&ours);
    print_message("%s from Keras: loss %.1e, weights %.1e; from the truth: loss %.1e, weights %.1e\n", isa,
                  d.loss_keras, d.weight_keras, d.loss_truth, d.weight_truth);
    assert_true(d.loss_keras < 1e-5 && d.weight_keras < 1e-4);
    print_message("Keras from the truth: loss %.1e, weights %.1e; nearer in loss: %s, in weights: %s\n",
                  d.loss_keras_truth, d.weight_keras_truth, d.loss_truth <= d.loss_keras_truth ? "Cornu" : "Keras",
                  d.weight_truth <= d.weight_keras_truth ? "Cornu" : "Keras");
    assert_true(d.loss_truth <= 10 * d.loss_keras_truth && d.weight_truth <= 10 * d.weight_keras_truth);
    forget(&ours);
}

static void float32_stays_near_keras(void **state)
{
    (void)state;
    stays_near_keras(0);
}

/* As fit reads images: the sums of the first layer are exact. A pixel is p/255 here, not its float32. */
static void bytes_stay_near_keras(void **state)
{
    (void)state;
    stays_near_keras(1);
}

static void float64_agrees_with_the_truth(void **state)
{
    (void)state;
    static outcome ours;
    if (engines_quick()) {
        print_message("left out: CORNU_QUICK is set\n");
        skip();
    }
    train("float64", NULL, 0, &ours);
    distances d = compare(&ours);
    print_message("float64 from the truth: loss %.1e, weights %.1e\n", d.loss_truth, d.weight_truth);
    /* the record has seventeen digits; sums in another order differ in the fifteenth */
    assert_true(d.loss_truth < 1e-11 && d.weight_truth < 1e-11);
    /* and the comparison notices what is off by more than is allowed */
    ours.loss[17] *= 1.00002;
    ((double *)cn_data(ours.weights[2]))[0] += 2e-4;
    d = compare(&ours);
    assert_true(d.loss_keras > 1e-5 && d.weight_keras > 1e-4);
    ours.loss[17] = NAN;
    d = compare(&ours);
    assert_false(d.loss_keras < 1e-5);
    forget(&ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float32_stays_near_keras),
        cmocka_unit_test(bytes_stay_near_keras),
        cmocka_unit_test(float64_agrees_with_the_truth),
    };
    return cmocka_run_group_tests_name("parity_main_job", tests, NULL, NULL);
}
