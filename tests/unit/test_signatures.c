/* Every class of Keras is there, with each of its arguments at its place and with its default. */
#include "signatures.h"

#include "train/schedule.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

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
        cmocka_unit_test(schedules_take_what_keras_says),
        cmocka_unit_test(differences_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
