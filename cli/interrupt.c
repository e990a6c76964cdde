#define _POSIX_C_SOURCE 200809L /* sigaction, sigprocmask */
#include "interrupt.h"

#include <cornu/model.h>
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t seen = 0;

static void on_signal(int number)
{
    (void)number;
    seen = 1;
}

static int stop_when_seen(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    (void)user, (void)batch, (void)logs;
    if (seen) {
        cn_model_stop_training(model);
    }
    return 0;
}

const cn_callback *interrupt_callback(void)
{
    static const cn_callback callback = {.on_train_batch_end = stop_when_seen};
    struct sigaction before, action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    /* What was ignored when the process began (nohup, a shell's background job) stays ignored. */
    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
        sigaction(SIGINT, &action, NULL);
    }
    return &callback;
}

int interrupt_seen(void)
{
    return seen;
}

static void mask(int how)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaddset(&set, numbers[i]);
    }
    sigprocmask(how, &set, NULL);
}

void interrupt_hold(void)
{
    mask(SIG_BLOCK);
}

void interrupt_release(void)
{
    mask(SIG_UNBLOCK);
}
