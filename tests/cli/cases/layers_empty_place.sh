small_mnist digits 20 10
cornu train ./digits --quiet --layers "512:relu,,10:softmax"
