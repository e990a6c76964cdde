#include "machine.h"

static void print_peak(FILE *out, const runs *r, const char *prefix, const char *threads)
{
    const measurement *peak = runs_find(r, "peak", threads, "fma_gflops");
    if (peak)
        fprintf(out, "%sfloat32 FMA peak, %s: %.0f GFLOP/s (%.0f ... %.0f)\n", prefix, threads, peak->median,
                peak->least, peak->most);
}

void machine_print(FILE *out, const runs *r, const char *prefix)
{
    fprintf(out, "%sCPU %s, %d usable, kernels %s; %s\n", prefix, runs_machine(r, "cpu"),
            (int)json_integer_value(json_object_get(r->machine, "cores")), runs_machine(r, "isa_chosen"),
            runs_machine(r, "system"));
    fprintf(out, "%scornu %s at commit %s, %s; measured %s, load before %s\n", prefix, runs_machine(r, "version"),
            runs_machine(r, "commit"), runs_machine(r, "compiler"), runs_machine(r, "date"), runs_machine(r, "load"));
    print_peak(out, r, prefix, "1 thread");
    print_peak(out, r, prefix, "2 threads");
}
