cornu train mnist --epochs five
