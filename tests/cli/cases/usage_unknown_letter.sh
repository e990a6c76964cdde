cornu train mnist -x
