/* What lists and names things: cn_names, cn_status_name, cn_status_text. */
#include <cornu/cornu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int has(cn_names_kind kind, const char *name)
{
    for (int i = 0; cn_names(kind, i); i++)
        if (!strcmp(cn_names(kind, i), name)) return 1;
    return 0;
}

static void each_kind_lists_its_names(void **state)
{
    (void)state;
    assert_true(has(CN_NAMES_LAYER, "Dense"));
    assert_true(has(CN_NAMES_ACTIVATION, "softmax"));
    assert_true(has(CN_NAMES_INITIALIZER, "glorot_uniform"));
    assert_true(has(CN_NAMES_OPTIMIZER, "rmsprop"));
    assert_true(has(CN_NAMES_LOSS, "categorical_crossentropy"));
    assert_true(has(CN_NAMES_METRIC, "binary_accuracy"));
    assert_true(has(CN_NAMES_REGULARIZER, "l1_l2"));
    assert_true(has(CN_NAMES_CONSTRAINT, "max_norm"));
    assert_true(has(CN_NAMES_SCHEDULE, "cosine_decay"));
    assert_false(has(CN_NAMES_LAYER, "softmax"));
    assert_null(cn_names(CN_NAMES_LAYER, -1));
    assert_null(cn_names((cn_names_kind)99, 0));
}

/* A name that is listed must be one that is understood. */
static void each_listed_optimizer_can_be_made(void **state)
{
    (void)state;
    for (int i = 0; cn_names(CN_NAMES_OPTIMIZER, i); i++) {
        cn_optimizer *optimizer = cn_optimizer_from_text(cn_names(CN_NAMES_OPTIMIZER, i));
        assert_non_null(optimizer);
        cn_optimizer_destroy(&optimizer);
        assert_null(optimizer);
    }
}

static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    static const char *const names[] = {"evaluate", "epochs", "early-stopping"};
    assert_string_equal(cn_suggest("epohcs", names, 3), "epochs"); /* two letters swapped */
    assert_string_equal(cn_suggest("EPOCH", names, 3), "epochs");
    assert_string_equal(cn_suggest("ev", names, 3), "evaluate"); /* the beginning of it */
    assert_string_equal(cn_suggest("early_stoping", names, 3), "early-stopping");
    assert_null(cn_suggest("e", names, 3));
    assert_null(cn_suggest("optimizer", names, 3));
    assert_null(cn_suggest("epochs", names, 0));
}

static void statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(cn_status_name(CN_OK), "CN_OK");
    assert_string_equal(cn_status_name(CN_ESHAPE), "CN_ESHAPE");
    assert_string_equal(cn_status_text(CN_ENOMEM), "out of memory");
    assert_string_equal(cn_status_name(-999), "unknown status");
    assert_string_equal(cn_status_text(1), "unknown status");
}

static void a_model_tells_its_name_and_its_layers(void **state)
{
    (void)state;
    cn_model *model = cn_sequential(.name = "first");
    cn_add(model, cn_rescaling(0.5, .input_shape = {2, 3}));
    cn_add(model, cn_flatten());
    cn_add(model, cn_dense(4));
    assert_string_equal(cn_model_name(model), "first");
    assert_int_equal(cn_model_n_layers(model), 3);
    assert_string_equal(cn_model_layer_name(model, 1), "flatten");
    assert_string_equal(cn_model_layer_class(model, 2), "Dense");
    assert_null(cn_model_layer_name(model, 3));
    assert_string_equal(cn_model_weight_name(model, 0), "dense/kernel");
    assert_null(cn_model_weight_name(model, 2));
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_lists_its_names),
        cmocka_unit_test(each_listed_optimizer_can_be_made),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(a_model_tells_its_name_and_its_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
