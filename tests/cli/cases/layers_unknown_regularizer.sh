small_mnist digits 20 10
cornu train ./digits --quiet --layers 'dense(8, kernel_regularizer=l4),10:softmax'
