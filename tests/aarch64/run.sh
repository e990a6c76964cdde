#!/usr/bin/env bash
# One answer on another kind of CPU: builds the library for aarch64, trains a shortened job under qemu-user with the
# engines neon and c, and compares the weights with those of this machine. Only libdeflate is needed besides the
# compiler; its arm64 package is unpacked under the build folder and not installed.
#   tests/aarch64/run.sh NATIVE_BUILD     a folder in which libcornu.so has been built for this machine
# Exit status: 0 the same bits, 1 not, 77 skipped because something cannot be had.
set -euo pipefail
native=$(realpath "${1:?usage: tests/aarch64/run.sh NATIVE_BUILD}")
source=$(realpath "$(dirname "$0")/../..")
folder=$source/build/aarch64
sysroot=$folder/sysroot
mkdir -p "$folder"
cd "$folder"

skip() {
    echo "skipped: $1"
    exit 77
}

install_packages() {
    command -v aarch64-linux-gnu-gcc && command -v qemu-aarch64 && return
    local as_root=
    [ "$(id -u)" -eq 0 ] || as_root=${SUDO-sudo}
    local install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=60 install -y -q --no-install-recommends"
    local packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
    $install $packages || { $as_root apt-get update -q && $install $packages; }
}

# apt with lists of its own, so that this system goes on knowing its own kind of CPU only.
apt_for_arm64() {
    mkdir -p apt/lists/partial apt/cache/archives/partial
    timeout 120 apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State::lists="$folder/apt/lists" \
        -o Dir::Cache="$folder/apt/cache" -o Acquire::Languages=none "$@"
}

unpack_libdeflate() {
    [ -f "$sysroot/usr/include/libdeflate.h" ] && return
    apt_for_arm64 update || true # sources that have nothing for arm64 do not matter if the next line works
    apt_for_arm64 download libdeflate-dev libdeflate0 || return
    for package in libdeflate*_arm64.deb; do dpkg-deb -x "$package" "$sysroot" || return; done
}

build_for_arm64() {
    export PKG_CONFIG_LIBDIR=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig PKG_CONFIG_SYSROOT_DIR=$sysroot
    # -O1: the job is short, and optimising for longer than it runs helps nobody
    cmake -S "$source" -B library --log-level=WARNING -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
        -DCMAKE_C_FLAGS_RELEASE="-O1 -DNDEBUG" \
        -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCORNU_WERROR=ON -DCORNU_BUILD_TESTS=OFF -DCORNU_BUILD_EXAMPLES=OFF \
        -DCORNU_BUILD_BENCH=OFF -DCORNU_WITH_JSON=OFF -DCORNU_WITH_PNG=OFF -DCORNU_WITH_DOWNLOAD=OFF >/dev/null
    cmake --build library --target cornu_static --parallel "$(nproc)" >build.log 2>&1 ||
        { grep -E "error|warning" build.log; tail -n 5 build.log; return 1; }
    aarch64-linux-gnu-gcc -std=c17 -O1 -static -I "$source/include" "$source/tests/aarch64/short_job.c" \
        library/libcornu.a "$sysroot/usr/lib/aarch64-linux-gnu/libdeflate.a" -lm -pthread -o short_job_arm64
}

# same ISA COMMAND...: what the command prints must be what this machine printed.
same() {
    local isa=$1
    shift
    "$@" "$isa" >"$isa.txt" || { echo "$isa: the job failed"; return 1; }
    diff native.txt "$isa.txt" && echo "$isa under qemu-aarch64: the same weights"
}

[ -f "$native/libcornu.so" ] || { echo "$native has no libcornu.so"; exit 1; }
command -v apt-get >/dev/null || skip "there is no apt-get to fetch an arm64 libdeflate with"
install_packages >packages.log 2>&1 || skip "the cross compiler or qemu-user cannot be installed, see $folder/packages.log"
unpack_libdeflate >libdeflate.log 2>&1 || skip "libdeflate for arm64 cannot be fetched, see $folder/libdeflate.log"

export CORNU_DATA=$source/data
cc -std=c17 -O1 -I "$source/include" "$source/tests/aarch64/short_job.c" -L "$native" -lcornu -Wl,-rpath,"$native" \
    -o short_job_native
./short_job_native c >native.txt
cat native.txt
build_for_arm64
different=0
for isa in neon c; do same "$isa" qemu-aarch64 ./short_job_arm64 || different=1; done
exit $different
