#define _GNU_SOURCE
#include "base/pool.h"

#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/turns.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An idle thread spins and then sleeps. Waking a sleeper takes some 50 microseconds in a virtual machine, by when the
 * others have done its work, so on a quiet machine it must not sleep between the loops of one training step. But when
 * other programs want the CPU, a thread that spins takes it from those that its team waits for: then for some time the
 * team's threads sleep almost at once. It tells by a wait much longer than a loop, during which the system took a CPU
 * from one of the program's threads. (A virtual machine's host takes CPUs away as well, of which the system knows
 * nothing; sleeping does not help there, but made fit a tenth slower.) As asking the system takes as long as a short
 * loop, that is done only for some time after such a wait: the first one raises a suspicion, and the next one confirms
 * it. Threads do not offer the CPU by sched_yield, after which Linux lets others have it for several milliseconds,
 * unless the others are the team itself, because it has more threads than there are CPUs. */
#define SPIN_SECONDS 150e-6
#define SPIN_IN_COMPANY 30 /* so many times shorter */
#define COMPANY_SECONDS 1e-3
#define LOOPS_IN_COMPANY 500
#define LOOPS_IN_SUSPICION 500
#define LOOKS_IN_A_CROWD 400

/* A loop is cut into pieces. Each thread owns a run of them, always the same one, so that its part of the data stays in
 * its cache; a thread that is through takes pieces of others, so that one which the system has put aside holds nobody
 * up. */
#define PIECES_PER_THREAD 8

/* One thread's run of pieces in one word: the number of the loop in the upper 32 bits, then 16 bits for the end of the
 * run and 16 for its next piece. Being one word, it cannot be seen half old and half new: a thread that comes late,
 * with an old loop in mind, never takes a piece of a newer one. */
typedef struct run {
    _Alignas(CN_ALIGNMENT) atomic_uint_fast64_t state;
} run;
_Static_assert(CN_MAX_THREADS * PIECES_PER_THREAD < 1 << 16, "the pieces of a loop do not fit into 16 bits");

/* A loop, and how far each thread's run of it is. */
typedef struct loop {
    _Alignas(CN_ALIGNMENT) _Atomic(cn__loop_body) body;
    _Atomic(void *) context;
    atomic_int_fast64_t count;
    atomic_uint pieces;
    run runs[CN_MAX_THREADS];
} loop;

/* A loop that waits for the next one. */
typedef struct waiting_loop {
    cn__loop_body body;
    void *context;
    int64_t count;
    _Alignas(CN_ALIGNMENT) unsigned char copy[CN__POOL_CONTEXT];
} waiting_loop;

typedef struct worker {
    cn__pool *pool;
    int number;
    pthread_t thread;
} worker;

struct cn__pool {
    int threads;
    long spins;
    int is_crowded;     /* more threads than CPUs: */
    int wakes;          /* no more sleepers are woken for a loop than can run, which take the others' pieces */
    int64_t caches[3];
    atomic_int company; /* loops until the team believes again that it is alone */
    int suspicion;      /* loops until the caller gives it up */
    long switches;      /* with a suspicion: involuntary ones before the loop */
    /* Each has a cache line of its own: one is written by the caller, one by all. */
    _Alignas(CN_ALIGNMENT) atomic_uint generation; /* counts loops; workers wait for it to change */
    _Alignas(CN_ALIGNMENT) atomic_uint unfinished; /* pieces */
    _Alignas(CN_ALIGNMENT) atomic_uint sleepers;   /* workers asleep on `generation` */
    atomic_uint caller_sleeps;
    atomic_int waker; /* the CPU of the thread that last woke others */
    atomic_int stop;
    loop loops[1 + CN__POOL_BESIDES]; /* the one that everybody works on, and others besides */
    atomic_int n_besides;             /* of these */
    waiting_loop waiting[CN__POOL_BESIDES];
    int n_waiting;
    int postpones;
    unsigned char *memory; /* scratch and strip of each thread */
    cn__pool *members;     /* a team of one for each thread; NULL in such a team itself */
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

/* The pause instruction takes between 10 and 140 cycles, depending on the CPU. */
static long spins_in(double seconds)
{
    double start = cn__clock();
    for (int i = 0; i < 200; i++) pause_a_little();
    double each = (cn__clock() - start) / 200;
    long spins = each > 0 ? (long)(seconds / each) : 1000;
    return spins < 100 ? 100 : (spins > 40000 ? 40000 : spins);
}

static void futex_wait(atomic_uint *address, unsigned expected)
{
    syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *address, int how_many)
{
    syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, how_many, NULL, NULL, 0);
}

/* A sleeper is mostly woken on the CPU of the thread that wakes it: a virtual CPU that rests looks to Linux as if the
 * host had taken it away. There both share one CPU until Linux balances its CPUs, milliseconds later, and a team of two
 * is no faster than one thread. So the woken one moves to another of the CPUs that it may use, and may come back. */
static void leave_waker(const cn__pool *pool)
{
    cpu_set_t allowed, others;
    const int cpu = atomic_load(&pool->waker);
    if (pool->is_crowded || sched_getcpu() != cpu || sched_getaffinity(0, sizeof allowed, &allowed)) return;
    others = allowed;
    CPU_CLR((size_t)cpu, &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others)) return;
    sched_setaffinity(0, sizeof allowed, &allowed);
}

/* Wakes threads that sleep on the address. */
static void wake(cn__pool *pool, atomic_uint *address, int how_many)
{
    atomic_store(&pool->waker, sched_getcpu());
    futex_wake(address, how_many);
}

/* The next piece of a run, or -1. */
static int64_t take_piece(run *r, unsigned generation)
{
    uint_fast64_t seen = atomic_load(&r->state);
    for (;;) {
        unsigned next = seen & 0xffff, end = seen >> 16 & 0xffff;
        if ((unsigned)(seen >> 32) != generation || next >= end) return -1;
        if (atomic_compare_exchange_weak(&r->state, &seen, seen + 1)) return next;
    }
}

/* Returns how many pieces it did. */
static unsigned work_on_loop(loop *l, int threads, int thread, unsigned generation)
{
    cn__loop_body body = atomic_load_explicit(&l->body, memory_order_relaxed);
    void *context = atomic_load_explicit(&l->context, memory_order_relaxed);
    int64_t count = atomic_load_explicit(&l->count, memory_order_relaxed), piece;
    int64_t pieces = atomic_load_explicit(&l->pieces, memory_order_relaxed);
    unsigned done = 0;
    for (int i = 0; i < threads; i++) {
        run *r = &l->runs[(thread + i) % threads];
        while ((piece = take_piece(r, generation)) >= 0) {
            body(context, thread, count * piece / pieces, count * (piece + 1) / pieces);
            done++;
        }
    }
    return done;
}

static void work_on(cn__pool *pool, int thread, unsigned generation)
{
    unsigned done = 0;
    for (int i = 0; i <= atomic_load_explicit(&pool->n_besides, memory_order_relaxed); i++)
        done += work_on_loop(&pool->loops[i], pool->threads, thread, generation);
    if (done && atomic_fetch_sub(&pool->unfinished, done) == done && atomic_load(&pool->caller_sleeps))
        wake(pool, &pool->unfinished, 1);
}

static long looks_before_sleep(const cn__pool *pool)
{
    if (pool->is_crowded) return LOOKS_IN_A_CROWD;
    return atomic_load_explicit(&pool->company, memory_order_relaxed) > 0 ? pool->spins / SPIN_IN_COMPANY : pool->spins;
}

static void pass_the_time(const cn__pool *pool)
{
    if (pool->is_crowded) sched_yield();
    else pause_a_little();
}

static unsigned wait_for_change(cn__pool *pool, unsigned seen)
{
    for (long look = looks_before_sleep(pool); look > 0; look--) {
        unsigned now = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (now != seen) return now;
        pass_the_time(pool);
    }
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->generation) == seen) futex_wait(&pool->generation, seen);
    atomic_fetch_sub(&pool->sleepers, 1);
    leave_waker(pool);
    return atomic_load(&pool->generation);
}

static void *work(void *argument)
{
    worker *self = argument;
    unsigned seen = 0;
    cn__turns turns;
    cn__turns_shorten(&turns);
    for (;;) {
        seen = wait_for_change(self->pool, seen);
        if (atomic_load(&self->pool->stop)) return NULL;
        work_on(self->pool, self->number, seen);
    }
}

/* How often the system has taken a CPU from one of the program's threads. */
static long involuntary_switches(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

static void be_on_the_watch(cn__pool *pool)
{
    if (pool->suspicion > 0 && --pool->suspicion > 0) pool->switches = involuntary_switches();
}

/* After a long wait. */
static void look_for_company(cn__pool *pool)
{
    if (pool->suspicion > 0 && involuntary_switches() > pool->switches) atomic_store(&pool->company, LOOPS_IN_COMPANY);
    pool->suspicion = LOOPS_IN_SUSPICION;
}

static void wait_until_finished(cn__pool *pool)
{
    for (long look = looks_before_sleep(pool); look > 0; look--) {
        if (atomic_load_explicit(&pool->unfinished, memory_order_acquire) == 0) return;
        pass_the_time(pool);
    }
    double start = cn__clock();
    atomic_store(&pool->caller_sleeps, 1);
    unsigned left;
    while ((left = atomic_load(&pool->unfinished)) != 0) futex_wait(&pool->unfinished, left);
    atomic_store(&pool->caller_sleeps, 0);
    leave_waker(pool);
    if (cn__clock() - start > COMPANY_SECONDS) look_for_company(pool);
}

static void announce(cn__pool *pool, unsigned generation, int sleepers)
{
    atomic_store(&pool->generation, generation);
    if (atomic_load(&pool->sleepers)) wake(pool, &pool->generation, sleepers);
}

/* Returns into how many pieces it cuts the loop. */
static unsigned prepare(cn__pool *pool, loop *l, int64_t count, cn__loop_body body, void *context)
{
    unsigned threads = (unsigned)pool->threads;
    unsigned pieces = count < PIECES_PER_THREAD * (int64_t)threads ? (unsigned)count : PIECES_PER_THREAD * threads;
    atomic_store_explicit(&l->body, body, memory_order_relaxed);
    atomic_store_explicit(&l->context, context, memory_order_relaxed);
    atomic_store_explicit(&l->count, count, memory_order_relaxed);
    atomic_store_explicit(&l->pieces, pieces, memory_order_relaxed);
    return pieces;
}

static void hand_out(cn__pool *pool, loop *l, unsigned generation, unsigned pieces)
{
    unsigned threads = (unsigned)pool->threads;
    for (unsigned t = 0; t < threads; t++) {
        unsigned first = pieces * t / threads, end = pieces * (t + 1) / threads;
        atomic_store(&l->runs[t].state, (uint_fast64_t)generation << 32 | end << 16 | first);
    }
}

void cn__parallel_besides(cn__pool *pool, int64_t count, cn__loop_body body, void *context)
{
    if (count <= 0) return;
    if (pool->n_waiting == CN__POOL_BESIDES) cn__parallel_rest(pool);
    waiting_loop *next = &pool->waiting[pool->n_waiting++];
    next->body = body;
    next->context = context;
    next->count = count;
}

void cn__parallel_rest(cn__pool *pool)
{
    if (pool->n_waiting == 0) return;
    const waiting_loop *last = &pool->waiting[--pool->n_waiting];
    cn__parallel(pool, last->count, last->body, last->context);
}

void cn__parallel_postpone(cn__pool *pool, int does)
{
    pool->postpones = does;
}

void cn__parallel_soon(cn__pool *pool, int64_t count, cn__loop_body body, void *context, size_t context_size)
{
    if (!pool->postpones || pool->threads == 1 || context_size > CN__POOL_CONTEXT) {
        cn__parallel(pool, count, body, context);
        return;
    }
    if (pool->n_waiting == CN__POOL_BESIDES) cn__parallel_rest(pool);
    unsigned char *copy = pool->waiting[pool->n_waiting].copy;
    memcpy(copy, context, context_size);
    cn__parallel_besides(pool, count, body, copy);
}

static void run_alone(cn__pool *pool, int64_t count, cn__loop_body body, void *context)
{
    body(context, 0, 0, count);
    for (int i = 0; i < pool->n_waiting; i++)
        pool->waiting[i].body(pool->waiting[i].context, 0, 0, pool->waiting[i].count);
    pool->n_waiting = 0;
}

void cn__parallel(cn__pool *pool, int64_t count, cn__loop_body body, void *context)
{
    if (count <= 0) return;
    if (pool->threads == 1 || (count == 1 && !pool->n_waiting)) {
        run_alone(pool, count, body, context);
        return;
    }
    if (atomic_load_explicit(&pool->company, memory_order_relaxed) > 0) atomic_fetch_sub(&pool->company, 1);
    be_on_the_watch(pool);
    const unsigned generation = atomic_load(&pool->generation) + 1;
    unsigned pieces[1 + CN__POOL_BESIDES], all;
    const int besides = pool->n_waiting;
    all = pieces[0] = prepare(pool, &pool->loops[0], count, body, context);
    for (int i = 0; i < besides; i++) {
        const waiting_loop *w = &pool->waiting[i];
        all += pieces[1 + i] = prepare(pool, &pool->loops[1 + i], w->count, w->body, w->context);
    }
    atomic_store_explicit(&pool->n_besides, besides, memory_order_relaxed);
    atomic_store(&pool->unfinished, all);
    for (int i = 0; i <= besides; i++) hand_out(pool, &pool->loops[i], generation, pieces[i]);
    announce(pool, generation, pool->wakes);
    work_on(pool, 0, generation);
    wait_until_finished(pool);
    pool->n_waiting = 0;
}

cn__pool *cn__pool_create(int threads)
{
    if (threads < 1) threads = 1;
    if (threads > CN_MAX_THREADS) threads = CN_MAX_THREADS;
    cn__pool *pool = cn__alloc(1, sizeof *pool, "the thread pool");
    if (!pool) return NULL;
    pool->threads = 1;
    pool->spins = spins_in(SPIN_SECONDS);
    pool->is_crowded = threads > cn__cpu_threads();
    pool->wakes = pool->is_crowded ? cn__cpu_threads() : INT_MAX;
    cn__cpu_caches(pool->caches);
    pool->memory = cn__alloc_raw((size_t)threads, CN_POOL_SCRATCH + CN_POOL_STRIP, "scratch memory of the threads");
    pool->members = pool->memory ? cn__alloc((size_t)threads, sizeof *pool, "the thread pool") : NULL;
    if (!pool->members) cn__pool_destroy(&pool);
    if (!pool) return NULL;
    for (int i = 0; i < threads; i++) {
        pool->members[i].threads = 1;
        pool->members[i].memory = cn__pool_scratch(pool, i);
        memcpy(pool->members[i].caches, pool->caches, sizeof pool->caches);
    }
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
    atomic_store(&(*pool)->stop, 1);
    announce(*pool, atomic_load(&(*pool)->generation) + 1, INT_MAX);
    for (int i = 1; i < (*pool)->threads; i++) pthread_join((*pool)->workers[i].thread, NULL);
    cn__free((*pool)->memory);
    cn__free((*pool)->members);
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

cn__pool *cn__pool_member(cn__pool *pool, int thread)
{
    return pool->members ? &pool->members[thread] : pool;
}

int cn__pool_threads(const cn__pool *pool)
{
    return pool->threads;
}

const int64_t *cn__pool_caches(const cn__pool *pool)
{
    return pool->caches;
}

void cn__pool_pretend_caches(cn__pool *pool, int64_t level1, int64_t level2)
{
    pool->caches[0] = level1;
    pool->caches[1] = level2;
}
