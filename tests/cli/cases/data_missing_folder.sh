cornu train ./nowhere
