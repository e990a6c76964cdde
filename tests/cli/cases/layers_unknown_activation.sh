small_mnist digits 20 10
cornu train ./digits --quiet --layers "16:rleu,10:softmax"
