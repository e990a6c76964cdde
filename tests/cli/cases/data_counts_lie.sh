small_mnist bad 20 10
{ idx_header 2000 28 28; tail -c +17 bad/train-images-idx3-ubyte; } >longer; mv longer bad/train-images-idx3-ubyte
cornu train ./bad
