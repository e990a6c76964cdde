small_model model.safetensors || exit 9
echo 'not a picture' >photo.png
cornu predict model.safetensors photo.png
