#!/bin/bash
# Puts the numbers of the last benchmark run into docs/: the table of performance.md, between its two markers, when section
# main was among them, and growth.md with its picture, when section growth was.
#
#   bench/write_docs.sh        CORNU_BUILD names the folder of the build (build)
set -eu

cd "$(dirname "$0")/.."
out=${CORNU_BUILD:-build}/bench
[ -s "$out/runs.jsonl" ] || { echo "bench/write_docs.sh: $out/runs.jsonl is not there; run make bench" >&2; exit 1; }

if grep -q '"section": "main"' "$out/runs.jsonl"; then
    "$out/bench_report" "$out/runs.jsonl" markdown >"$out/performance-table.md"
    awk -v table="$out/performance-table.md" '
        /<!-- measured: end -->/ { inside = 0 }
        !inside { print }
        /<!-- measured: begin -->/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
    ' docs/performance.md >"$out/performance.md"
    cp "$out/performance.md" docs/performance.md
fi
if grep -q '"section": "growth"' "$out/runs.jsonl"; then
    mkdir -p docs/images
    "$out/growth_table" "$out/runs.jsonl" docs/growth.md docs/images/growth.svg
fi
