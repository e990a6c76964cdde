small_mnist digits 20 10
cornu train ./digits --quiet --layers "0:relu,10:softmax"
