small_mnist digits 20 10
cornu train ./digits --quiet --optimizer adam --momentum 0.9
