small_mnist digits 600 100
small_mnist others 500 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 1 --checkpoint state --quiet >/dev/null || exit 7
cornu train ./others --layers 16:relu,10:softmax --epochs 2 --checkpoint state --resume --quiet
