cornu train mnist --output ""
