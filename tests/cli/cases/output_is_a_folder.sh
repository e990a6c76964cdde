mkdir model; cornu train mnist --output model
