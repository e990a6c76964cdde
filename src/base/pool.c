#define _GNU_SOURCE
#include "base/pool.h"

#include "base/error.h"
#include "base/memory.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* About 10 to 20 microseconds: longer than the gaps between the loops of one training step, far shorter than the time
 * slice that another program loses when we spin through it. */
#define SPINS 4000

typedef struct worker {
    cn__pool *pool;
    int number;
    pthread_t thread;
} worker;

struct cn__pool {
    int threads;
    /* Each counter has a cache line of its own: one is written by the caller, one by the workers. */
    _Alignas(CN_ALIGNMENT) atomic_uint generation; /* counts loops; workers wait for it to change */
    _Alignas(CN_ALIGNMENT) atomic_uint unfinished; /* workers that have not finished this loop */
    _Alignas(CN_ALIGNMENT) atomic_uint sleepers;   /* workers asleep on `generation` */
    atomic_uint caller_sleeps;
    cn__loop_body body;
    void *context;
    int64_t count;
    int stop;
    unsigned char *memory; /* scratch and strip of each thread */
    worker workers[CN_MAX_THREADS];
};

static void pause_a_little(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(atomic_uint *address, unsigned expected)
{
    syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *address, int how_many)
{
    syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, how_many, NULL, NULL, 0);
}

static void run_share(cn__pool *pool, int thread)
{
    int64_t begin = pool->count * thread / pool->threads;
    int64_t end = pool->count * (thread + 1) / pool->threads;
    if (begin < end) pool->body(pool->context, thread, begin, end);
}

static unsigned wait_for_change(cn__pool *pool, unsigned seen)
{
    for (int spin = 0; spin < SPINS; spin++) {
        unsigned now = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (now != seen) return now;
        pause_a_little();
    }
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->generation) == seen) futex_wait(&pool->generation, seen);
    atomic_fetch_sub(&pool->sleepers, 1);
    return atomic_load_explicit(&pool->generation, memory_order_acquire);
}

static void *work(void *argument)
{
    worker *self = argument;
    cn__pool *pool = self->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_change(pool, seen);
        if (pool->stop) return NULL;
        run_share(pool, self->number);
        if (atomic_fetch_sub_explicit(&pool->unfinished, 1, memory_order_seq_cst) == 1 &&
            atomic_load(&pool->caller_sleeps))
            futex_wake(&pool->unfinished, 1);
    }
}

static void wait_until_finished(cn__pool *pool)
{
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&pool->unfinished, memory_order_acquire) == 0) return;
        pause_a_little();
    }
    atomic_store(&pool->caller_sleeps, 1);
    unsigned left;
    while ((left = atomic_load(&pool->unfinished)) != 0) futex_wait(&pool->unfinished, left);
    atomic_store(&pool->caller_sleeps, 0);
}

static void start_loop(cn__pool *pool)
{
    atomic_fetch_add(&pool->generation, 1);
    if (atomic_load(&pool->sleepers)) futex_wake(&pool->generation, INT_MAX);
}

void cn__parallel(cn__pool *pool, int64_t count, cn__loop_body body, void *context)
{
    if (count <= 0) return;
    if (pool->threads == 1 || count == 1) {
        body(context, 0, 0, count);
        return;
    }
    pool->body = body;
    pool->context = context;
    pool->count = count;
    atomic_store_explicit(&pool->unfinished, (unsigned)pool->threads - 1, memory_order_relaxed);
    start_loop(pool);
    run_share(pool, 0);
    wait_until_finished(pool);
}

cn__pool *cn__pool_create(int threads)
{
    if (threads < 1) threads = 1;
    if (threads > CN_MAX_THREADS) threads = CN_MAX_THREADS;
    cn__pool *pool = cn__alloc(1, sizeof *pool, "the thread pool");
    if (!pool) return NULL;
    pool->threads = 1;
    pool->memory = cn__alloc_raw((size_t)threads, CN_POOL_SCRATCH + CN_POOL_STRIP, "scratch memory of the threads");
    if (!pool->memory) cn__pool_destroy(&pool);
    if (!pool) return NULL;
    for (int i = 1; i < threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i;
        int reason = pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]);
        if (reason) {
            cn__pool_destroy(&pool);
            return cn__fail_null(CN_ENOMEM, "cannot start thread %d of %d (%s); ask for fewer threads", i + 1, threads,
                                 strerror(reason));
        }
        pool->threads = i + 1;
    }
    return pool;
}

void cn__pool_destroy(cn__pool **pool)
{
    if (!pool || !*pool) return;
    (*pool)->stop = 1;
    start_loop(*pool);
    for (int i = 1; i < (*pool)->threads; i++) pthread_join((*pool)->workers[i].thread, NULL);
    cn__free((*pool)->memory);
    cn__free(*pool);
    *pool = NULL;
}

void *cn__pool_scratch(cn__pool *pool, int thread)
{
    return pool->memory + (size_t)thread * (CN_POOL_SCRATCH + CN_POOL_STRIP);
}

void *cn__pool_strip(cn__pool *pool, int thread)
{
    return pool->memory + (size_t)thread * (CN_POOL_SCRATCH + CN_POOL_STRIP) + CN_POOL_SCRATCH;
}

int cn__pool_threads(const cn__pool *pool)
{
    return pool->threads;
}
