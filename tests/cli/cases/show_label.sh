cornu show mnist --label 4 --count 3 | grep number
