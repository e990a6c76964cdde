small_mnist digits 20 10
cornu train ./digits --quiet --layers "16:relu,1:softmax"
