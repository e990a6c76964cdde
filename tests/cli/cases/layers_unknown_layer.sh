small_mnist digits 20 10
cornu train ./digits --quiet --layers "flaten,10:softmax"
