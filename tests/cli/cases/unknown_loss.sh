small_mnist digits 20 10
cornu train ./digits --quiet --loss categorical_crossentopy
