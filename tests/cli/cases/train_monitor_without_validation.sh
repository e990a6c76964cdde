small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 2 --early-stopping 1 --monitor val_loss --quiet >out
grep -c "test accuracy" out
