# Results must not be written into the model when standard output is closed.
small_mnist digits 20 10
cornu train ./digits --quiet --epochs 1 --layers 4:relu,10:softmax --output model.safetensors >&- 2>/dev/null && exit 9
cornu summary model.safetensors | head -1
