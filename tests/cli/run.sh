#!/bin/bash
# Runs one test of the tool: run.sh CORNU CASE.sh. README.md beside this file says what is compared.
set -u
cornu=$(realpath "$1") script=$(realpath "$2") here=$(dirname "$(realpath "$0")")
case=${script%.sh}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/work" "$scratch/home"
ln -s "$cornu" "$scratch/bin/cornu"

export PATH=$scratch/bin:$PATH HOME=$scratch/home LC_ALL=C SOURCE=$(dirname "$(dirname "$here")")
export DATA=$SOURCE/data/mnist TERM=xterm
unset CORNU_ISA CORNU_DATA XDG_CACHE_HOME NO_COLOR COLUMNS

(cd "$scratch/work" && exec bash -c '. "$0"; . "$1"' "$here/fixtures.sh" "$script") \
    >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
status=$?

failed=0
expected=$(cat "$case.exit" 2>/dev/null || echo 0)
if [ "$status" != "$expected" ]; then
    echo "exit status $status, expected $expected"
    failed=1
fi
for stream in stdout stderr; do
    pattern=$(cat "$case.$stream.glob" 2>/dev/null)
    text=$(tr -d '\0' <"$scratch/$stream")
    if [[ $text != $pattern ]]; then
        printf '%s is not as expected\n--- expected\n%s\n--- got\n%s\n---\n' "$stream" "$pattern" "$text"
        failed=1
    fi
done
left=$(find "$scratch/work" -name '*.tmp-*')
if [ -n "$left" ]; then
    echo "temporary files were left: $left"
    failed=1
fi
[ $failed -eq 0 ] || { echo "standard error was:"; head -c 4000 "$scratch/stderr"; }
exit $failed
