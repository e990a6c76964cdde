cornu train mnist --output /proc/model.safetensors
