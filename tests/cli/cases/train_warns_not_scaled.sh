small_mnist digits 600 100
cornu train ./digits --layers 4:relu,10:softmax --epochs 1 --quiet --scale 1 >/dev/null
