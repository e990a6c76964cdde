#include "commands.h"
#include "complain.h"
#include "digits.h"
#include "engine_check.h"
#include "json_out.h"

#include <cornu/cornu.h>
#include <math.h>
#include <stdio.h>

struct info_options {
    const char *plan, *precision, *isa;
    int64_t batch_size, threads;
    int json, download;
};

#define AT(member) offsetof(struct info_options, member)
static const struct option options[] = {
    {OPTION_FLAG, "json", 0, AT(json), NULL, 0, 0, NULL, "print one JSON object"},
    {OPTION_TEXT, "plan", 0, AT(plan), "MODEL", 0, 0, NULL,
     "tell how a training step of this saved model would be computed, and why; DATASET's zeros count"},
    {OPTION_INTEGER, "batch-size", 'b', AT(batch_size), "N", 1, 1e9, "a whole number of at least 1",
     "images for each step of the plan"},
    {OPTION_TEXT, "precision", 0, AT(precision), "NAME", 0, 0, NULL, "float32, mixed_bfloat16 or float64"},
    {OPTION_INTEGER, "threads", 't', AT(threads), "N", 0, 64, "a whole number from 0 to 64",
     "threads of the plan; 0 means as many as this process may use, the most"},
    {OPTION_TEXT, "isa", 0, AT(isa), "NAME", 0, 0, NULL,
     "kernels to speak of (default: the best this machine can run)"},
    {OPTION_UNSET, "no-download", 0, AT(download), NULL, 0, 0, NULL, "never use the network"},
    {.kind = OPTION_END},
};
#undef AT

static const struct info_options defaults = {.precision = "float32", .batch_size = 128, .download = 1};

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
    json_out_integer(&json, "block_rows", machine->block_rows);
    json_out_integer(&json, "block_terms", machine->block_terms);
    json_out_integer(&json, "block_columns", machine->block_columns);
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
    printf("\nblocks    %lld x %lld by %lld x %lld numbers at a time in dense products, to suit the caches\n",
           (long long)machine->block_rows, (long long)machine->block_terms, (long long)machine->block_terms,
           (long long)machine->block_columns);
    printf("features\n");
    for (int i = 0; (name = cn_system_feature(i, &yes, &library)) != NULL; i++) {
        printf("          %-8s %s%s\n", name, yes ? "" : "left out of this build: ",
               library != NULL ? library : "");
    }
}

static int print_plan_of(cn_model *model, const cn_dataset *data, const struct info_options *given)
{
    cn_tensor *x = NULL;
    if (cn_model_loss(model) == NULL && cn_compile(model, .loss = "categorical_crossentropy") < 0) {
        return complain_of_library();
    }
    if (data->train_images != NULL && (x = digits_for_model(model, data->train_images, NAN, data->name)) == NULL) {
        return STATUS_FAILED;
    }
    char *text = cn_model_plan(model, x, given->batch_size);
    if (text == NULL) {
        return complain_of_library();
    }
    fputs(text, stdout);
    cn_string_free(text);
    return STATUS_OK;
}

static int print_plan(const struct info_options *given, const char *dataset)
{
    cn_dataset data = {0};
    cn_model *model = cn_model_load(given->plan, .threads = (int)given->threads, .isa = given->isa,
                                    .precision = given->precision);
    if (model == NULL) {
        return complain_of_library();
    }
    int status = dataset != NULL ? digits_load(&data, dataset, given->download, DIGITS_DOWNLOADS) : STATUS_OK;
    if (status == STATUS_OK) {
        status = print_plan_of(model, &data, given);
    }
    cn_dataset_destroy(&data);
    cn_model_destroy(&model);
    return status;
}

static int run(const void *given_options, int n_operands, char **operands)
{
    const struct info_options *given = given_options;
    cn_system machine;
    int status = engine_check(given->isa, given->precision);
    if (status != STATUS_OK) {
        return status;
    }
    if (given->plan != NULL && given->json) {
        return refuse("--plan is told in words only; leave --json out");
    }
    if (given->plan != NULL) {
        return print_plan(given, n_operands > 0 ? operands[0] : NULL);
    }
    if (n_operands > 0) {
        return refuse("`%.60s` is too much: a data set goes with --plan MODEL", operands[0]);
    }
    cn_system_get(&machine);
    if (given->isa != NULL) {
        machine.isa_chosen = given->isa;
    }
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
    .operands = "[DATASET]",
    .about =
        "Version, CPU, kernels, threads, caches, the blocks that products use because of them, and the optional\n"
        "libraries of this build. With --plan, for each layer of a saved model: which kernels a training step uses,\n"
        "with how many threads, and why. DATASET (mnist, fashion_mnist, or a folder with four IDX files) is what it\n"
        "would train on; without one, no input is zero.",
    .examples = "  cornu info\n"
                "  CORNU_ISA=avx2 cornu info      see what a lower level changes\n"
                "  cornu info --json\n"
                "  cornu info --plan mnist.safetensors mnist",
    .least_operands = 0,
    .most_operands = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct info_options),
    .run = run,
};
