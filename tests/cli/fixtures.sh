# Data sets for tests: small pieces of MNIST, and broken ones.

# big_endian NUMBER: four bytes.
big_endian() { printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"; }

# idx_header SIZE...: the beginning of an IDX file of bytes.
idx_header() {
    printf '\0\0\010'"\\x0$#"
    for size in "$@"; do big_endian "$size"; done
}

# small_mnist FOLDER N_TRAIN N_TEST: the first images of MNIST.
small_mnist() {
    mkdir -p "$1"
    { idx_header "$2" 28 28; gzip -dc "$DATA/train-images-idx3-ubyte.gz" | tail -c +17 | head -c $((784 * $2)); } >"$1/train-images-idx3-ubyte"
    { idx_header "$2"; gzip -dc "$DATA/train-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$2"; } >"$1/train-labels-idx1-ubyte"
    { idx_header "$3" 28 28; gzip -dc "$DATA/t10k-images-idx3-ubyte.gz" | tail -c +17 | head -c $((784 * $3)); } >"$1/t10k-images-idx3-ubyte"
    { idx_header "$3"; gzip -dc "$DATA/t10k-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$3"; } >"$1/t10k-labels-idx1-ubyte"
} 2>/dev/null # head leaves while gzip still writes

# small_model FILE: a network of 16 hidden units that has seen a few digits; leaves the folder digits.
small_model() {
    small_mnist digits 600 100
    cornu train ./digits --layers 16:relu,10:softmax --epochs 2 --quiet --output "$1" >/dev/null 2>&1
}
