small_mnist bad 0 10
cornu train ./bad
