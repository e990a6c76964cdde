small_model model.safetensors || exit 9
head -c 3000 model.safetensors >cut.safetensors
cornu predict cut.safetensors digit.png
