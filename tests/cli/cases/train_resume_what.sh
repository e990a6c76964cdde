cornu train mnist --resume
