cornu show mnist --start 4 --count 1
