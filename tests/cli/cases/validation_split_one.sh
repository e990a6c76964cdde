cornu train mnist --validation-split 1
