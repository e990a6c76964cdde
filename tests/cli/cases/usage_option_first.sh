cornu --epochs 3 train mnist
