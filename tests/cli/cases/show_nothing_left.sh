cornu show mnist --start 60000
