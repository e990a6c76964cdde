small_mnist bad 20 10
printf 'PK\003\004' | dd of=bad/train-images-idx3-ubyte bs=1 conv=notrunc 2>/dev/null
cornu train ./bad
