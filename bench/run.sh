#!/bin/bash
# Measures Cornu beside whatever rivals are installed; writes results.txt and results.json into BUILD/bench.
#
#   bench/run.sh [main] [predict] [sparse] [start] [company] [dense] [convolution] [growth]      all of them when none is named
#
#   CORNU_BUILD            folder of the build (build)
#   CORNU_BENCH_VENV       virtual environment of the Python rivals (~/.cache/cornu/venv, as setup.sh makes it)
#   CORNU_BENCH_REPEATS    measurements behind each median (5)
#   CORNU_BENCH_QUICK=1    about eight minutes for main, predict, start and company: rivals other than
#                          CORNU_BENCH_FAST ("jax_scan openblas_mlp") are started once, and measured three times there
#   CORNU_BENCH_KEEP=1     add to the measurements of an earlier run instead of replacing them
#
# Programs take turns, A B C A B C, so that a slow minute of the machine hits all of them. Each of them prints one JSON
# line; the lines, with section and label in front, are kept in BUILD/bench/runs.jsonl. Every run has a time limit.
set -u -o pipefail

cd "$(dirname "$0")/.." || exit 1
build=${CORNU_BUILD:-build}
out=$build/bench
runs=$out/runs.jsonl
data=data/mnist
venv=${CORNU_BENCH_VENV:-$HOME/.cache/cornu/venv}
repeats=${CORNU_BENCH_REPEATS:-5}
quick=${CORNU_BENCH_QUICK:-0}
fast=" ${CORNU_BENCH_FAST:-jax_scan openblas_mlp} "
limit=${CORNU_BENCH_LIMIT:-300}
all_sections=(main predict sparse start company dense convolution kernels growth)

trap 'exit 130' INT TERM
trap 'kill $(jobs -p) 2>/dev/null' EXIT # no busy loop stays behind
unset OPENBLAS_CORETYPE OMP_NUM_THREADS OPENBLAS_NUM_THREADS # nothing of this machine's habits
[ -x "$out/job_main" ] || { echo "bench/run.sh: $out/job_main is not there; run make, or set CORNU_BUILD" >&2; exit 1; }

# --- one measurement ---------------------------------------------------------------------------------------------------

# measure SECTION LABEL COMMAND...
measure() {
    local section=$1 label=$2 line
    shift 2
    printf '%s  %-8s %s\n' "$(date +%H:%M:%S)" "$section" "$label" >&2
    if line=$(timeout --foreground -k 10 "$limit" "$@" 2>"$out/complaints.txt" | tail -n 1) && [[ $line == \{* ]]; then
        printf '{"section": "%s", "label": "%s", %s\n' "$section" "$label" "${line#\{}" >>"$runs"
    else
        line=$(tail -n 1 "$out/complaints.txt" | tr -d '"\\\000-\037' | cut -c 1-200)
        printf '          %s\n' "${line:-no result within $limit s}" >&2
        printf '{"section": "%s", "label": "%s", "error": "%s"}\n' "$section" "$label" \
            "${line:-no result within $limit s}" >>"$runs"
    fi
}

# rounds SECTION ENTRY...: ENTRY is "LABEL|COMMAND..."; every round runs each entry once. With CORNU_BENCH_QUICK, slow
# rivals run in the first round only, with $slow_repeats repeats.
rounds() {
    local section=$1 round entry label name command
    shift
    for ((round = 1; round <= repeats; round++)); do
        [ "$section" != main ] || measure_peak 1
        for entry in "$@"; do
            label=${entry%%|*} command=${entry#*|} name=${label% bf16}
            if [ "$quick" = 1 ] && [[ $name != cornu* && $fast != *" $name "* ]]; then
                [ "$round" = 1 ] || continue
                command=${command/--repeats 1/--repeats ${slow_repeats:-3}}
            fi
            # shellcheck disable=SC2086 # commands are words without blanks in them
            measure "$section" "$label" $command
        done
    done
}

# python_rival NAME MODULES: its command, or nothing (and a note) when its frameworks are missing.
python_rival() {
    local rival=$1 module=$2
    if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c \
        'import importlib.util, sys; sys.exit(any(not importlib.util.find_spec(m) for m in sys.argv[1].split(",")))' "$module"
    then
        echo "$venv/bin/python bench/rivals/$rival.py --data $data --threads 2"
    else
        echo "bench/run.sh: without $rival ($module is not in $venv)" >&2
    fi
}

# c_rival NAME FLAGS...: compiles it and says where it is; nothing (and a note) when its library is missing.
c_rival() {
    local name=$1
    shift
    mkdir -p "$out/rivals"
    if "${CC:-cc}" "bench/rivals/$name.c" -o "$out/rivals/$name" "$@" 2>"$out/complaints.txt"; then
        echo "$out/rivals/$name"
    else
        echo "bench/run.sh: without $name (it does not compile: $(grep -m 1 error "$out/complaints.txt"))" >&2
    fi
}

# measure_peak REPEATS: the float32 peak of the machine, taken in turns with what is held against it.
measure_peak() {
    measure peak "1 thread" "$out/fma_peak" 1 "$1"
    measure peak "2 threads" "$out/fma_peak" 2 "$1"
}

# --- sections ------------------------------------------------------------------------------------------------------------

section_main() {
    local fit=() whole=() rival module command
    fit+=("cornu|$out/job_main --data $data --threads 2 --repeats 1")
    fit+=("cornu bf16|$out/job_main --data $data --threads 2 --repeats 1 --precision bfloat16")
    whole+=("cornu|$out/job_process 1 $build/cornu train mnist --json --quiet --threads 2")
    while read -r rival module; do
        command=$(python_rival "$rival" "$module")
        [ -n "$command" ] || continue
        fit+=("$rival|$command --repeats 1")
        # In the quick mode bfloat16 is tried only where it was ever seen to help: not through Keras.
        [[ $quick = 1 && $rival = keras* ]] || fit+=("$rival bf16|$command --repeats 1 --precision bfloat16")
        whole+=("$rival|$command --repeats 1 --no-warm-up")
    done <<<'jax_scan jax
pytorch_eager torch
pytorch_compile torch
keras_tensorflow keras,tensorflow
keras_jax keras,jax'
    command=$(c_rival openblas_mlp -O3 -march=native -ffast-math -fopenmp -lopenblas -lm)
    if [ -n "$command" ]; then
        fit+=("openblas_mlp|$command --data $data --threads 2 --repeats 1")
        whole+=("openblas_mlp|$command --data $data --threads 2 --repeats 1 --no-warm-up")
    fi
    rounds main "${fit[@]}"
    slow_repeats=1 rounds whole "${whole[@]}"
}

section_predict() {
    local entries=("cornu|$out/job_predict --data $data --threads 2 --repeats 3") rival module command
    while read -r rival module; do
        command=$(python_rival "$rival" "$module")
        [ -z "$command" ] || entries+=("$rival|$command --repeats 3")
    done <<<'predict_onnxruntime onnx,onnxruntime
predict_pytorch torch
predict_keras keras,tensorflow'
    fast="$fast predict_onnxruntime " rounds predict "${entries[@]}"
}

# Two networks over the same rows: see rivals/sparse_contract.py.
section_sparse() {
    local shape name command entries
    for name in sparse sparse_wide; do
        shape="--width 16 --depth 2 --batch-size 512 --epochs 20 --threads 2"
        [ "$name" = sparse ] || shape="--width 512 --depth 1 --batch-size 128 --epochs 4 --threads 2"
        entries=("cornu|$out/job_sparse $shape --repeats 3" "cornu uint8|$out/job_sparse $shape --repeats 3 --input uint8")
        command=$(python_rival sparse_pytorch torch)
        [ -z "$command" ] || entries+=("sparse_pytorch|$command $shape --repeats 3")
        command=$(python_rival sparse_keras keras,tensorflow)
        [ -z "$command" ] || entries+=("sparse_keras|$command $shape --repeats 3")
        rounds "$name" "${entries[@]}"
    done
}

section_start() {
    rounds start "cornu info|$out/job_process 5 $build/cornu info" "cornu load|$out/job_load --data $data"
    # Peak memory of the whole main job is taken with its time; here in case section main does not run.
    [[ " $sections " = *" main "* ]] || rounds whole "cornu|$out/job_process 1 $build/cornu train mnist --json --quiet --threads 2"
}

# All on the same two cores, alone and beside two loops that never rest.
section_company() {
    local cores entries=() threads busy=() round
    cores=$(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) print i }' |
        head -n 2 | paste -sd,)
    for threads in 1 2 3 4 8; do
        entries+=("cornu $threads threads|taskset -c $cores $out/job_main --data $data --repeats 1 --threads $threads")
    done
    # A round alone and a round in company take turns.
    for ((round = 1; round <= repeats; round++)); do
        repeats=1 rounds company "${entries[@]}"
        taskset -c "$cores" bash -c 'while :; do :; done' & busy=($!)
        taskset -c "$cores" bash -c 'while :; do :; done' & busy+=($!)
        measure company "cornu 2 threads, two busy loops" taskset -c "$cores" "$out/job_main" --data "$data" --repeats 1 \
            --threads 2
        measure company "cornu 8 threads, two busy loops" taskset -c "$cores" "$out/job_main" --data "$data" --repeats 1 \
            --threads 8
        kill "${busy[@]}"
        wait "${busy[@]}" 2>/dev/null
    done
}

# dense_products SECTION PROGRAM SHAPE...: ours and the rivals' in one process, call by call in turn; a shape is FORM ROWS
# INPUTS OUTPUTS. Every line that the program prints is one of runs.jsonl. What it had measured counts if it takes too long.
dense_products() {
    local section=$1 program=$2 line
    shift 2
    printf '%s  %-8s %s\n' "$(date +%H:%M:%S)" "$section" "$program" >&2
    if ! timeout --foreground -k 10 900 "$out/$program" --threads 2 --samples "$repeats" --json "$@" \
        2>"$out/complaints.txt" | sed "s/^{/{\"section\": \"$section\", /" >>"$runs"; then
        line=$(tail -n 1 "$out/complaints.txt" | tr -d '"\\\000-\037' | cut -c 1-200)
        printf '{"section": "%s", "label": "%s", "error": "%s"}\n' "$section" "$program" \
            "${line:-not all shapes within 900 s}" >>"$runs"
    fi
}

# By the work in it some eight minutes: the products of 4096 rows and 8192 wide layers are half of it.
section_dense() {
    local shapes=() form size rows command entries info
    for size in 1024 2048 4096 8192; do
        for rows in 32 128 512 4096; do
            for form in forward input weight; do shapes+=("$form" "$rows" "$size" "$size"); done
        done
    done
    info=$("$build/cornu" info --json)
    dense_products dense "bench_matmul_f32_$(sed -n 's/.*"isa_chosen": *"\([^"]*\)".*/\1/p' <<<"$info")" "${shapes[@]}"
    ! grep -q '"amx_bf16": true' <<<"$info" || dense_products dense_bf16 bench_bf16 "${shapes[@]}"
    entries=("cornu|$out/job_mlp --repeats 5" "cornu bf16|$out/job_mlp --repeats 5 --precision bfloat16")
    command=$(python_rival mlp_pytorch torch)
    if [ -n "$command" ]; then
        entries+=("mlp_pytorch|$command --repeats 5" "mlp_pytorch bf16|$command --repeats 5 --precision bfloat16"
                  "mlp_pytorch compiled|$command --repeats 5 --compiled 1")
    fi
    slow_repeats=5 rounds mlp "${entries[@]}"
}

# One epoch of a usual network with convolutions.
section_convolution() {
    local entries=("cornu|$out/job_cnn --data $data --threads 2 --repeats 1") command
    entries+=("cornu bf16|$out/job_cnn --data $data --threads 2 --repeats 1 --precision bfloat16")
    command=$(python_rival pytorch_cnn torch)
    if [ -n "$command" ]; then
        entries+=("pytorch_cnn|$command --epochs 1 --repeats 1"
                  "pytorch_cnn channels last|$command --epochs 1 --repeats 1 --channels-last 1"
                  "pytorch_cnn compiled|$command --epochs 1 --repeats 1 --compiled 1")
    fi
    command=$(python_rival keras_cnn keras,tensorflow)
    [ -z "$command" ] || entries+=("keras_cnn tensorflow|$command --epochs 1 --repeats 1")
    command=$(python_rival keras_cnn keras,jax)
    [ -z "$command" ] || entries+=("keras_cnn jax|$command --epochs 1 --repeats 1 --backend jax")
    rounds convolution "${entries[@]}"
}

# Each kernel on each instruction set, the same list that the tests check: a table of its own.
section_kernels() {
    printf '%s  %-8s %s\n' "$(date +%H:%M:%S)" kernels bench_kernels >&2
    timeout --foreground -k 10 900 "$out/bench_kernels" --samples "$((2 * repeats + 1))" >"$out/kernels.txt"
}

# A round takes some 50 seconds. Where quiet minutes are rare: CORNU_BENCH_REPEATS=1 CORNU_BENCH_KEEP=1, several times.
section_growth() {
    local threads round job="$out/job_growth --data $data --repeats 2" entries=() width batch depth
    for width in 64 128 256 511 512 513 1000 1024 2048 4096 8192; do entries+=("width $width|$job --width $width"); done
    for batch in 1 2 4 8 16 32 64 127 128 129 256 512 1000 1024 2048 4096 8192; do
        entries+=("batch $batch|$job --batch-size $batch")
    done
    for depth in 1 2 3 4 6 8 12 16; do entries+=("depth $depth|$job --depth $depth"); done
    for threads in 1 2 3 4; do entries+=("threads $threads|$job --threads $threads"); done
    for ((round = 1; round <= repeats; round++)); do
        measure_peak 3
        repeats=1 rounds growth "${entries[@]}"
        measure_peak 3
    done
    mkdir -p "$out/images"
    [ ! -x "$out/growth_table" ] || "$out/growth_table" "$runs" "$out/growth.md" "$out/images/growth.svg"
}

# --- all of it -----------------------------------------------------------------------------------------------------------

sections=${*:-${all_sections[*]}}
for section in $sections; do
    [[ " ${all_sections[*]} " = *" $section "* ]] || { echo "bench/run.sh: $section is none of ${all_sections[*]}" >&2; exit 2; }
done
[ "${CORNU_BENCH_KEEP:-0}" = 1 ] || : >"$runs"

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit="$commit and changes"
info=$("$build/cornu" info --json) || exit 1
printf '{"section": "machine", "label": "cornu", "commit": "%s", "date": "%s", "load": "%s", "system": "%s", "cores": %d, %s\n' \
    "$commit" "$(date -u '+%Y-%m-%d %H:%M UTC')" "$(cut -d ' ' -f 1 /proc/loadavg)" "$(uname -sr)" "$(nproc)" \
    "${info#\{}" >>"$runs"

for section in $sections; do "section_$section"; done

if [ -x "$out/bench_report" ]; then
    "$out/bench_report" "$runs" json >"$out/results.json" && "$out/bench_report" "$runs" text | tee "$out/results.txt"
    echo "Written: $out/results.txt, $out/results.json; the single runs are in $runs"
else
    echo "Written: $runs (without jansson there is no table)"
fi
