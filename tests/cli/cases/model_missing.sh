cornu summary nowhere.safetensors
