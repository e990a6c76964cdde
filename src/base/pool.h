/* A team of threads that shares loops. Idle threads spin for some microseconds and then sleep, so a busy machine slows
 * a step down gracefully. What a loop computes must not depend on how it is cut: each result belongs to one index. */
#ifndef CN_BASE_POOL_H
#define CN_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef struct cn__pool cn__pool;

/* Works on indices begin ... end-1 as thread number `thread` of the team (for scratch memory). */
typedef void (*cn__loop_body)(void *context, int thread, int64_t begin, int64_t end);

#define CN_MAX_THREADS 64

/* A team of `threads` including the caller (1 ... CN_MAX_THREADS). NULL with a sentence when threads cannot be made. */
cn__pool *cn__pool_create(int threads);
void cn__pool_destroy(cn__pool **pool);
int cn__pool_threads(const cn__pool *pool);

/* Bytes of level-1 data and level-2 cache, as cn__cpu_caches said when the pool was made. */
const int64_t *cn__pool_caches(const cn__pool *pool);
/* For tests and measurements: from now on the pool says these. */
void cn__pool_pretend_caches(cn__pool *pool, int64_t level1, int64_t level2);

/* A team of that one thread alone, with its memory, for a loop body that calls functions which want a team. It belongs
 * to the pool. */
cn__pool *cn__pool_member(cn__pool *pool, int thread);

/* Memory of one thread's own, aligned to CN_ALIGNMENT, whose contents last until the next call that uses it: a large
 * piece for copies of operands, and a piece for results that should stay in the level-2 cache. */
#define CN_POOL_SCRATCH ((size_t)8 << 20)
#define CN_POOL_STRIP ((size_t)128 << 10)
void *cn__pool_scratch(cn__pool *pool, int thread);
void *cn__pool_strip(cn__pool *pool, int thread);

/* Runs body over 0 ... count-1, cut into contiguous pieces, and returns when all are done. */
void cn__parallel(cn__pool *pool, int64_t count, cn__loop_body body, void *context);

/* A loop for threads that are through with the next call of cn__parallel: that returns when both are done. What the
 * loop works on must last until then, and nothing in the next loop may need it. Of more than CN__POOL_BESIDES, the new
 * one waits until the others have been done. */
void cn__parallel_besides(cn__pool *pool, int64_t count, cn__loop_body body, void *context);
/* Does them now, if there has been no next call. */
void cn__parallel_rest(cn__pool *pool);
#define CN__POOL_BESIDES 6

/* As cn__parallel, but after cn__parallel_postpone(pool, 1) as cn__parallel_besides, and with a copy of the context: so
 * small loops that do not depend on each other share the end of a large one. With a context
 * of more than CN__POOL_CONTEXT bytes it does not wait. */
#define CN__POOL_CONTEXT 320
void cn__parallel_soon(cn__pool *pool, int64_t count, cn__loop_body body, void *context, size_t context_size);
void cn__parallel_postpone(cn__pool *pool, int does);

#endif
