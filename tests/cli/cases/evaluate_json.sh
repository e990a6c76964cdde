small_model model.safetensors || exit 9
cornu evaluate model.safetensors ./digits --quiet --json
