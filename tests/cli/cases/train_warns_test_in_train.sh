small_mnist digits 600 100
cp digits/train-images-idx3-ubyte digits/t10k-images-idx3-ubyte
cp digits/train-labels-idx1-ubyte digits/t10k-labels-idx1-ubyte
cornu train ./digits --layers 4:relu,10:softmax --epochs 1 --quiet >/dev/null
