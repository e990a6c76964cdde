#!/usr/bin/env bash
# The engine avx512 where no CPU has AVX-512: boots a small Linux in bochs, which emulates whole machines, runs tests of
# the kernels in it, and compares the weights of a shortened job with those of this machine. The emulated CPU has no
# tiles, so that sums over bytes take the way over lists.
#   tests/avx512/run.sh BUILD               a folder in which the library and the unit tests have been built
#   tests/avx512/run.sh BUILD A,B C ...     other tests of BUILD/tests: A and B on one machine, C on another beside it
# Exit status: 0 everything holds, 1 not, 77 skipped because something cannot be had.
set -euo pipefail
build=$(realpath "${1:?usage: tests/avx512/run.sh BUILD [TESTS...]}")
shift
machines=("$@")
[ $# -gt 0 ] || machines=(short_job,test_gather_bytes,test_kernels,test_convolution_kernels test_bytes)
here=$(realpath "$(dirname "$0")")
source=$(realpath "$here/../..")
folder=$source/build/avx512
root=$folder/root # of the emulated machines
mkdir -p "$folder"
cd "$folder"

skip() {
    echo "skipped: $1"
    exit 77
}

install_packages() {
    local as_root=
    [ "$(id -u)" -eq 0 ] || as_root=${SUDO-sudo}
    local apt_get="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=60"
    local install="$apt_get install -y -q --no-install-recommends"
    local packages="bochs bochs-term bochsbios vgabios busybox-static isolinux syslinux-common xorriso"
    dpkg -s $packages || $install $packages || { $apt_get update -q && $install $packages; }
}

# A kernel that is unpacked here and not installed.
fetch_linux() {
    [ -f linux ] && return
    local package
    package=$(apt-cache depends linux-image-cloud-amd64 | grep -oE 'linux-image-[0-9][^ ]*' | head -n 1)
    apt-get -q download "$package" && dpkg-deb -x "$package"_*.deb kernel && cp kernel/boot/vmlinuz-* linux
}

# The programs at a folder /tests, the libraries that they need, and the data of the job.
fill_root() {
    local tests=${machines[*]} test
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,tmp,tests/data}
    cp /bin/busybox "$root/bin"
    install -m 755 "$here/init" "$root/init"
    cp -r "$source/data/mnist" "$root/tests/data"
    cp -r --parents "$source/tests/parity" "$root"
    for test in ${tests//,/ }; do
        local program=$build/tests/$test
        [ "$test" != short_job ] || program=short_job
        ldd "$program" | grep -oE '/[^ ]+' | xargs cp -L --parents -t "$root"
        strip -o "$root/tests/$test" "$program"
    done
    (cd "$root" && find . | busybox cpio -o -H newc) >initrd
}

# boot MACHINE TESTS: until the machine switches itself off
boot() {
    export MACHINE=$folder/$1
    rm -rf "$MACHINE"
    mkdir -p "$MACHINE/disc"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 linux initrd "$MACHINE/disc"
    # Linux does without all wide registers if xsavec and xsaves stay, of which bochs tells a wrong size;
    # the rest makes the start shorter
    local options="clearcpuid=xsavec,xsaves nosmp noapic mitigations=off nokaslr lpj=1000000 tsc=reliable"
    options+=" random.trust_cpu=on cryptomgr.notests console=ttyS0,115200 loglevel=1"
    cat >"$MACHINE/disc/isolinux.cfg" <<EOF
DEFAULT linux
LABEL linux
    KERNEL linux
    INITRD initrd
    APPEND $options tests=$2
EOF
    xorriso -as mkisofs -quiet -o "$MACHINE/boot.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
        -boot-info-table "$MACHINE/disc" 2>"$MACHINE/xorriso.log"
    echo continue >"$MACHINE/commands" # for the debugger that Debian's bochs begins in
    timeout 900 bochs -f "$here/bochsrc" -rc "$MACHINE/commands" >"$MACHINE/bochs.txt" 2>&1 </dev/null ||
        true # bochs ends with 1 even then
}

# judge MACHINE TESTS: 0 if every test ended well and the job printed what it printed on this machine
judge() {
    local printed=$1/serial.txt tests=$2 test result=0
    cat "$printed"
    for test in ${tests//,/ }; do
        grep -qx "== $test: status 0" "$printed" || { echo "avx512: $test failed"; result=1; }
        [ "$test" != short_job ] || grep -E ' [0-9a-f]{64}$' "$printed" | diff native.txt - || result=1
    done
    return $result
}

[ "$(uname -m)" = x86_64 ] || skip "the engine avx512 is one of x86-64"
if grep -q avx512vl /proc/cpuinfo; then
    echo "this machine has AVX-512 itself: ctest looks at that engine"
    exit 0
fi
[ -f "$build/libcornu.a" ] || { echo "$build has no libcornu.a"; exit 1; }
command -v apt-get >/dev/null || skip "there is no apt-get to fetch a Linux for the emulator with"
install_packages >packages.log 2>&1 || skip "bochs or a boot loader cannot be installed, see $folder/packages.log"
fetch_linux >linux.log 2>&1 || skip "a Linux for the emulator cannot be fetched, see $folder/linux.log"

cc -std=c17 -O1 -I "$source/include" "$source/tests/aarch64/short_job.c" \
    "$build/libcornu.a" -ldeflate -lm -pthread -o short_job
CORNU_DATA=$source/data ./short_job c >native.txt
fill_root >root.log 2>&1
for number in "${!machines[@]}"; do boot "machine$number" "${machines[number]}" & done
wait
for number in "${!machines[@]}"; do
    grep -qs "this machine has AVX-512" "machine$number/serial.txt" ||
        skip "Linux did not start in bochs, or found no AVX-512, see $folder/machine$number"
done
result=0
for number in "${!machines[@]}"; do judge "machine$number" "${machines[number]}" || result=1; done
exit $result
