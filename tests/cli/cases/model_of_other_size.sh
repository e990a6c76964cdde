small_mnist digits 20 10
cornu train ./digits --quiet --epochs 1 --layers 4:relu,10:softmax --output model.safetensors >/dev/null
mkdir tiny
{ idx_header 20 14 14; head -c $((20 * 196)) digits/train-images-idx3-ubyte; } >tiny/train-images-idx3-ubyte
{ idx_header 10 14 14; head -c $((10 * 196)) digits/train-images-idx3-ubyte; } >tiny/t10k-images-idx3-ubyte
cp digits/*labels* tiny
cornu evaluate model.safetensors ./tiny --quiet
