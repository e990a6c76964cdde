#!/bin/bash
# Puts the numbers of the last benchmark run into docs/: the table of performance.md, between its two markers, when section
# main was among them, and growth.md with its picture, when section growth was. Those pages are for CPUs with AVX-512; what
# was measured with the kernels avx2 goes to performance-avx2.md and growth-avx2.md.
#
#   bench/write_docs.sh        CORNU_BUILD names the folder of the build (build)
set -eu

cd "$(dirname "$0")/.."
out=${CORNU_BUILD:-build}/bench
[ -s "$out/runs.jsonl" ] || { echo "bench/write_docs.sh: $out/runs.jsonl is not there; run make bench" >&2; exit 1; }
isa=$(sed -n 's/.*"isa_chosen": *"\([^"]*\)".*/\1/p' "$out/runs.jsonl" | tail -n 1)
kind=
[ "$isa" = avx512 ] || kind=-$isa

if grep -q '"section": "main"' "$out/runs.jsonl"; then
    page=docs/performance$kind.md
    [ -f "$page" ] || { echo "bench/write_docs.sh: there is no $page with markers to write between" >&2; exit 1; }
    "$out/bench_report" "$out/runs.jsonl" markdown >"$out/performance-table.md"
    awk -v table="$out/performance-table.md" '
        /<!-- measured: end -->/ { inside = 0 }
        !inside { print }
        /<!-- measured: begin -->/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
    ' "$page" >"$out/performance.md"
    cp "$out/performance.md" "$page"
fi
if grep -q '"section": "growth"' "$out/runs.jsonl"; then
    mkdir -p docs/images
    "$out/growth_table" "$out/runs.jsonl" "docs/growth$kind.md" "docs/images/growth$kind.svg"
fi
