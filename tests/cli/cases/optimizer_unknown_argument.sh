small_mnist digits 20 10
cornu train ./digits --quiet --optimizer 'sgd(momentun=0.9)'
