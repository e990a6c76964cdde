small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 2 --quiet --output model.safetensors >trained || exit 1
cornu evaluate model.safetensors ./digits --quiet >evaluated || exit 2
grep -v '^trained' trained | cmp - evaluated
