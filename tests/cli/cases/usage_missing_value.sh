cornu train mnist --epochs
