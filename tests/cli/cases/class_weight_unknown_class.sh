cornu train mnist --class-weight 0:2,10:3
