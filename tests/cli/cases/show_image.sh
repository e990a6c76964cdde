cornu show mnist --start 4 --count 1 --output nine.png --quiet
cornu show nine.png
