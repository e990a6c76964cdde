#!/bin/bash
# compile_examples.sh COMPILER INCLUDE GIVEN LEAST HEADER...
# Compiles the C that comments of public headers show: lines indented by four more than the text of the comment, behind an
# empty line of it. What an example does not declare itself comes from the file GIVEN, which sees EXAMPLE_OF_header. Lines
# "..." are left out; what ends in a brace at the margin are functions, the rest stands in one; a lone expression gets its
# semicolon. Fails where an example does not compile, or when there are fewer than LEAST of them.
compiler=$1 include=$2 given=$3 least=$4
shift 4
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

# extract HEADER: writes each example to NAME-LINE.txt in the folder.
extract() {
    awk -v name="$folder/$(basename "$1" .h)" '
        /^ \*     / && (file != "" || before == " *") {
            if (file == "") file = name "-" FNR ".txt"
            if (substr($0, 8) != "...") print substr($0, 8) > file
        }
        $0 != " *" && !/^ \*     / { file = "" }
        { before = $0 }' "$1"
}

# complete EXAMPLE NAME: the example as a whole file.
complete() {
    local functions
    functions=$(grep -n '^}' "$1" | tail -1 | cut -d: -f1)
    printf '#define EXAMPLE_OF_%s\n#include "%s"\n' "$2" "$given"
    head -n "${functions:-0}" "$1"
    printf 'int example(void);\nint example(void)\n{\n'
    tail -n "+$((${functions:-0} + 1))" "$1" | sed '$ { /[;}]\( *\/\/.*\)\?$/ ! s/$/;/ }'
    printf 'return 0;\n}\n'
}

count=0 wrong=0
for header; do
    extract "$header"
    name=$(basename "$header" .h)
    for example in "$folder/$name"-*.txt; do
        [ -e "$example" ] || continue
        count=$((count + 1))
        complete "$example" "$name" >"$folder/whole.c"
        "$compiler" -x c -std=c17 -Wall -Wextra -Wpedantic -Wno-unused -Wno-unused-parameter -Werror -fsyntax-only \
            -I"$include" "$folder/whole.c" 2>"$folder/said" && continue
        line=${example##*-}
        echo "$header:${line%.txt}: this example does not compile:"
        cat "$example" "$folder/said"
        wrong=$((wrong + 1))
    done
done
echo "$count examples, $wrong of them wrong"
[ "$wrong" -eq 0 ] && [ "$count" -ge "$least" ]
