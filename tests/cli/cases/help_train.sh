cornu help train
