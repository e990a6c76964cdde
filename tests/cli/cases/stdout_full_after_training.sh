small_mnist digits 20 10
cornu train ./digits --quiet --epochs 1 --json >/dev/full
