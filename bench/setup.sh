#!/bin/bash
# Installs what Cornu is measured against: Python frameworks into a virtual environment outside the tree, and Debian's
# OpenBLAS and oneDNN. Nothing of this is needed to build or use Cornu.
#
#   bench/setup.sh [VENV]        VENV defaults to ~/.cache/cornu/venv
#
# Running it again installs only what is missing. A rival that cannot be installed is named and skipped; the exit
# status is 1 only when the virtual environment itself cannot be made.
# PyTorch's own index has a smaller build without CUDA: set TORCH_INDEX=https://download.pytorch.org/whl/cpu to use it.
set -u

venv=${1:-$HOME/.cache/cornu/venv}
missing=()

debian_packages=(libopenblas-dev libdnnl-dev g++)
wanted=()
for package in "${debian_packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || wanted+=("$package")
done
if [ ${#wanted[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get install -y -q --no-install-recommends "${wanted[@]}" ||
        { "${as_root[@]}" apt-get update -q &&
          "${as_root[@]}" apt-get install -y -q --no-install-recommends "${wanted[@]}"; } ||
        missing+=("${wanted[@]}")
fi

if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" || { echo "bench/setup.sh: cannot make the virtual environment $venv" >&2; exit 1; }
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1

install() {  # each on its own, so that one failure does not cost the others
    "$venv/bin/python" -m pip install -q "$@" || missing+=("$*")
}
install numpy h5py safetensors
install torch==2.13.0 ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"}
installed() { "$venv/bin/python" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec(sys.argv[1]))' "$1"; }
installed tensorflow || "$venv/bin/python" -m pip install -q tensorflow-cpu || install tensorflow
install keras
install jax jaxlib
install onnx onnxruntime
install tensorboard  # read by a test, see tests/parity/README.md

"$venv/bin/python" - <<'PYTHON'
import importlib.metadata as metadata
for name in ("numpy", "tensorflow-cpu", "tensorflow", "keras", "torch", "jax", "onnx", "onnxruntime", "safetensors", "h5py"):
    try:
        print(f"{name:16} {metadata.version(name)}")
    except metadata.PackageNotFoundError:
        pass
PYTHON
if [ ${#missing[@]} -gt 0 ]; then
    echo "bench/setup.sh: not installed: ${missing[*]}" >&2
fi
