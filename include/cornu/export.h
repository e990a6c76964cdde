/* CN_API marks what the shared library shows; everything else is hidden.
 *
 * The option macros of the other headers (cn_dense, cn_fit, ...) put Keras's defaults in front and your own values
 * behind, so that `.use_bias = 0` really means 0 and an option left out has Keras's default. GCC and Clang warn about
 * such overriding, and about the step left out of a range such as {10, 100}; the pragmas tell them that it is meant. */
#ifndef CORNU_EXPORT_H
#define CORNU_EXPORT_H

#if defined(__GNUC__)
#define CN_API __attribute__((visibility("default")))
#else
#define CN_API
#endif

#if !defined(__cplusplus) && !defined(CN_KEEP_OVERRIDE_WARNINGS)
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#pragma clang diagnostic ignored "-Wmissing-field-initializers"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#endif

#endif
