small_mnist bad 20 10
echo more >>bad/t10k-labels-idx1-ubyte
cornu train ./bad
