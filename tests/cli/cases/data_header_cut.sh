small_mnist bad 20 10
head -c 10 bad/train-images-idx3-ubyte >short; mv short bad/train-images-idx3-ubyte
cornu train ./bad
