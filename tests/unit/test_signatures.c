/* Every class of Keras is there, with each of its arguments at its place and with its default. */
#include "signatures.h"

#include "layers/layer.h"
#include "train/schedule.h"

#include <cornu/error.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static int find_layer(const char *class_, taken *ours)
{
    for (int i = 0; i < CN__LAYER_COUNT; i++) {
        const cn__layer_class *c = cn__layer_classes[i];
        if (strcmp(class_, c->name) && (!c->also || strcmp(class_, "Input"))) continue;
        if (strcmp(class_, "Input") == 0 && strcmp(c->name, "InputLayer")) continue;
        *ours = (taken){c->fields, c->n_fields, c->defaults};
        return 1;
    }
    return 0;
}

static void layers_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"*", "data_format=", "channels_last by its name; Keras's None means what a file in the user's home says", 0},
        {"*", "name", "known by its name only, and every layer has it", 0},
        {"Input", "batch_size", "a model takes batches of any size", 0},
        {"Input", "batch_shape", "likewise", 0},
        {"Input", "dtype", "numbers come in every dtype and are computed in the model's precision", 0},
        {"Input", "sparse", "zeros are found in the data", 0},
        {"Input", "ragged", "TensorFlow's", 0},
        {"Input", "tensor", "of Keras's functional models", 0},
        {"Input", "optional", "likewise", 0},
        {"Dense", "lora_rank", "low-rank adapters are not there", 0},
        {"Dense", "lora_alpha", "likewise", 0},
        {"Dense", "quantization_config", "nor is quantization", 0},
    };
    (void)state;
    assert_int_equal(group_differences("layers", find_layer, list, COUNT(list)), 0);
}

/* What every layer of Keras takes by its name: activity_regularizer, name and trainable, which is only there where there is
 * something to train; dtype and autocast are the model's precision. */
static void layers_take_what_all_layers_take(void **state)
{
    (void)state;
    for (int i = 0; i < CN__LAYER_COUNT; i++) {
        const cn__layer_class *c = cn__layer_classes[i];
        assert_non_null(cn__field_find(c->fields, c->n_fields, "name"));
        if (c == &cn__layer_input || c == &cn__layer_tape) continue;
        assert_non_null(cn__field_find(c->fields, c->n_fields, "activity_regularizer"));
        assert_non_null(cn__field_find(c->fields, c->n_fields, "input_shape"));
        int trains = 0;
        for (int f = 0; f < c->n_fields; f++) trains |= strstr(c->fields[f].name, "_initializer") != NULL;
        assert_int_equal(cn__field_find(c->fields, c->n_fields, "trainable") != NULL, trains);
    }
}

/* A text that leaves out what has no default is refused. */
static void layers_require_what_keras_requires(void **state)
{
    char path[1024], line[4096];
    signature keras;
    int n = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/signatures/layers.txt", CN_PARITY_DIR);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    while (fgets(line, sizeof line, stream)) {
        if (line[0] == '#' || !signature_parse(line, &keras) || !strcmp(keras.class_, "Input")) continue;
        int required = 0;
        while (required < keras.n && keras.required[required]) required++;
        for (int i = 0; i < CN__LAYER_COUNT; i++)
            if (!strcmp(cn__layer_classes[i]->name, keras.class_)) {
                if (cn__layer_classes[i]->n_required != required) print_message("%s requires %d\n", keras.class_, required);
                assert_int_equal(cn__layer_classes[i]->n_required, required);
                n++;
            }
    }
    fclose(stream);
    assert_int_equal(n, 23);
    assert_null(cn_layer_from_text("random_translation(0.1, fill_mode=wrap)"));
    assert_string_equal(cn_error_message(), "random_translation: width_factor is missing; it has no default");
    assert_null(cn_layer_from_text("rescaling(offset=1)"));
    assert_string_equal(cn_error_message(), "rescaling: scale is missing; it has no default");
    assert_null(cn_layer_from_text("average_pooling2d"));
    assert_string_equal(cn_error_message(), "average_pooling2d: pool_size is missing; it has no default");
}

static int find_schedule(const char *class_, taken *ours)
{
    for (int i = 0; i < CN__SCHEDULE_COUNT; i++) {
        const cn__schedule_class *c = cn__schedule_classes[i];
        if (strcmp(class_, c->name)) continue;
        *ours = (taken){c->fields, c->n_fields, &c->defaults};
        return 1;
    }
    return 0;
}

static void schedules_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"*", "name", "a schedule is known by its class", 0},
    };
    (void)state;
    assert_int_equal(group_differences("schedules", find_schedule, list, COUNT(list)), 0);
}

/* The checker itself. */
static void differences_are_found(void **state)
{
    const struct {
        double rate;
        int verbose;
        const char *mode;
    } defaults = {0.5, 1, NULL};
    const cn__field fields[] = {{"rate", CN__FIELD_REAL, 0}, {"verbose", CN__FIELD_INT, sizeof(double)},
                                {"mode", CN__FIELD_TEXT, 2 * sizeof(double)}};
    const taken ours = {fields, 3, &defaults};
    const struct {
        const char *line;
        int differences;
    } cases[] = {
        {"A(rate, verbose=True, mode=None)", 0},
        {"A(rate=0.5, verbose=1)", 0},
        {"A(rate=0.25, verbose=1)", 1},
        {"A(rate=None)", 1},
        {"A(verbose=1, rate=0.5)", 2},
        {"A(rate=0.5, verbose=1, mode='a,(b)', seed=None)", 2},
        {"A()", 0},
    };
    signature keras;
    (void)state;
    for (int i = 0; i < COUNT(cases); i++) {
        assert_true(signature_parse(cases[i].line, &keras));
        assert_int_equal(signature_differences(&keras, &ours, NULL, 0), cases[i].differences);
    }
    assert_string_equal(keras.class_, "A");
    assert_false(signature_parse("A", &keras));
    assert_false(signature_parse("A(b, c", &keras));
    signature_exception list[] = {{"A", "seed", "", 0}, {"*", "mode=", "", 0}, {"B", "", "", 0}};
    assert_true(signature_parse(cases[5].line, &keras));
    assert_int_equal(signature_differences(&keras, &ours, list, 3), 0);
    assert_false(list[2].was_used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_take_what_keras_says),
        cmocka_unit_test(layers_take_what_all_layers_take),
        cmocka_unit_test(layers_require_what_keras_requires),
        cmocka_unit_test(schedules_take_what_keras_says),
        cmocka_unit_test(differences_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
