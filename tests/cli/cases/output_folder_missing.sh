cornu train mnist --output nowhere/model.safetensors
