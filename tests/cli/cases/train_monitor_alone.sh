cornu train mnist --monitor val_loss
