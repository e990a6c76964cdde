mkdir model; cornu summary model
