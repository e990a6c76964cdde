/* Layers as they are written on a command line: "512:relu,10:softmax" or "flatten,dense(512, activation=relu)". */
#ifndef CLI_LAYERS_TEXT_H
#define CLI_LAYERS_TEXT_H

#include <cornu/model.h>

#define LAYERS_TEXT_LONGEST 255
/* Copies the next item of a list, which ends at a comma outside brackets, and returns what follows, NULL at the end. An
 * item that is too long comes out empty. */
const char *layers_text_next(const char *text, char item[LAYERS_TEXT_LONGEST + 1]);

/* 1 if pictures should come in as rows of numbers: the first layer that is not element by element is dense. */
int layers_text_want_rows(const char *text);

/* 1 if pictures should come in with an axis for their channel: a layer of pictures (conv2d, random_rotation) is among
 * them. */
int layers_text_want_channels(const char *text);

/* 1 if a rescaling layer is among them. */
int layers_text_rescale(const char *text);

/* Adds the layers in order. Failures of single layers are remembered by the model and told by cn_compile; the exit
 * status returned is about the list itself. */
int layers_text_add(cn_model *model, const char *text);

#endif
