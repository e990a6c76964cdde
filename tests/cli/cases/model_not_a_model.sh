head -c 5000 "$DATA/train-images-idx3-ubyte.gz" >model.safetensors; cornu evaluate model.safetensors mnist
