small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 1 --csv nowhere/log.csv --quiet
