mkdir empty; cornu train ./empty
