cornu train mnist fashion_mnist
