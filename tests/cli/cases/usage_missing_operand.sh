cornu evaluate model.safetensors
