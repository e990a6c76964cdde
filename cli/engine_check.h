/* What a command line says about kernels and numbers, looked at before anything else is done. */
#ifndef CLI_ENGINE_CHECK_H
#define CLI_ENGINE_CHECK_H

/* Whether there are such kernels and such a precision; NULL is what CORNU_ISA says, and the default. Complains, and
 * returns STATUS_USAGE for a name that does not exist, STATUS_FAILED for one that this machine cannot run. */
int engine_check(const char *isa, const char *precision);

#endif
