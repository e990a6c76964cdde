cornu train mnist --seed -1
