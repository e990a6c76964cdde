/* CN__UNROLL(n) in front of a loop of at most n turns, whose number the compiler mostly knows once it has put functions
 * into each other: no loop any more, so that arrays become registers. (clang takes a number for how many turns to put
 * into one, and then arrays stay in memory. It warns of loops that stay loops, which some are meant to.)
 *
 * Under a sanitizer they stay loops: nobody waits for them there, but a compiler needs minutes for the checks of all
 * their turns. */
#ifndef CN_KERNELS_UNROLL_H
#define CN_KERNELS_UNROLL_H

#define CN__PRAGMA(text) _Pragma(#text)
#if defined(CN_SANITIZED)
#define CN__UNROLL(n)
#elif defined(__clang__)
CN__PRAGMA(clang diagnostic ignored "-Wpass-failed")
#define CN__UNROLL(n) CN__PRAGMA(clang loop unroll(full))
#else
#define CN__UNROLL(n) CN__PRAGMA(GCC unroll n)
#endif

#endif
