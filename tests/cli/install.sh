#!/bin/bash
# Installs a build into a temporary prefix and uses what is there: install.sh BUILD HERE COMPILER [SANITIZERS]
set -eu
build=$1 here=$2 compiler=$3 sanitize=${4:+-fsanitize=$4}
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix/usr" >"$prefix/log" || { cat "$prefix/log"; exit 1; }

library=$(dirname "$(find "$prefix/usr" -name libcornu.a)")
for file in bin/cornu include/cornu/cornu.h share/man/man1/cornu.1 share/bash-completion/completions/cornu \
            share/zsh/site-functions/_cornu share/cornu/mnist/train-images-idx3-ubyte.gz; do
    [ -s "$prefix/usr/$file" ] || { echo "not installed: $file"; exit 1; }
done

expect() { # PROGRAM: it must print the tensor
    got=$(LD_LIBRARY_PATH=$library "$1")
    [ "$got" = 'array([5, 0, 4], dtype=uint8)' ] || { echo "$1 printed: $got"; exit 1; }
}

export PKG_CONFIG_PATH=$library/pkgconfig
[ "$(pkg-config --modversion cornu)" = "$("$prefix/usr/bin/cornu" --version | cut -d' ' -f2)" ]
$compiler $sanitize -std=c17 -Wall -Wextra -Wpedantic -Werror "$here/install/program.c" -o "$prefix/shared" \
    $(pkg-config --cflags --libs cornu)
expect "$prefix/shared"
$compiler $sanitize -std=c17 "$here/install/program.c" -o "$prefix/static" \
    $(pkg-config --static --cflags --libs cornu | sed 's/-lcornu/-l:libcornu.a/')
expect "$prefix/static"
if ldd "$prefix/static" | grep -q libcornu; then echo "the static program needs libcornu.so"; exit 1; fi

cmake -S "$here/install" -B "$prefix/build" -DCMAKE_PREFIX_PATH="$prefix/usr" -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_C_FLAGS="$sanitize" >"$prefix/log" 2>&1 && cmake --build "$prefix/build" >>"$prefix/log" 2>&1 ||
    { cat "$prefix/log"; exit 1; }
expect "$prefix/build/program_static"
expect "$prefix/build/program_shared"

# Nothing but cn_... may be seen from outside.
foreign=$(nm -D --defined-only "$library/libcornu.so" | awk '$3 !~ /^cn_[a-z]/ { print $3 }' | grep -v '^_\(init\|fini\)$' || true)
[ -z "$foreign" ] || [ -n "$sanitize" ] || { echo "visible symbols: $foreign"; exit 1; }
