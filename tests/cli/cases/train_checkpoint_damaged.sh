small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 1 --checkpoint state --quiet >/dev/null || exit 7
printf 'Cornu' | dd of=state bs=1 seek=20000 conv=notrunc 2>/dev/null
cornu train ./digits --layers 16:relu,10:softmax --epochs 2 --checkpoint state --resume --quiet
