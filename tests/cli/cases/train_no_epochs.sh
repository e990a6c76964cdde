small_mnist digits 20 10
cornu train ./digits --quiet --epochs 0 --layers 4:relu,10:softmax --json
