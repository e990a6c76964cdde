/* What Adam and AdamW share. */
#ifndef CN_TRAIN_ADAM_H
#define CN_TRAIN_ADAM_H

#include "kernels/real.h"
#include "train/optimizer.h"

#define CN__ADAM_MOVE CN_T(cn__adam_move)
void CN__ADAM_MOVE(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                   const void *gradient);

int cn__adam_check(const void *options);
int cn__adam_slots(const void *options, const char *names[CN__MAX_SLOTS]);
void cn__adam_begin_step(const void *options, int64_t t, double learning_rate, cn__step *step);

#endif
