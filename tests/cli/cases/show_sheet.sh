cornu show mnist --count 25 --output digits.png
head -c 8 digits.png | od -An -tx1
