small_mnist bad 20 10
{ idx_header 0x80000000 0x80000000 0x80000000; echo; } >bad/train-images-idx3-ubyte
cornu train ./bad
