/* For each test a fresh small model, compiled, and ten samples: cmocka_unit_test_setup_teardown(test, setup,
 * teardown). */
#ifndef CN_TEST_SMALL_FIXTURE_H
#define CN_TEST_SMALL_FIXTURE_H

#include "small_model.h"

static cn_model *model;
static cn_tensor *x, *y;

static int setup(void **state)
{
    (void)state;
    model = small_model();
    x = small_x(10);
    y = small_y(10);
    return small_compile(model);
}

static int teardown(void **state)
{
    (void)state;
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return 0;
}

#endif
