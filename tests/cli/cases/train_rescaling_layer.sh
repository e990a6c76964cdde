# The pixels go in as they are when the network rescales them itself.
small_mnist digits 600 100
cornu train ./digits --layers 'rescaling(0.00392156862745098),16:relu,10:softmax' --epochs 2 --no-check --quiet --output model.safetensors >trained || exit 1
cornu evaluate model.safetensors ./digits --quiet >evaluated || exit 2
grep accuracy trained | cmp - <(grep accuracy evaluated)
