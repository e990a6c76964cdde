small_model model.safetensors || exit 9
cornu summary model.safetensors
