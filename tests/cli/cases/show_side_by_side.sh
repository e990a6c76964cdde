COLUMNS=120 cornu show mnist --count 4 | head -1
