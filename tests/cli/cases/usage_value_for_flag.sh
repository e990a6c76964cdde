cornu train mnist --json=1
