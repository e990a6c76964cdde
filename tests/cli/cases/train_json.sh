small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 2 --seed 7 --threads 1 --validation-split 0.1 --json --quiet
