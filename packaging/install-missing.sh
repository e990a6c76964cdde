#!/bin/sh
# Installs the packages of debian-packages.txt that are not there yet; `make deps` runs it.
# Nothing is asked of apt when nothing is missing, and package lists are fetched only if the first try fails.
set -u
folder=$(dirname "$0")
packages=$(grep -v '^#' "$folder/debian-packages.txt")

if ! command -v dpkg-query >/dev/null; then
    echo "make deps: this is no Debian system; please install the counterparts of:" $packages >&2
    exit 0
fi
missing=
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=${SUDO-sudo} # .ci/run says "sudo -n": nobody is there to type a password
else
    echo "make deps: packages are missing and there is no sudo; as root, please run: apt-get install$missing" >&2
    exit 1
fi

echo "Installing$missing ..."
log=$(mktemp)
install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=60 install -y -q --no-install-recommends $missing >"$log" 2>&1; }
install || { $as_root apt-get update -q >"$log" 2>&1 && install; }
status=$?
if [ $status -ne 0 ]; then
    tail -n 20 "$log" >&2
    echo "make deps: that did not work (see above); please run: ${as_root:+$as_root }apt-get install$missing" >&2
fi
rm -f "$log"
exit $status
