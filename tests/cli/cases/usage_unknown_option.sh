cornu train mnist --epoch 3
