small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:linear --loss mse --optimizer "sgd(1e30)" --stop-on-nan --quiet --output model
