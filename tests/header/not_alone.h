/* Wrong on purpose: uses a type of <cornu/tensor.h> without including it. */
#ifndef CN_TEST_NOT_ALONE_H
#define CN_TEST_NOT_ALONE_H

int cn_test_not_alone(const cn_tensor *tensor);

#endif
