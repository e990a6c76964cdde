# The first test picture is a 7.
small_mnist digits 5000 100
cornu train ./digits --layers 32:relu,10:softmax --epochs 4 --quiet --output model.safetensors >/dev/null
cornu show ./digits --test --count 1 --output seven.png --quiet
cornu predict model.safetensors seven.png --json
