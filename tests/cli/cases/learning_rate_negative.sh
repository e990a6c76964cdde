cornu train mnist --learning-rate -0.1
