small_mnist digits 20 10
cornu train ./digits --quiet --layers "dense(16,10:softmax"
