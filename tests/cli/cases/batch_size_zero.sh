cornu train mnist --batch-size 0
