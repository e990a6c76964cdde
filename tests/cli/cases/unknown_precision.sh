small_mnist digits 20 10
cornu train ./digits --quiet --precision float23
