small_model model.safetensors || exit 9
small_mnist blank 20 10
{ idx_header 20 28 28; head -c $((20 * 784)) /dev/zero; } >blank/train-images-idx3-ubyte
cornu show ./blank --count 1 --output blank.png --quiet
cornu predict model.safetensors blank.png
