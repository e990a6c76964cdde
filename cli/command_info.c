#include "commands.h"
#include "json_out.h"

#include <cornu/system.h>
#include <stdio.h>

struct info_options {
    int json;
};

static const struct option options[] = {
    {OPTION_FLAG, "json", 0, offsetof(struct info_options, json), NULL, 0, 0, NULL, "print one JSON object"},
    {.kind = OPTION_END},
};

static const struct info_options defaults = {0};

static void print_json(const cn_system *machine)
{
    json_out json = {.stream = stdout};
    const char *name, *library;
    int yes;
    json_out_open(&json, NULL, '{');
    json_out_text(&json, "version", machine->version);
    json_out_text(&json, "compiler", machine->compiler);
    json_out_text(&json, "cpu", machine->cpu);
    json_out_text(&json, "isa_detected", machine->isa_detected);
    json_out_text(&json, "isa_chosen", machine->isa_chosen);
    json_out_open(&json, "isa", '{');
    for (int i = 0; (name = cn_system_isa(i, &yes)) != NULL; i++) {
        json_out_boolean(&json, name, yes);
    }
    json_out_close(&json, '}');
    json_out_boolean(&json, "amx_bf16", machine->has_amx_bf16);
    json_out_boolean(&json, "avx512_bf16", machine->has_avx512_bf16);
    json_out_integer(&json, "threads", machine->threads);
    json_out_integer(&json, "cache_l1", machine->cache_l1);
    json_out_integer(&json, "cache_l2", machine->cache_l2);
    json_out_integer(&json, "cache_l3", machine->cache_l3);
    json_out_open(&json, "features", '{');
    for (int i = 0; (name = cn_system_feature(i, &yes, &library)) != NULL; i++) {
        json_out_text(&json, name, yes ? library : NULL);
    }
    json_out_close(&json, '}');
    json_out_close(&json, '}');
    putchar('\n');
}

static void print_cache(const char *name, int64_t bytes)
{
    if (bytes > 0) {
        printf("  %s %lld KiB", name, (long long)(bytes / 1024));
    }
}

static void print_text(const cn_system *machine)
{
    const char *name, *library;
    int yes;
    printf("version   cornu %s, built with %s\n", machine->version, machine->compiler);
    printf("cpu       %s\n", machine->cpu);
    printf("threads   %d\n", machine->threads);
    printf("kernels   %s (best of this CPU: %s; CORNU_ISA and --isa can lower it)\n", machine->isa_chosen,
           machine->isa_detected);
    for (int i = 0; (name = cn_system_isa(i, &yes)) != NULL; i++) {
        printf("          %-8s %s\n", name, yes ? "usable" : "not on this machine");
    }
    printf("bfloat16  AMX %s, AVX-512 %s\n", machine->has_amx_bf16 ? "yes" : "no",
           machine->has_avx512_bf16 ? "yes" : "no");
    printf("caches  ");
    print_cache("L1", machine->cache_l1);
    print_cache("L2", machine->cache_l2);
    print_cache("L3", machine->cache_l3);
    putchar('\n');
    printf("features\n");
    for (int i = 0; (name = cn_system_feature(i, &yes, &library)) != NULL; i++) {
        printf("          %-8s %s%s\n", name, yes ? "" : "left out of this build: ",
               library != NULL ? library : "");
    }
}

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct info_options *given = given_options;
    cn_system machine;
    (void)n_operands, (void)operands;
    cn_system_get(&machine);
    if (given->json) {
        print_json(&machine);
    } else {
        print_text(&machine);
    }
    return STATUS_OK;
}

const struct command command_info = {
    .name = "info",
    .summary = "tell what this build and this machine have",
    .operands = "",
    .about = "Version, CPU, kernels, threads, caches, and the optional libraries of this build.",
    .examples = "  cornu info\n"
                "  CORNU_ISA=avx2 cornu info      see what a lower level changes\n"
                "  cornu info --json",
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct info_options),
    .run = run,
};
