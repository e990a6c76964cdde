small_mnist digits 20 10
ulimit -v 1500000
cornu train ./digits --quiet --threads 1 --layers 500000:relu,5000:relu,10:softmax
