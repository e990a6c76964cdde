small_mnist bad 20 10
small_mnist other 19 10
cp other/train-labels-idx1-ubyte bad
cornu train ./bad
