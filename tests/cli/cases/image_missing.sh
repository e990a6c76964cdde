small_model model.safetensors || exit 9
cornu predict model.safetensors nowhere.png
