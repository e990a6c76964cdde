/* Cornu: Keras's workflow in C. This header includes all others; each of them is the manual of its topic. */
#ifndef CORNU_CORNU_H
#define CORNU_CORNU_H

#include <cornu/built_in_callbacks.h>
#include <cornu/callback.h>
#include <cornu/dataset.h>
#include <cornu/error.h>
#include <cornu/image.h>
#include <cornu/inspect.h>
#include <cornu/layer.h>
#include <cornu/loss.h>
#include <cornu/metric.h>
#include <cornu/model.h>
#include <cornu/operations.h>
#include <cornu/optimizer.h>
#include <cornu/schedule.h>
#include <cornu/system.h>
#include <cornu/tape.h>
#include <cornu/tape_layer.h>
#include <cornu/tensor.h>

#endif
