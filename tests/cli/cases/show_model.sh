small_model model.safetensors || exit 9
cornu show model.safetensors --count 2 | head -1
cornu show model.safetensors --output weights.png
head -c 8 weights.png | od -An -tx1
